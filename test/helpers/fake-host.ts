import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Host } from '../../src/doctor/host.js';
import type { Probes } from '../../src/doctor/probes.js';
import { temporaryDirectory } from './daemon.js';

/** What a machine shows: files with their content, `-> target` for a symbolic link, '/' for an empty folder. */
export type Files = Readonly<Record<string, string>>;

/** A machine on which everything is as it should be: a Pi 5 with an SSD and the service. */
export const SOUND: Files = {
  '/proc/self/status': 'Name:\tnode\nCapEff:\t0000000000002000\n',
  '/proc/self/smaps': '00400000-00401000 r--p\nSize: 16 kB\nKernelPageSize:       16 kB\n',
  '/proc/self/mountinfo':
    '22 1 259:2 / / rw - ext4 /dev/root rw\n30 22 0:24 / /proc rw - proc proc rw\n31 22 179:2 / /card rw shared:5 - ext4 /dev/card rw\n32 22 0:50 / /memory rw - tmpfs tmpfs rw\n33 22 0:51 / /far rw - nfs4 server:/x rw\n',
  '/proc/net/route':
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n' +
    'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\neth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\n',
  '/proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n/dev/zram0 partition 100 0 100\n',
  '/sys/class/net/eth0/flags': '0x1003\n',
  '/sys/class/net/eth0/carrier': '1\n',
  '/sys/class/net/eth0/speed': '1000\n',
  '/sys/class/net/eth0/duplex': 'full\n',
  '/sys/dev/block/259:2': '-> ../../devices/platform/x/nvme0n1/nvme0n1p2',
  '/sys/dev/block/179:2': '-> ../../devices/platform/y/mmcblk0/mmcblk0p2',
  '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
  '/sys/fs/cgroup/system.slice/flowberry.service': '/',
  '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor': 'ondemand\n',
  '/sys/class/thermal/thermal_zone0/temp': '48250\n',
  '/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled': '0\n',
  '/sys/class/hwmon/hwmon0/name': 'cpu_thermal\n',
  '/sys/class/hwmon/hwmon1/name': 'rpi_volt\n',
  '/sys/class/hwmon/hwmon1/in0_lcrit_alarm': '0\n',
  '/sys/class/watchdog/watchdog0/state': 'active\n',
  '/sys/class/watchdog/watchdog0/timeout': '15\n',
  '/run/systemd/timesync/synchronized': '\n',
  '/run/systemd/system': '/',
  '/usr/lib/systemd/system/flowberry.service': '[Service]\nAmbientCapabilities=CAP_NET_RAW\nWatchdogSec=60\n',
  '/etc/systemd/system/multi-user.target.wants/flowberry.service': '-> /usr/lib/systemd/system/flowberry.service',
};

const SOUND_PROBES: Probes = {
  nodeVersion: '24.1.0',
  mergers: () => [],
  receiveSlots: () => ({ slots: 512, slotsMax: 512 }),
  space: () => ({ freeBytes: 80e9, totalBytes: 100e9 }),
  syncMs: () => 3,
  isClockKept: () => true,
  portOwner: async () => 'flowberry',
};

/** A sound machine but for these files (null: not there) and probes. */
export function fakeHost(files: Readonly<Record<string, string | null>> = {}, probes: Partial<Probes> = {}): Host {
  const root = temporaryDirectory();
  for (const [name, content] of Object.entries({ ...SOUND, ...files })) {
    if (content === null) continue;
    const file = path.join(root, name);
    mkdirSync(content === '/' ? file : path.dirname(file), { recursive: true });
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), file);
    else if (content !== '/') writeFileSync(file, content);
  }
  return new Host({ ...SOUND_PROBES, ...probes }, root);
}
