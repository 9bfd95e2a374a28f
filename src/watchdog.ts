import { ThreadState } from './ring/layout.js';
import { Cell, ThreadBlock } from './ring/thread-block.js';

/** How often the heartbeats are looked at. */
const LOOK_INTERVAL_MS = 1_000;
/** A look that comes late counts no more than this: main itself, or the whole machine, stood still meanwhile. */
const LOOK_COUNTS_MS_MAX = 1_500;
/** A thread that should run and gives no sign of life for so long hangs. */
export const SILENCE_MS_MAX = 5_000;

/** A thread that is watched. */
export interface WatchedThread {
  readonly name: string;
  /** Its thread block. */
  readonly block: SharedArrayBuffer;
  /** How long it may take from its start until it runs; infinite where a deadline of its own covers that. */
  readonly startMsMax: number;
  /** Ends the thread, which is then replaced like one that died. */
  readonly end: () => void;
}

/** What is known of a thread from one look to the next. */
interface Watch {
  readonly thread: WatchedThread;
  readonly block: ThreadBlock;
  heartbeatMs: number;
  silenceMs: number;
  /** The thread is being replaced, and the replacement has given no sign of life yet. */
  isComing: boolean;
}

/**
 * Finds threads that hang, by their heartbeats, and ends them.
 *
 * Silence is not measured against the clock but summed up over looks that find the same heartbeat, each with a bounded share: when the
 * process was stopped or the machine slept, every heartbeat is old at once, and the first look counts like any other. A thread in a
 * call that it has announced as long (`Cell.Blocked`) is left alone: nobody can end it there, and it goes on by itself.
 */
export class Watchdog {
  private readonly watches: Watch[] = [];
  private timer: NodeJS.Timeout | undefined;
  private lookedMs: number;

  /** `nowMs` is the monotonic clock. */
  constructor(private readonly nowMs: () => number) {
    this.lookedMs = nowMs();
  }

  watch(thread: WatchedThread): void {
    this.watches.push({ thread, block: new ThreadBlock(thread.block), heartbeatMs: 0, silenceMs: 0, isComing: true });
  }

  /** The thread `name` is being replaced: its block shows its predecessor until the replacement beats. */
  replaced(name: string): void {
    const watch = this.watches.find(({ thread }) => thread.name === name);
    if (watch) this.await(watch);
  }

  /** Looks from now on. The timer keeps nobody alive. */
  start(): void {
    this.lookedMs = this.nowMs();
    this.timer = setInterval(() => this.look(), LOOK_INTERVAL_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Looks once at every heartbeat, and ends the threads that hang. */
  look(): void {
    const nowMs = this.nowMs();
    const countsMs = Math.min(nowMs - this.lookedMs, LOOK_COUNTS_MS_MAX);
    this.lookedMs = nowMs;
    for (const watch of this.watches) {
      if (this.hangs(watch, countsMs)) {
        watch.block.cells[Cell.Hangs] = watch.block.cell(Cell.Hangs) + 1;
        this.await(watch);
        watch.thread.end();
      }
    }
  }

  private hangs(watch: Watch, countsMs: number): boolean {
    const { block, thread } = watch;
    const heartbeatMs = block.cell(Cell.HeartbeatMs);
    const isSilent = heartbeatMs === watch.heartbeatMs && block.state !== ThreadState.Ended && block.cell(Cell.Blocked) === 0;
    if (heartbeatMs !== watch.heartbeatMs) watch.isComing = false;
    watch.heartbeatMs = heartbeatMs;
    watch.silenceMs = isSilent ? watch.silenceMs + countsMs : 0;
    const isStarting = watch.isComing || block.state === ThreadState.Starting;
    return watch.silenceMs >= (isStarting ? thread.startMsMax : SILENCE_MS_MAX);
  }

  private await(watch: Watch): void {
    watch.heartbeatMs = watch.block.cell(Cell.HeartbeatMs);
    watch.silenceMs = 0;
    watch.isComing = true;
  }
}
