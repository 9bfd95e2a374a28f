import { describe, expect, it } from 'vitest';
import { formatDiagnoses } from '../../src/cli/doctor.js';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { CHECKS, type Diagnosis, examine } from '../../src/doctor/doctor.js';
import { type Probes, systemProbes } from '../../src/doctor/probes.js';
import { AppError } from '../../src/errors.js';
import { flowberry, temporaryDirectory } from '../helpers/daemon.js';
import { fakeHost } from '../helpers/fake-host.js';

type Case = readonly [
  name: string,
  expected: string,
  files: Readonly<Record<string, string | null>>,
  probes?: Partial<Probes>,
  options?: OptionValues,
];

const NET = '/sys/class/net/eth0';
const THROTTLED = '/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled';
const ALARM = '/sys/class/hwmon/hwmon1/in0_lcrit_alarm';
const UNIT = '/usr/lib/systemd/system/flowberry.service';
const WANTS = '/etc/systemd/system/multi-user.target.wants/flowberry.service';
const noRight = { '/proc/self/status': 'CapEff:\t0000000000000400\n' };
const unsynchronized = { '/run/systemd/timesync/synchronized': null };

/** What each check makes of a machine that differs from a sound one: verdict, and part of the reason or of the command. */
const CASES: readonly Case[] = [
  ['capture-right', 'ok this user may not capture, and the service may', noRight],
  ['capture-right', 'fail sudo setcap cap_net_raw+ep', { ...noRight, [UNIT]: null }],
  ['capture-right', 'unknown', { '/proc/self/status': null }],
  ['interface', 'fail sudo ip link set eth0 up', { [`${NET}/flags`]: '0x1002\n' }],
  ['interface', 'fail there is no interface eth7', {}, {}, { 'capture.interface': 'eth7' }],
  ['interface', 'ok all interfaces', {}, {}, { 'capture.interface': 'any' }],
  ['interface', 'fail flowberry interfaces', { '/proc/net/route': 'Iface\n' }],
  ['interface', 'unknown', { [`${NET}/flags`]: null }],
  ['link', 'fail cable', { [`${NET}/carrier`]: '0\n' }],
  ['link', 'warn 100 Mbit/s', { [`${NET}/speed`]: '100\n' }],
  ['link', 'warn half duplex', { [`${NET}/duplex`]: 'half\n' }],
  ['link', 'ok has a link', { [`${NET}/speed`]: '-1\n' }],
  ['link', 'unknown', { [`${NET}/carrier`]: null }],
  ['link', 'unknown', {}, {}, { 'capture.interface': 'any' }],
  ['offloads', 'warn sudo ethtool -K eth0 gro off lro off', {}, { mergers: () => ['gro', 'lro'] }],
  ['offloads', 'unknown', {}, { mergers: () => null }],
  ['ring-slots', 'warn sudo ethtool -G eth0 rx 4096', {}, { receiveSlots: () => ({ slots: 256, slotsMax: 4096 }) }],
  ['ring-slots', 'unknown', {}, { receiveSlots: () => null }],
  ['port', 'ok is free', {}, { portOwner: async () => 'nobody' }],
  ['port', "fail sudo ss -ltnp 'sport = :8417'", {}, { portOwner: async () => 'somebody' }],
  ['port', 'ok a free port', {}, { portOwner: async () => 'somebody' }, { 'api.port': 0 }],
  ['storage', 'ok nvme0n1p2', {}, {}, { 'db.path': '/data/flows.db' }],
  ['storage', 'warn SD card or eMMC (mmcblk0p2)', {}, {}, { 'db.path': '/card/data/flows.db' }],
  ['storage', 'ok in memory, and is saved to mmcblk0p2', {}, {}, { 'db.path': '/card/data/flows.db', 'store.profile': 'ram' }],
  ['storage', 'fail in memory', {}, {}, { 'db.path': '/memory/flows.db' }],
  ['storage', 'fail nfs4', {}, {}, { 'db.path': '/far/flows.db' }],
  ['storage', 'unknown', { '/sys/dev/block/259:2': null }],
  ['storage', 'unknown', { '/proc/self/mountinfo': null }],
  ['free-space', 'warn 15.0 of 100.0 GB', {}, { space: () => ({ freeBytes: 15e9, totalBytes: 100e9 }) }],
  ['free-space', 'fail flowberry db prune', {}, { space: () => ({ freeBytes: 9e9, totalBytes: 100e9 }) }],
  ['free-space', 'fail', {}, { space: () => ({ freeBytes: 0.4e9, totalBytes: 1e9 }) }],
  ['free-space', 'unknown', {}, { space: () => null }],
  ['fsync', 'warn 120.0 ms', {}, { syncMs: () => 120 }],
  ['fsync', 'fail dying', {}, { syncMs: () => 900 }],
  ['fsync', 'unknown', {}, { syncMs: () => null }],
  ['swap', 'warn sudo swapoff /card/swap', { '/proc/swaps': 'Filename\n/card/swap file 100 0 -2\n' }],
  ['swap', 'warn', { '/proc/swaps': 'Filename\n/dev/mmcblk0p3 partition 100 0 -2\n' }],
  ['swap', 'ok there is no swap', { '/proc/swaps': 'Filename\n' }],
  ['swap', 'unknown', { '/proc/swaps': null }],
  ['node-version', 'fail older than 20.19', {}, { nodeVersion: '20.18.3' }],
  ['node-version', 'ok', {}, { nodeVersion: '20.19.0' }],
  ['page-size', 'ok 16 KiB, as the kernel of the Pi 5', {}],
  ['page-size', 'warn', { '/proc/self/smaps': 'KernelPageSize:  2048 kB\n' }],
  ['page-size', 'unknown', { '/proc/self/smaps': null }],
  ['memory-cgroup', 'warn cgroup_enable=memory', { '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io pids\n' }],
  ['memory-cgroup', 'ok', { '/sys/fs/cgroup/cgroup.controllers': null, '/proc/cgroups': 'memory\t0\t90\t1\n' }],
  ['memory-cgroup', 'warn', { '/sys/fs/cgroup/cgroup.controllers': null, '/proc/cgroups': 'memory\t0\t90\t0\n' }],
  ['memory-cgroup', 'unknown', { '/sys/fs/cgroup/cgroup.controllers': null }],
  ['governor', 'warn powersave', { '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor': 'powersave\n' }],
  ['governor', 'unknown', { '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor': null }],
  ['temperature', 'warn 72.5 °C', { '/sys/class/thermal/thermal_zone0/temp': '72500\n' }],
  ['temperature', 'fail 80.0 °C', { '/sys/class/thermal/thermal_zone0/temp': '80000\n' }],
  ['temperature', 'unknown', { '/sys/class/thermal/thermal_zone0/temp': null }],
  ['throttling', 'fail now', { [THROTTLED]: '4\n' }],
  ['throttling', 'warn since the start', { [THROTTLED]: '80000\n' }],
  ['throttling', 'warn since the start', { [THROTTLED]: '0x40000\n' }],
  ['throttling', 'unknown', { [THROTTLED]: null }],
  ['under-voltage', 'fail now', { [THROTTLED]: '1\n' }],
  ['under-voltage', 'warn since the start', { [THROTTLED]: '10000\n' }],
  ['under-voltage', 'fail now', { [THROTTLED]: null, [ALARM]: '1\n' }],
  ['under-voltage', 'unknown', { [THROTTLED]: null, [ALARM]: null, '/sys/class/hwmon/hwmon1/name': null }],
  ['clock', 'ok kept right', unsynchronized],
  ['clock', 'warn sudo timedatectl set-ntp true', unsynchronized, { isClockKept: () => false }],
  ['clock', 'unknown', unsynchronized, { isClockKept: () => null }],
  ['unit', 'warn sudo deploy/install.sh', { [UNIT]: null }],
  ['unit', 'warn sudo systemctl enable --now flowberry', { [WANTS]: null }],
  ['unit', 'warn WatchdogSec', { [UNIT]: '[Service]\n' }],
  ['unit', 'fail journalctl -u flowberry', { '/sys/fs/cgroup/system.slice/flowberry.service': null }],
  [
    'unit',
    'ok',
    {
      '/sys/fs/cgroup/system.slice/flowberry.service': null,
      '/sys/fs/cgroup/systemd/system.slice/flowberry.service': '/',
    },
  ],
  ['unit', 'unknown', { '/run/systemd/system': null }],
  ['watchdog', 'warn RuntimeWatchdogSec=15s', { '/sys/class/watchdog/watchdog0/state': 'inactive\n' }],
  ['watchdog', 'unknown', { '/sys/class/watchdog/watchdog0/state': null, '/sys/class/watchdog/watchdog0/timeout': null }],
];

