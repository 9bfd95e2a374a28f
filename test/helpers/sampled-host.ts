import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { HostRoots } from '../../src/host/host-files.js';
import { temporaryDirectory } from './flow-records.js';

const THERMAL = 'sys/class/thermal';
export const THROTTLED = 'sys/devices/platform/soc/soc:firmware/get_throttled';

/** Folders that look like /proc and /sys of a Raspberry Pi, for a machine that is none. */
export class FakeHost {
  readonly root = temporaryDirectory();
  readonly roots: HostRoots = { procfs: join(this.root, 'proc'), sysfs: join(this.root, 'sys') };

  constructor() {
    this.cpu({ busy: 0, idle: 0 }).processTicks(0).temperature(45.5).throttle(0).memory({ totalMib: 8_000, availableMib: 5_000 });
    this.residentMib(120).pressure('cpu', 1.5).pressure('memory', 0.25).pressure('io', 7).network(0, 0).disk(0, 0);
    this.write('sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq', '1500000\n');
    this.write('sys/devices/system/cpu/cpufreq/policy1/scaling_cur_freq', '2400000\n');
    this.write(`${THERMAL}/cooling_device0/type`, 'pwm-fan\n');
  }

  write(path: string, text: string): this {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return this;
  }

  remove(path: string): this {
    rmSync(join(this.root, path), { recursive: true });
    return this;
  }

  /** Ticks of all cores since the start; the busy ones are spread over user, nice, system, irq, softirq and steal. */
  cpu({ busy, idle }: { busy: number; idle: number }): this {
    const part = busy / 10;
    const fields = [4 * part, part, 2 * part, idle - 1, 1, part, part, part, 77, 77];
    return this.write('proc/stat', `cpu  ${fields.join(' ')}\ncpu0 1 2 3 4 5 6 7 8 0 0\nintr 99\n`);
  }

  /** CPU time of the process, a third of it in the kernel. The name of the process is an awkward one. */
  processTicks(ticks: number): this {
    return this.write(
      'proc/self/stat',
      `7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 ${(ticks * 2) / 3} ${ticks / 3} 0 0 20 0 15 0\n`,
    );
  }

  temperature(celsius: number): this {
    this.write(`${THERMAL}/thermal_zone0/type`, 'gpu-thermal\n').write(`${THERMAL}/thermal_zone0/temp`, '99000\n');
    return this.write(`${THERMAL}/thermal_zone1/type`, 'cpu-thermal\n').write(
      `${THERMAL}/thermal_zone1/temp`,
      `${celsius * 1000}\n`,
    );
  }

  throttle(bits: number): this {
    return this.write(THROTTLED, `${bits.toString(16)}\n`);
  }

  memory({ totalMib, availableMib }: { totalMib: number; availableMib: number }): this {
    const line = (name: string, mib: number): string => `${name}:${String(mib * 1024).padStart(14)} kB\n`;
    return this.write('proc/meminfo', line('MemTotal', totalMib) + line('MemFree', 17) + line('MemAvailable', availableMib));
  }

  residentMib(mib: number): this {
    return this.write('proc/self/status', `Name:\tnode\nVmHWM:\t  999999 kB\nVmRSS:\t${String(mib * 1024).padStart(8)} kB\n`);
  }

  pressure(resource: string, percent: number): this {
    const line = `avg10=${percent.toFixed(2)} avg60=88.00 avg300=88.00 total=1`;
    return this.write(`proc/pressure/${resource}`, `some ${line}\nfull ${line.replace(percent.toFixed(2), '99.00')}\n`);
  }

  /** Bytes of eth0; the loopback has moved more. */
  network(received: number, sent: number): this {
    const head = 'Inter-|   Receive |  Transmit\n face |bytes    packets errs\n';
    const line = (name: string, rx: number, tx: number): string => `${name}: ${rx} 9 0 0 0 0 0 0 ${tx} 9 0 0 0 0 0 0\n`;
    return this.write('proc/net/dev', `${head}${line('    lo', 5e9, 5e9)}${line('  eth0', received, sent)}`);
  }

  /** Sectors that the disk of the root has read and written. */
  disk(sectorsRead: number, sectorsWritten: number): this {
    const device = statSync(this.root).dev;
    const folder = `sys/dev/block/${(device >> 8) & 0xfff}:${(device & 0xff) | ((device >> 12) & 0xfff00)}`;
    return this.write(`${folder}/stat`, ` 1 2  ${sectorsRead} 3 4 5 ${sectorsWritten} 6 7 8 9 0 0 0 0 0 0\n`);
  }
}
