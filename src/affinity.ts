import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { AppError } from './errors.js';
import { Errno, errnoText, lastErrno, libcFunction, type NativeFunction } from './libc.js';

/** Which thread runs where. */
export interface AffinityPlan {
  /** CPUs of the whole process; null leaves it as it is. */
  readonly processMask: readonly number[] | null;
  /** CPU of the capture thread; null lets it float in the mask. */
  readonly capture: number | null;
  /** CPU of each parse worker; null lets it float. */
  readonly parse: readonly (number | null)[];
  /** Says why the plan is less than was asked for; null when there is nothing to say. */
  readonly note: string | null;
}

/** CPU to which the kernel sends the network interrupts unless told otherwise. */
const INTERRUPT_CPU = 0;
/** With fewer, setting one apart costs more than it gives. */
const CPUS_MIN = 3;
/** Bytes of a CPU mask: 1,024 CPUs, as many as glibc's cpu_set_t. */
const MASK_BYTES = 128;
const PR_SET_NAME = 15;

/** Reads a list such as `0,2-3` into ascending numbers. The text must match cpu.affinity's pattern or come from the kernel. */
export function parseCpuList(text: string): number[] {
  const cpus = new Set<number>();
  for (const part of text.trim().split(',')) {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!range) continue;
    const first = Number(range[1]);
    const last = Number(range[2] ?? first);
    for (let cpu = first; cpu <= Math.min(last, MASK_BYTES * 8 - 1); cpu++) cpus.add(cpu);
  }
  return [...cpus].sort((a, b) => a - b);
}

/** Everything floats, and nothing is excluded. */
function floating(parseWorkers: number, note: string | null): AffinityPlan {
  return { processMask: null, capture: null, parse: Array.from({ length: parseWorkers }, () => null), note };
}

/** The first CPU of the mask is the capture's; the parse workers take turns on the others. */
function pinned(processMask: readonly number[], parseWorkers: number, note: string | null): AffinityPlan {
  if (processMask.length === 1) return { ...floating(parseWorkers, note), processMask };
  const [capture = null, ...rest] = processMask;
  return {
    processMask,
    capture,
    parse: Array.from({ length: parseWorkers }, (_, index) => rest[index % rest.length] ?? null),
    note,
  };
}

/**
 * Lays the threads on CPUs. `setting` is the option cpu.affinity, `available` the CPUs that this process may use, ascending.
 * `auto` keeps CPU 0 free for the network interrupts, and leaves everything as it is with fewer than three CPUs. Throws
 * `CONFIG_VALUE_INVALID` when none of the CPUs asked for is available.
 */
export function planAffinity(setting: string, available: readonly number[], parseWorkers: number): AffinityPlan {
  if (setting === 'off') return floating(parseWorkers, null);
  if (setting === 'auto') {
    if (available.length < CPUS_MIN)
      return floating(parseWorkers, `no CPU is set apart for interrupts: ${available.length} CPUs are too few`);
    return pinned(
      available.filter((cpu) => cpu !== INTERRUPT_CPU),
      parseWorkers,
      null,
    );
  }
  const wanted = parseCpuList(setting);
  const usable = wanted.filter((cpu) => available.includes(cpu));
  if (usable.length === 0)
    throw new AppError(
      'CONFIG_VALUE_INVALID',
      `cpu.affinity = ${setting} names no CPU of ${available.join(',')}, which this process may use`,
    );
  const missing = wanted.filter((cpu) => !available.includes(cpu));
  return pinned(
    usable,
    parseWorkers,
    missing.length === 0 ? null : `cpu.affinity: this process may not use CPU ${missing.join(',')}`,
  );
}

/** `planAffinity` for this process; outside Linux everything floats, with a note unless affinity is off. */
export function resolveAffinity(setting: string, parseWorkers: number): AffinityPlan {
  if (process.platform === 'linux') return planAffinity(setting, availableCpus(), parseWorkers);
  return floating(parseWorkers, setting === 'off' ? null : `threads cannot be pinned on ${process.platform}`);
}

function statusField(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
}

/** CPUs that this process may use, ascending. */
export function availableCpus(): number[] {
  if (process.platform !== 'linux') return Array.from({ length: availableParallelism() }, (_, cpu) => cpu);
  return parseCpuList(statusField(readFileSync('/proc/self/status', 'utf8'), 'Cpus_allowed_list'));
}

