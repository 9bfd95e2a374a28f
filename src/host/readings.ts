import { ThrottleBit } from '../ring/host-layout.js';
import { type HostRoots, readNames, readNumber, readText } from './host-files.js';

/** Ticks of the process's CPU time per second: what Linux shows to programs, whatever the kernel's own clock. */
const TICKS_PER_S = 100;
const PAGE_FIELD = 'VmRSS';
/** The unit of sectors in sysfs, whatever the disk's own. */
const SECTOR_BYTES = 512;

/** CPU time of all cores together since the start of the machine, in ticks; NaN where it cannot be read (proc(5), /proc/stat). */
export interface CpuTicks {
  readonly busy: number;
  readonly total: number;
}

export function readCpuTicks({ procfs }: HostRoots): CpuTicks {
  const line = /^cpu +(.*)$/m.exec(readText(procfs, 'stat') ?? '')?.[1];
  if (line === undefined) return { busy: Number.NaN, total: Number.NaN };
  // user, nice, system, idle, iowait, irq, softirq, steal; the guest times behind them are in the first two already.
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line.split(' ').map(Number);
  const busy = user + nice + system + irq + softirq + steal;
  return { busy, total: busy + idle + iowait };
}

/** CPU time of this process, all threads, in seconds; NaN where it cannot be read. */
export function readProcessCpuS({ procfs }: HostRoots): number {
  const text = readText(procfs, 'self/stat');
  if (text === null) return Number.NaN;
  // The name in parentheses may hold blanks and parentheses: fields are counted from behind the last one. Then state is the first.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** Clock of the fastest core, MHz; NaN where there is no cpufreq. */
export function readFrequencyMhz({ sysfs }: HostRoots): number {
  let khz = Number.NaN;
  for (const name of readNames(sysfs, 'devices/system/cpu/cpufreq')) {
    const own = readNumber(sysfs, 'devices/system/cpu/cpufreq', name, 'scaling_cur_freq');
    if (!(khz >= own)) khz = own;
  }
  return khz / 1000;
}

/** Folder of the sensor that stands for the CPU, or null; the first that the kernel names so, else the first of all. */
export function findThermalZone({ sysfs }: HostRoots): string | null {
  const zones = readNames(sysfs, 'class/thermal').filter((name) => name.startsWith('thermal_zone'));
  const isCpu = (name: string): boolean => /cpu|soc|pkg/i.test(readText(sysfs, 'class/thermal', name, 'type') ?? '');
  const zone = zones.find(isCpu) ?? zones[0];
  return zone === undefined ? null : `${sysfs}/class/thermal/${zone}`;
}

/** Where the firmware of a Raspberry Pi tells of heat and voltage. */
export interface ThrottleSource {
  readonly path: string;
  /** `bits`: the hexadecimal number that `vcgencmd get_throttled` prints; `alarm`: 1 while the voltage is low. */
  readonly type: 'bits' | 'alarm';
}

/**
 * Finds it: `get_throttled` of the firmware's device, whose folder has the name of the chip's bus and differs by model; else the
 * under-voltage alarm of the driver `raspberrypi-hwmon`, which says less. (`vcgencmd get_throttled` tells the same bits; it is not
 * called from here, since it costs a process each time.)
 */
export function findThrottleSource({ sysfs }: HostRoots): ThrottleSource | null {
  const platform = 'devices/platform';
  for (const bus of readNames(sysfs, platform).filter((name) => name.startsWith('soc'))) {
    const places = [
      bus,
      ...readNames(sysfs, platform, bus)
        .filter((name) => name.endsWith('firmware'))
        .map((name) => `${bus}/${name}`),
    ];
    const place = places.find((folder) => readText(sysfs, platform, folder, 'get_throttled') !== null);
    if (place !== undefined) return { path: `${sysfs}/${platform}/${place}/get_throttled`, type: 'bits' };
  }
  const monitor = readNames(sysfs, 'class/hwmon').find(
    (name) => readText(sysfs, 'class/hwmon', name, 'name')?.trim() === 'rpi_volt',
  );
  return monitor === undefined ? null : { path: `${sysfs}/class/hwmon/${monitor}/in0_lcrit_alarm`, type: 'alarm' };
}

/** `ThrottleBit`s, NaN where nobody says. */
export function readThrottleBits(source: ThrottleSource | null): number {
  const text = source && readText(source.path);
  if (!source || text === null) return Number.NaN;
  if (source.type === 'alarm') return text.trim() === '1' ? ThrottleBit.UnderVoltage : 0;
  return Number.parseInt(text.trim().replace(/^throttled=/, ''), 16);
}

function kibibytesOf(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) * 1024;
}

/** Bytes of memory that programs may still take without swapping, and all there are. */
export function readMemory({ procfs }: HostRoots): { readonly availableBytes: number; readonly totalBytes: number } {
  const text = readText(procfs, 'meminfo') ?? '';
  return { availableBytes: kibibytesOf(text, 'MemAvailable'), totalBytes: kibibytesOf(text, 'MemTotal') };
}

/** Resident memory of this process, bytes: all threads, what they share, and the kernel's capture buffer. */
export function readResidentBytes({ procfs }: HostRoots): number {
  return kibibytesOf(readText(procfs, 'self/status') ?? '', PAGE_FIELD);
}

/** Part of the last ten seconds in which some task waited for the resource, per cent; NaN where the kernel keeps no account (psi=1). */
export function readPressure({ procfs }: HostRoots, resource: 'cpu' | 'memory' | 'io'): number {
  return Number(/^some avg10=([\d.]+)/m.exec(readText(procfs, 'pressure', resource) ?? '')?.[1] ?? Number.NaN);
}

/** Bytes that a block device has read and written since the machine started (Documentation/block/stat). */
export function readDiskBytes(folder: string | null): { readonly readBytes: number; readonly writtenBytes: number } {
  const fields = (folder && readText(folder, 'stat'))?.trim().split(/ +/) ?? [];
  return {
    readBytes: Number(fields[2] ?? Number.NaN) * SECTOR_BYTES,
    writtenBytes: Number(fields[6] ?? Number.NaN) * SECTOR_BYTES,
  };
}

/** Bytes of all interfaces but the loopback since they came up (proc(5), /proc/net/dev); a bridge and its ports both count. */
export function readNetworkBytes({ procfs }: HostRoots): { readonly receivedBytes: number; readonly sentBytes: number } {
  const text = readText(procfs, 'net/dev');
  if (text === null) return { receivedBytes: Number.NaN, sentBytes: Number.NaN };
  let receivedBytes = 0;
  let sentBytes = 0;
  for (const [, name, counters = ''] of text.matchAll(/^ *([^:\s]+): *(.*)$/gm)) {
    if (name === 'lo') continue;
    const fields = counters.split(/ +/).map(Number);
    receivedBytes += fields[0] ?? 0;
    sentBytes += fields[8] ?? 0;
  }
  return { receivedBytes, sentBytes };
}
