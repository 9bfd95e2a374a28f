/** Amounts of the last seconds: sums over any stretch of them. Allocates nothing after it was made. */
export class RateWindow {
  private readonly amounts: Float64Array;
  /** The newest second, and the first one of all. */
  private second = Number.NaN;

  /** Remembers so many seconds. */
  constructor(private readonly seconds: number) {
    this.amounts = new Float64Array(seconds);
  }

  /** Adds an amount at `nowMs`. A clock that goes back adds to the newest second there is. */
  add(nowMs: number, amount: number): void {
    this.advance(nowMs);
    const at = this.second % this.seconds;
    this.amounts[at] = (this.amounts[at] as number) + amount;
  }

  /**
   * The sum over the last `seconds` whole seconds and the one that runs: at least what any `seconds` seconds that end now hold. At most
   * one less than are remembered.
   */
  sum(nowMs: number, seconds: number): number {
    this.advance(nowMs);
    let sum = 0;
    for (let back = 0; back <= seconds; back++)
      sum += this.amounts[(((this.second - back) % this.seconds) + this.seconds) % this.seconds] as number;
    return sum;
  }

  private advance(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (Number.isNaN(this.second)) this.second = second;
    if (second - this.second >= this.seconds) {
      this.amounts.fill(0);
      this.second = second;
    }
    while (this.second < second) this.amounts[++this.second % this.seconds] = 0;
  }
}
