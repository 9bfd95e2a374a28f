import { monotonicMs } from './ring/thread-block.js';

/**
 * The clock of a live run: wall clock at the start of the session, moved on by the monotonic clock. It never jumps, whatever is
 * done to the wall clock, and it is the same in every thread.
 */
export class LiveClock {
  constructor(
    private readonly startedUs: number,
    private readonly startedMonotonicMs: number,
  ) {}

  /** µs since 1970. */
  nowUs(): number {
    return this.usAt(monotonicMs());
  }

  /** The same for a moment of the monotonic clock, in ms. */
  usAt(atMs: number): number {
    return this.startedUs + Math.floor((atMs - this.startedMonotonicMs) * 1000);
  }
}
