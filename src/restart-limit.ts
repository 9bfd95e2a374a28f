/** A thread that dies so often within the window is in a loop. */
const RESTARTS_MAX = 5;
const WINDOW_MS = 60_000;

/** Counts the restarts of all threads in a sliding minute. */
export class RestartLimit {
  private readonly restartsMs: number[] = [];

  /** Notes a restart at `nowMs` (monotonic) and tells whether there have been too many within a minute. */
  isExceeded(nowMs: number): boolean {
    this.restartsMs.push(nowMs);
    while ((this.restartsMs[0] as number) <= nowMs - WINDOW_MS) this.restartsMs.shift();
    return this.restartsMs.length >= RESTARTS_MAX;
  }
}