/**
 * Cores that there are for flowberry's threads and the interrupts together: a mask that leaves out CPU 0 (CPUAffinity=1-3 of the unit)
 * has set that one apart already, so it counts as well.
 */
export function coresOf(available: readonly number[]): number {
  return available.length + Number(!available.includes(INTERRUPT_CPU));
}

interface Calls {
  readonly schedSetaffinity: NativeFunction;
  readonly prctl: NativeFunction;
  readonly setpriority: NativeFunction;
}

let loaded: Calls | undefined;

function calls(): Calls {
  loaded ??= {
    schedSetaffinity: libcFunction('int sched_setaffinity(int taskId, size_t bytes, const void *mask)'),
    prctl: libcFunction('int prctl(int option, const char *name, unsigned long a, unsigned long b, unsigned long c)'),
    setpriority: libcFunction('int setpriority(int which, int who, int nice)'),
  };
  return loaded;
}

/** Kernel id of the calling thread, as in `/proc/self/task`; 0 outside Linux. */
export function threadTaskId(): number {
  if (process.platform !== 'linux') return 0;
  return Number(/\d+$/.exec(readlinkSync('/proc/thread-self'))?.[0]);
}

/** Lets a task run on `cpus` only. Returns why it cannot, or null; a task that has ended is no failure. */
function setMask(taskId: number, cpus: readonly number[]): string | null {
  const mask = new Uint8Array(MASK_BYTES);
  for (const cpu of cpus) mask[cpu >> 3] = (mask[cpu >> 3] as number) | (1 << (cpu & 7));
  if (calls().schedSetaffinity(taskId, mask.byteLength, mask) === 0 || lastErrno() === Errno.ESRCH) return null;
  return `sched_setaffinity to CPU ${cpus.join(',')} failed: ${errnoText(lastErrno())}`;
}

/**
 * Pins the calling thread to one CPU. Returns why it cannot, for the log: a thread that floats is slower and not wrong. Does nothing
 * outside Linux.
 */
export function pinThread(cpu: number): string | null {
  return process.platform === 'linux' ? setMask(0, [cpu]) : null;
}

/**
 * Lets all threads of the process run on `cpus` only, and those that they will start. Call it before threads are pinned, since
 * it undoes that. Returns the first failure, or null. Does nothing outside Linux.
 */
export function setProcessMask(cpus: readonly number[]): string | null {
  if (process.platform !== 'linux') return null;
  let failure: string | null = null;
  for (const task of readdirSync('/proc/self/task')) failure ??= setMask(Number(task), cpus);
  return failure;
}

/** Names the calling thread for `ps -L`, `top -H` and procfs; the kernel keeps 15 bytes. Does nothing outside Linux. */
export function nameThread(name: string): void {
  if (process.platform === 'linux') calls().prctl(PR_SET_NAME, name, 0, 0, 0);
}

/** PRIO_PROCESS of setpriority(2); 0 is then the calling thread, on Linux. */
const PRIO_PROCESS = 0;
const URGENT_NICE = -10;

/**
 * Puts the calling thread before others that want the same CPU. Without the right to (root, CAP_SYS_NICE) it stays as it is, which
 * matters only where CPUs are short. Does nothing outside Linux.
 */
export function hurryThread(): void {
  if (process.platform === 'linux') calls().setpriority(PRIO_PROCESS, 0, URGENT_NICE);
}

/** One thread of this process as the kernel sees it. */
export interface ThreadAffinity {
  readonly taskId: number;
  readonly name: string;
  /** CPUs that it may use, such as `1-3`. */
  readonly cpus: string;
}

/** Name and CPUs of every thread of this process, read back from the kernel; empty outside Linux. */
export function readAffinity(): ThreadAffinity[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/task').flatMap((task): ThreadAffinity[] => {
    try {
      const status = readFileSync(`/proc/self/task/${task}/status`, 'utf8');
      return [{ taskId: Number(task), name: statusField(status, 'Name'), cpus: statusField(status, 'Cpus_allowed_list') }];
    } catch {
      // The thread ended after the folder was listed.
      return [];
    }
  });
}