const config = resolveConfig({ 'db.path': '/data/flows.db' });
const fold = ({ verdict, why, mend }: Diagnosis): string => `${verdict} ${why} ${mend ?? ''}`;

describe('doctor', () => {
  it('finds nothing to mend on a sound machine', async () => {
    const found = await examine(fakeHost(), () => config, config);
    expect(found.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(found.map(({ name }) => name)).toEqual(['config', ...CHECKS.map(({ name }) => name)]);
    expect(found.some(({ mend }) => mend !== undefined)).toBe(false);
  });

  for (const [name, expected, files, probes, options] of CASES)
    it(`${name}: ${expected}`, async () => {
      const wanted = resolveConfig({ 'db.path': '/data/flows.db', ...options });
      const found = await examine(fakeHost(files, probes), () => wanted, wanted);
      const [verdict, ...words] = expected.split(' ');
      const text = fold(found.find((entry) => entry.name === name) as Diagnosis);
      expect(text.split(' ')[0]).toBe(verdict);
      expect(text).toContain(words.join(' '));
    });

  it('tries each check with a machine that is not as it should be', () => {
    expect(new Set(CASES.map(([name]) => name))).toEqual(new Set(CHECKS.map(({ name }) => name)));
  });

  it('knows nothing about a machine that shows nothing, and breaks nowhere', async () => {
    const empty = Object.fromEntries(Object.keys((await import('../helpers/fake-host.js')).SOUND).map((name) => [name, null]));
    const found = await examine(fakeHost(empty), () => config, config);
    expect(found.filter(({ why }) => why.includes('could not be made'))).toEqual([]);
  });

  it('goes on with the defaults when the configuration does not hold, and with the rest when a check breaks', async () => {
    const host = fakeHost(
      {},
      {
        mergers: () => {
          throw new Error('ioctl');
        },
      },
    );
    const found = await examine(
      host,
      () => {
        throw new AppError('CONFIG_VALUE_INVALID', 'api.port = -1');
      },
      config,
    );
    expect(fold(found[0] as Diagnosis)).toMatch(/^fail CONFIG_VALUE_INVALID: api\.port = -1/);
    expect(found.find(({ name }) => name === 'offloads')).toMatchObject({
      verdict: 'unknown',
      why: 'the check could not be made: ioctl',
    });
    expect(found).toHaveLength(CHECKS.length + 1);
  });

  it('shows the command below the line that it mends', () => {
    const text = formatDiagnoses([
      { name: 'clock', verdict: 'warn', why: 'nothing keeps it', mend: 'sudo timedatectl set-ntp true' },
      { name: 'port', verdict: 'fail', why: 'taken' },
    ]);
    expect(text).toBe(
      'warn     clock  nothing keeps it\n                $ sudo timedatectl set-ntp true\nFAIL     port   taken\n\n' +
        '1 failed, 1 warnings, 0 unknown, 0 ok\n',
    );
  });
});

describe.skipIf(process.platform !== 'linux')('probes of the real machine (needs Linux)', () => {
  it('answer, and leave nothing behind', async () => {
    const directory = temporaryDirectory();
    expect(systemProbes.syncMs(directory)).toBeGreaterThan(0);
    expect((await import('node:fs')).readdirSync(directory)).toEqual([]);
    expect(systemProbes.space(directory)?.totalBytes).toBeGreaterThan(0);
    expect(systemProbes.syncMs(`${directory}/none`)).toBeNull();
    expect(systemProbes.space(`${directory}/none`)).toBeNull();
    expect(systemProbes.mergers('no-such-if')).toBeNull();
    expect(systemProbes.receiveSlots('no-such-if')).toBeNull();
    expect(Array.isArray(systemProbes.mergers('lo'))).toBe(true);
  });

  it('tell flowberry from somebody else by what answers', async () => {
    const { createServer } = await import('node:http');
    for (const [body, owner] of [
      ['{"status":"ok"}', 'flowberry'],
      ['hello', 'somebody'],
    ] as const) {
      const server = createServer((_, response) => response.end(body));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      expect(await systemProbes.portOwner('127.0.0.1', port)).toBe(owner);
      await new Promise((resolve) => server.close(resolve));
      expect(await systemProbes.portOwner('127.0.0.1', port)).toBe('nobody');
    }
  });

  it('are asked by the command, whose exit code tells whether something fails', async () => {
    const good = await flowberry(['doctor', '--json', '--interface', 'lo', '--api-port', '0']);
    const { checks } = JSON.parse(good.stdout) as { checks: Diagnosis[] };
    expect(checks).toHaveLength(CHECKS.length + 1);
    expect(good.exitCode).toBe(checks.some(({ verdict }) => verdict === 'fail') ? 1 : 0);
    const bad = await flowberry(['doctor', '--interface', 'no-such-if']);
    expect(bad.exitCode).toBe(1);
    expect(bad.stdout).toMatch(/^FAIL +interface +there is no interface no-such-if$/m);
  });
});
