import { loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { AppError } from '../../src/errors.js';
import type { LiveCounts, LiveProgram, LiveRun } from './live-program.js';
import { cpuUsOf, endedChildrenCpuUs, memoryBytesOf, threadCpuUs } from './process-figures.js';
import type { Rig } from './rig.js';
import { Running } from './running.js';
import type { Sent } from './sender.js';
import type { LoadedSender } from './senders.js';

const READY_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 60_000;
/** A program whose socket is open may still be on its way to its loop. */
const SETTLE_MS = 500;
/** A program has come to rest when it takes less than 2 % of a core for so long. */
const REST_MS = 500;
const REST_CPU_US_MAX = 10_000;
const REST_DEADLINE_MS = 30_000;
const WATCH_MS = 50;

/** What one run of a program came to. */
export interface RunOutcome {
  readonly command: string;
  readonly sent: Sent;
  readonly arrived: number;
  readonly counts: LiveCounts;
  /** From before the first packet to the end of the process. */
  readonly cpuUs: number;
  /** From before the first packet until the sender has ended. */
  readonly cpuWhileSendingUs: number;
  readonly stageCpuUs: Readonly<Record<string, number>> | null;
  readonly rssBytes: number;
  readonly loadAverage: number;
}

/** What goes on beside the sending. */
export interface Activity {
  /** The sender is stopped when this resolves; without it, it sends what it was told to. The run fails when it rejects. */
  readonly done?: Promise<unknown>;
  /** Called at the end in any case, maybe twice. */
  stop(): void;
}

/** Keeps an eye on a program's threads and memory until it has ended; the last look is the best that can be had. */
class ThreadWatch {
  rssBytes = 0;
  private threads = new Map<string, number>();
  private readonly before: Map<string, number>;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly pid: number) {
    this.before = threadCpuUs(pid);
    this.timer = setInterval(() => this.look(), WATCH_MS);
  }

  private look(): void {
    try {
      const threads = threadCpuUs(this.pid);
      // A thread that ends takes its time with it, and the others' is then no whole.
      for (const [name, us] of threads) this.threads.set(name, Math.max(us, this.threads.get(name) ?? 0));
      this.rssBytes = memoryBytesOf(this.pid, 'VmHWM') || this.rssBytes;
    } catch {
      // It has ended.
    }
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** CPU time since the start of the watch by stage; what is in no stage is `other`. */
  stages(stageOf: Readonly<Record<string, string>>, totalUs: number): Record<string, number> {
    const found: Record<string, number> = {};
    for (const [prefix, stage] of Object.entries(stageOf)) {
      let sum = 0;
      for (const [name, us] of this.threads) if (name.startsWith(prefix)) sum += us - (this.before.get(name) ?? 0);
      found[stage] = sum;
    }
    found['other'] = Math.max(0, totalUs - Object.values(found).reduce((sum, us) => sum + us, 0));
    return found;
  }
}

/** Waits until the program has nothing left to do. */
async function rest(running: Running): Promise<void> {
  const endMs = performance.now() + REST_DEADLINE_MS;
  for (let before = cpuUsOf(running.pid); performance.now() < endMs; ) {
    await setTimeout(REST_MS);
    if (running.hasEnded) throw new AppError('BENCH_RUN_FAILED', `${running.command} ended: ${running.lastLines}`);
    const now = cpuUsOf(running.pid);
    if (now - before <= REST_CPU_US_MAX) return;
    before = now;
  }
}

/** Starts a prepared program and waits until it captures. */
async function startCapturing(rig: Rig, run: LiveRun, name: string): Promise<Running> {
  const running = new Running(rig.spawn(run.command, run.args), name);
  const { readyText } = run;
  const isReady = (): boolean =>
    rig.hasPacketSocket() && (readyText === null || `${running.stdout}${running.stderr}`.includes(readyText));
  await running.until(isReady, READY_DEADLINE_MS, 'starting to capture');
  await setTimeout(SETTLE_MS);
  return running;
}

/**
 * Runs a program while `sender` sends, and reads what came of it. `during` runs beside the sending. Throws when the program fails
 * or does not tell what it counted.
 */
export async function runOnce(
  rig: Rig,
  program: LiveProgram,
  directory: string,
  sender: LoadedSender,
  during?: (running: Running) => Activity,
): Promise<RunOutcome> {
  const run = await program.prepare(rig, directory);
  const loadAverage = loadavg()[0] as number;
  try {
    const running = await startCapturing(rig, run, program.name);
    const watch = new ThreadWatch(running.pid);
    const arrivedBefore = rig.packetsArrived();
    const cpuBefore = cpuUsOf(running.pid);
    const activity = during?.(running);
    try {
      const [sent] = await Promise.all([sender.send(), activity?.done?.then(() => sender.stop())]);
      const cpuWhileSendingUs = cpuUsOf(running.pid) - cpuBefore;
      activity?.stop();
      await rest(running);
      await run.beforeStop?.(running);
      // The sender has ended, so that this program is the next child whose time is added up.
      const childrenBefore = endedChildrenCpuUs();
      await running.stop(run.stopSignal, STOP_DEADLINE_MS);
      const cpuUs = endedChildrenCpuUs() - childrenBefore - cpuBefore;
      const counts = run.counts(running);
      return {
        command: [run.command, ...run.args].join(' '),
        sent,
        arrived: rig.packetsArrived() - arrivedBefore,
        counts,
        cpuUs,
        cpuWhileSendingUs,
        stageCpuUs: run.stages ? watch.stages(run.stages, cpuUs) : null,
        rssBytes: watch.rssBytes,
        loadAverage,
      };
    } finally {
      activity?.stop();
      watch.stop();
      if (!running.hasEnded) running.process.kill('SIGKILL');
      await running.end;
    }
  } finally {
    run.close();
  }
}
