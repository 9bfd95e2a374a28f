import { readdirSync, readFileSync } from 'node:fs';

const POLL_MS = 25;
/** Linux counts CPU time for users in hundredths of a second, whatever the kernel's tick. */
const TICKS_PER_S = 100;
/** `cutime` and `cstime` in /proc/PID/stat, counted from the field behind the name (proc(5)). */
const CHILDREN_USER_TICKS = 13;
const CHILDREN_SYSTEM_TICKS = 14;

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Another system, or process or thread have ended.
    return null;
  }
}

/**
 * CPU time of all child processes that have ended, in seconds, or null where the system does not tell. With one child at a time,
 * the difference is that child's own, all its threads included.
 */
export function childrenCpuS(): number | null {
  const stat = readProc('/proc/self/stat');
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[CHILDREN_USER_TICKS]) + Number(fields[CHILDREN_SYSTEM_TICKS])) / TICKS_PER_S;
}

/** Looks at a child process from time to time while it runs. */
export class ProcessWatch {
  /** Peak of the resident memory: the kernel's own high-water mark, but for the last moments. Null until it is known. */
  rssBytes: number | null = null;
  private readonly threadNames = new Map<string, string>();
  private readonly threadCpuNs = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;

  /** With `threadPrefix`, the CPU time of the threads whose names begin with it is kept apart. */
  constructor(
    private readonly pid: number,
    private readonly threadPrefix: string | null,
  ) {
    this.timer = setInterval(() => this.look(), POLL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** CPU time in ns by thread, the prefix and a number at the end left out: workers of one kind are added up. */
  cpuNsByThread(): Map<string, number> {
    const sums = new Map<string, number>();
    for (const [task, ns] of this.threadCpuNs) {
      const name = (this.threadNames.get(task) ?? '').slice(this.threadPrefix?.length).replace(/-\d+$/, '');
      sums.set(name, (sums.get(name) ?? 0) + ns);
    }
    return sums;
  }

  private look(): void {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readProc(`/proc/${this.pid}/status`) ?? '')?.[1];
    if (kib) this.rssBytes = Number(kib) * 1024;
    if (this.threadPrefix !== null) this.lookAtThreads(this.threadPrefix);
  }

  private lookAtThreads(prefix: string): void {
    const directory = `/proc/${this.pid}/task`;
    let tasks: string[];
    try {
      tasks = readdirSync(directory);
    } catch {
      // The process has just ended.
      return;
    }
    for (const task of tasks) {
      if (!this.threadNames.has(task)) {
        const name = readProc(`${directory}/${task}/comm`)?.trim();
        if (!name?.startsWith(prefix)) continue;
        this.threadNames.set(task, name);
      }
      // The first figure is the time on a CPU in ns (sched-stats in the kernel's documentation).
      const ns = readProc(`${directory}/${task}/schedstat`)?.split(' ')[0];
      if (ns) this.threadCpuNs.set(task, Number(ns));
    }
  }
}
