import { type Check, type Finding, fail, ok, unknown, warn } from './check.js';
import type { Host } from './host.js';

const NODE_MIN = [20, 19] as const;
const KIB = 1024;
const PAGE_BYTES_KNOWN = [4 * KIB, 16 * KIB, 64 * KIB];
const WARM_C = 70;
const HOT_C = 80;

/** Bits of the firmware's `get_throttled`: what holds now; the same 16 bits higher, what has been since the start. */
const UNDER_VOLTAGE = 1 << 0;
const SLOWED = (1 << 1) | (1 << 2) | (1 << 3);
const SINCE_START = 16;

function nodeVersion(host: Host): Finding {
  const [major = 0, minor = 0] = host.probes.nodeVersion.split('.').map(Number);
  const isEnough = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  const why = `Node ${host.probes.nodeVersion}`;
  return isEnough ? ok(why) : fail(`${why} is older than ${NODE_MIN.join('.')}`, 'sudo apt-get install nodejs');
}

function pageSize(host: Host): Finding {
  const found = /^KernelPageSize:\s*(\d+) kB$/m.exec(host.text('/proc/self/smaps') ?? '')?.[1];
  if (found === undefined) return unknown('the kernel does not tell its page size');
  const bytes = Number(found) * KIB;
  if (PAGE_BYTES_KNOWN.includes(bytes)) return ok(`${found} KiB${bytes === 16 * KIB ? ', as the kernel of the Pi 5 has' : ''}`);
  return warn(`${found} KiB: nobody has tried flowberry with it`);
}

function memoryCgroup(host: Host): Finding {
  const controllers = host.text('/sys/fs/cgroup/cgroup.controllers');
  const old = /^memory\s+\d+\s+\d+\s+(\d)$/m.exec(host.text('/proc/cgroups') ?? '')?.[1];
  if (controllers === null && old === undefined) return unknown('the kernel does not tell about control groups');
  if (controllers?.split(' ').includes('memory') || (controllers === null && old === '1'))
    return ok('limits on memory of units hold');
  return warn(
    'the memory controller is off, so MemoryMax= of a unit has no effect; flowberry keeps to its own limit',
    "sudo sed -i '1s/$/ cgroup_enable=memory/' /boot/firmware/cmdline.txt && sudo reboot",
  );
}

function governor(host: Host): Finding {
  const name = host.text('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor');
  if (name === null) return unknown('the clock of the CPU is not governed here');
  if (name !== 'powersave') return ok(`the governor is ${name}`);
  return warn(
    'the governor powersave keeps the CPU at its lowest clock',
    'echo ondemand | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor',
  );
}

function temperature(host: Host): Finding {
  const millidegrees = host.number('/sys/class/thermal/thermal_zone0/temp');
  if (millidegrees === null) return unknown('there is no thermometer');
  const degrees = millidegrees / 1000;
  const why = `${degrees.toFixed(1)} °C`;
  if (degrees >= HOT_C) return fail(`${why}: the CPU slows down; it needs a cooler`, 'vcgencmd measure_temp');
  return degrees >= WARM_C
    ? warn(`${why}: little is left to ${HOT_C} °C, where the CPU slows down`, 'vcgencmd measure_temp')
    : ok(why);
}

/** What the firmware of a Pi says; null on other machines. The folder's name has an address in it that differs between models. */
function throttledBits(host: Host): number | null {
  const folders = ['/sys/devices/platform', ...host.list('/sys/devices/platform').map((name) => `/sys/devices/platform/${name}`)];
  for (const folder of folders)
    for (const name of host.list(folder).filter((entry) => entry.endsWith(':firmware'))) {
      const text = host.text(`${folder}/${name}/get_throttled`)?.trim();
      // Hexadecimal, without a mark.
      if (text !== undefined && /^(0x)?[\da-f]{1,8}$/i.test(text)) return Number.parseInt(text.replace(/^0x/i, ''), 16);
    }
  return null;
}

function throttling(host: Host): Finding {
  const bits = throttledBits(host);
  if (bits === null) return unknown('there is no firmware of a Raspberry Pi');
  if (bits & SLOWED) return fail('the firmware slows the CPU down now: heat or voltage', 'vcgencmd get_throttled');
  if ((bits >> SINCE_START) & SLOWED)
    return warn('the firmware has slowed the CPU down since the start', 'vcgencmd get_throttled');
  return ok('the CPU was never slowed down since the start');
}

/** The driver `rpi_volt` raises an alarm for as long as the voltage is low. */
function voltageAlarm(host: Host): boolean | null {
  for (const name of host.list('/sys/class/hwmon'))
    if (host.text(`/sys/class/hwmon/${name}/name`) === 'rpi_volt')
      return host.number(`/sys/class/hwmon/${name}/in0_lcrit_alarm`) === 1;
  return null;
}

function underVoltage(host: Host): Finding {
  const bits = throttledBits(host);
  const alarm = voltageAlarm(host);
  if (bits === null && alarm === null) return unknown('nothing here measures the voltage');
  const mend = 'vcgencmd pmic_read_adc EXT5V_V';
  if (alarm || ((bits ?? 0) & UNDER_VOLTAGE) !== 0)
    return fail('the voltage is too low now: use the supply made for the Pi', mend);
  if (((bits ?? 0) >> SINCE_START) & UNDER_VOLTAGE)
    return warn('the voltage was too low since the start: use the supply made for the Pi', mend);
  return ok('the voltage was never too low since the start');
}

function clock(host: Host): Finding {
  if (host.has('/run/systemd/timesync/synchronized')) return ok('the clock is kept right by systemd-timesyncd');
  const isKept = host.probes.isClockKept();
  if (isKept === null) return unknown('the kernel does not tell whether its clock is kept right');
  if (isKept) return ok('the clock is kept right');
  return warn('nothing keeps the clock right: times of flows may be wrong', 'sudo timedatectl set-ntp true');
}

export const MACHINE_CHECKS: readonly Check[] = [
  { name: 'node-version', run: nodeVersion },
  { name: 'page-size', run: pageSize },
  { name: 'memory-cgroup', run: memoryCgroup },
  { name: 'governor', run: governor },
  { name: 'temperature', run: temperature },
  { name: 'throttling', run: throttling },
  { name: 'under-voltage', run: underVoltage },
  { name: 'clock', run: clock },
];
