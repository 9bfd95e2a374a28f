const WINDOW_MS = 60_000;

/** Counts the deaths of all threads in a sliding minute. */
export class RestartLimit {
  private readonly restartsMs: number[] = [];

  /** `deathsMax` deaths within a minute are too many. */
  constructor(private readonly deathsMax: number) {}

  /** Notes a death at `nowMs` (monotonic) and tells whether there have been too many within a minute. */
  isExceeded(nowMs: number): boolean {
    this.restartsMs.push(nowMs);
    while ((this.restartsMs[0] as number) <= nowMs - WINDOW_MS) this.restartsMs.shift();
    return this.restartsMs.length >= this.deathsMax;
  }
}
