/** Nanoseconds of a millisecond, and the last of them. */
const NS_PER_MS = 1e6;
const MS_PER_S = 1000;
/** Of a double that counts ms since 1970, with room to spare. */
const RESOLUTION_MS = 1 / 1024;

/**
 * Wall clock finer than the millisecond of `Date.now`, for frames that come without a timestamp.
 *
 * The fraction is taken from the monotonic clock and corrected whenever the two disagree, so the reading follows every change of
 * the wall clock at once (a Raspberry Pi starts with a wrong one), is never off by more than a millisecond, and goes back only
 * when the wall clock was set back by more than that. Allocates nothing.
 */
export class WallClock {
  /** The reading: seconds since 1970 UTC, and nanoseconds of the second. */
  seconds = 0;
  nanoseconds = 0;
  private offsetMs = 0;
  private lastMs = 0;

  /** `wallMs`: whole ms since 1970; `monotonicMs`: ms with a fraction, from anywhere. */
  constructor(
    private readonly wallMs: () => number = Date.now,
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  /** Takes a reading. */
  read(): void {
    const wall = this.wallMs();
    const monotonic = this.monotonicMs();
    let ms = monotonic + this.offsetMs;
    if (ms < wall || ms >= wall + 1) {
      ms = ms < wall ? wall : wall + 1 - RESOLUTION_MS;
      this.offsetMs = ms - monotonic;
    }
    if (ms < this.lastMs && this.lastMs - ms <= 1) ms = this.lastMs;
    this.lastMs = ms;
    this.seconds = Math.floor(ms / MS_PER_S);
    this.nanoseconds = Math.floor((ms - this.seconds * MS_PER_S) * NS_PER_MS);
  }
}
