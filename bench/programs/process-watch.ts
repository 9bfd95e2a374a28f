import { readFileSync } from 'node:fs';

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
    // Another system, or the process has ended.
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
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly pid: number) {
    this.timer = setInterval(() => this.look(), POLL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readProc(`/proc/${this.pid}/status`) ?? '')?.[1];
    if (kib) this.rssBytes = Number(kib) * 1024;
  }
}
