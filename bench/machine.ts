import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';

/** The machine that measured. */
export interface Machine {
  readonly model: string;
  readonly cores: number;
  readonly memory_bytes: number;
  readonly kernel: string;
  readonly node: string;
  /** CPU frequency governor, null where there is none to read. */
  readonly governor: string | null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').replaceAll('\0', '').trim() || null;
  } catch {
    // The file exists only on some machines; without it the machine line says less.
    return null;
  }
}

/** Reads what this machine is. A single-board computer names itself in its device tree, others by their processor. */
export function readMachine(): Machine {
  const processors = cpus();
  const processor = processors[0]?.model.trim();
  const model = readText('/proc/device-tree/model') ?? (processor && processor !== 'unknown' ? processor : 'unknown model');
  return {
    model,
    cores: processors.length,
    memory_bytes: totalmem(),
    kernel: `${type()} ${release()} ${arch()}`,
    node: process.version,
    governor: readText('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
  };
}

/** The machine in one line. */
export function machineLine(machine: Machine): string {
  const memory = `${(machine.memory_bytes / 2 ** 30).toFixed(1)} GiB`;
  const governor = machine.governor ? `governor ${machine.governor}` : 'no governor';
  return `${machine.model}, ${machine.cores} cores, ${memory}, ${machine.kernel}, node ${machine.node}, ${governor}`;
}
