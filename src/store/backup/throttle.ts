/** Longest pause in one piece, ms: progress and an end that is asked for wait no longer. */
const PAUSE_MS_MAX = 200;

/** Keeps work that writes below a rate, so that the disk has time for others. It only reckons; the caller does the waiting. */
export class Throttle {
  private bytes = 0;
  private startMs: number | null = null;

  /** `bytesPerSMax` of 0 is no limit. `nowMs` is a clock that never goes back. */
  constructor(
    private readonly bytesPerSMax: number,
    private readonly nowMs: () => number,
  ) {}

  /** `bytes` more were written. Gives the milliseconds to wait before going on; ask again with 0 bytes after each of them. */
  wrote(bytes: number): number {
    if (this.bytesPerSMax === 0) return 0;
    this.startMs ??= this.nowMs();
    this.bytes += bytes;
    const aheadMs = (this.bytes / this.bytesPerSMax) * 1000 - (this.nowMs() - this.startMs);
    return Math.min(Math.max(aheadMs, 0), PAUSE_MS_MAX);
  }
}

const sleepWord = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the thread for so long; for work that SQLite does in steps, which has a thread of its own. */
export function blockMs(ms: number): void {
  Atomics.wait(sleepWord, 0, 0, ms);
}
