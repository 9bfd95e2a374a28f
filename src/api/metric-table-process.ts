import { readdirSync, readFileSync } from 'node:fs';
import type { MetricEntry } from './metric-entry.js';

const KIB = 1024;

/** A file below /proc/self, empty where there is no procfs. */
function readProc(name: string): string {
  try {
    return readFileSync(`/proc/self/${name}`, 'latin1');
  } catch {
    // No Linux; the metrics that come from there have no value.
    return '';
  }
}

function descriptorCount(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

const found = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));

function gauge(help: string, value: () => number | undefined): MetricEntry {
  return {
    type: 'gauge',
    help,
    values: () => {
      const now = value();
      return now === undefined || !Number.isFinite(now) ? [] : [[{}, now]];
    },
  };
}

const statusKib = (name: string): number | undefined => {
  const kib = found(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readProc('status'))?.[1]);
  return kib === undefined ? undefined : kib * KIB;
};

/**
 * Metrics of the whole process under Prometheus' usual names. The `nodejs_` metrics of prom-client are left out on purpose: they would
 * show the heap and the event loop of the API thread, which look like those of the pipeline and are not.
 */
export const PROCESS_METRICS: Readonly<Record<string, MetricEntry>> = {
  process_cpu_seconds_total: {
    type: 'counter',
    help: 'CPU time of the whole process, user and system.',
    values: () => {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    },
  },
  process_resident_memory_bytes: gauge('Resident memory of the whole process.', () => process.memoryUsage.rss()),
  process_resident_memory_max_bytes: gauge('Most resident memory that it ever had.', () => statusKib('VmHWM')),
  process_virtual_memory_bytes: gauge('Address space of the whole process.', () => statusKib('VmSize')),
  process_swap_bytes: gauge('Memory of the process that is swapped out.', () => statusKib('VmSwap')),
  process_threads: gauge('Threads of the kernel, those of Node included.', () =>
    found(/^Threads:\s+(\d+)$/m.exec(readProc('status'))?.[1]),
  ),
  process_open_fds: gauge('Open file descriptors.', descriptorCount),
  process_max_fds: gauge('File descriptors that may be open.', () =>
    found(/^Max open files\s+(\d+)/m.exec(readProc('limits'))?.[1]),
  ),
};
