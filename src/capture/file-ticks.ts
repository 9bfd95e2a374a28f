/** What the time of a frame can hold. */
const SECONDS_MAX = 0xffff_ffff;
const NANOSECONDS_PER_SECOND = 1_000_000_000;
/** Up to here everything is exact in a double: 65,535 rests below 2^32 are below 2^49, 2^32 times 5^9 is below 2^53. */
const TICKS_PER_SECOND_FAST_MAX = 2 ** 32;

/**
 * Turns 64-bit counts of ticks since 1970 into seconds and nanoseconds: exactly, rounding down what is finer than a
 * nanosecond, and held within 0 to 2^32 - 1 seconds.
 *
 * The count is divided as by hand, in doubles and in three parts (16, 16 and 32 bits), so that every intermediate result is
 * exact up to 2^32 ticks per second. Only resolutions that hardly anybody writes take the slow way over BigInt.
 */
export class TickClock {
  /** Result of the last `convert`. */
  seconds = 0;
  nanoseconds = 0;

  private readonly ticksPerSecond: bigint;
  private readonly isFast: boolean;
  /** The rest as doubles; used only if `isFast`. */
  private readonly ticks: number;
  private readonly nanosecondsPerTick: number;
  private readonly seconds32: number;
  private readonly rest32: number;
  private readonly seconds48: number;
  private readonly rest48: number;

  /**
   * `resolution` is the byte of the option `if_tsresol` (draft-ietf-opsawg-pcapng section 4.2): a negative power of 10, or of 2
   * with the upper bit set. `offsetSeconds` is added to every time.
   */
  constructor(
    resolution: number,
    private readonly offsetSeconds: number,
  ) {
    this.ticksPerSecond = (resolution & 0x80 ? 2n : 10n) ** BigInt(resolution & 0x7f);
    const ticks = Number(this.ticksPerSecond);
    this.isFast = ticks <= TICKS_PER_SECOND_FAST_MAX;
    this.ticks = ticks;
    this.nanosecondsPerTick = NANOSECONDS_PER_SECOND / ticks;
    this.seconds32 = Math.floor(2 ** 32 / ticks);
    this.rest32 = 2 ** 32 % ticks;
    this.seconds48 = Math.floor(2 ** 48 / ticks);
    this.rest48 = 2 ** 48 % ticks;
  }

  /** Converts the upper and lower 32 bits of a count. Allocates nothing for usual resolutions. */
  convert(high: number, low: number): void {
    if (!this.isFast) {
      this.convertSlowly(high, low);
      return;
    }
    const digit48 = high >>> 16;
    const digit32 = high & 0xffff;
    const rest = digit48 * this.rest48 + digit32 * this.rest32 + low;
    let whole = Math.floor(rest / this.ticks);
    let ticks = rest - whole * this.ticks;
    // The quotient of two integers can round up to the next integer.
    if (ticks < 0) {
      whole -= 1;
      ticks += this.ticks;
    }
    // The factor is an integer for a power of ten, and 10^9 / 2^n, which a double holds exactly, for a power of two.
    this.nanoseconds = Math.floor(ticks * this.nanosecondsPerTick);
    this.seconds = this.held(digit48 * this.seconds48 + digit32 * this.seconds32 + whole + this.offsetSeconds);
  }

  private convertSlowly(high: number, low: number): void {
    const ticks = (BigInt(high) << 32n) | BigInt(low);
    const rest = ticks % this.ticksPerSecond;
    this.nanoseconds = Number((rest * BigInt(NANOSECONDS_PER_SECOND)) / this.ticksPerSecond);
    this.seconds = this.held(Number(ticks / this.ticksPerSecond) + this.offsetSeconds);
  }

  private held(seconds: number): number {
    if (seconds > SECONDS_MAX) return SECONDS_MAX;
    return seconds < 0 ? 0 : seconds;
  }
}
