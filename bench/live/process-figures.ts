import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts CPU time for users in hundredths of a second, whatever the kernel's tick. */
const TICKS_PER_S = 100;
const US_PER_TICK = 1e6 / TICKS_PER_S;
/** `utime`, `stime`, `cutime`, `cstime` in /proc/PID/stat, counted from the field behind the name (proc(5)). */
const USER_TICKS = 11;
const CHILDREN_USER_TICKS = 13;

function statFields(pid: number | 'self'): number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
}

/** User and system time of a process in µs so far, that of its children that have ended included. */
export function cpuUsOf(pid: number): number {
  const fields = statFields(pid);
  return fields.slice(USER_TICKS, USER_TICKS + 4).reduce((sum, ticks) => sum + ticks, 0) * US_PER_TICK;
}

/** The same of all child processes of this one that have ended. */
export function endedChildrenCpuUs(): number {
  const fields = statFields('self');
  return ((fields[CHILDREN_USER_TICKS] as number) + (fields[CHILDREN_USER_TICKS + 1] as number)) * US_PER_TICK;
}

/** A figure of /proc/PID/status in bytes: `VmRSS`, `VmHWM`. */
export function memoryBytesOf(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}

/** Open descriptors of a process. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Bytes that a process has sent towards the disk (proc(5), `write_bytes`). */
export function bytesWrittenBy(pid: number): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

/** CPU time of each thread of a process in µs, by the thread's name, those of one name added up. */
export function threadCpuUs(pid: number): Map<string, number> {
  const found = new Map<string, number>();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      const name = readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim();
      const ns = Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
      found.set(name, (found.get(name) ?? 0) + ns / 1000);
    } catch {
      // The thread has ended, or the kernel keeps no scheduler statistics.
    }
  }
  return found;
}
