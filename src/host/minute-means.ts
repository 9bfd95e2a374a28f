import { HostField, HostMinute } from '../ring/host-layout.js';

const MINUTE_US = 60e6;

/** Sums samples up to minutes of the session's clock: least, mean and greatest of the gauges, growth of the counters. */
export class MinuteMeans {
  private readonly minute = new Float64Array(HostMinute.Words);
  private readonly sums = new Float64Array(HostField.Gauges);
  private readonly counts = new Float64Array(HostField.Gauges);
  /** Counters as they were before the minute, and at the last sample. */
  private readonly before = new Float64Array(HostField.Counters).fill(Number.NaN);
  private readonly last = new Float64Array(HostField.Counters).fill(Number.NaN);

  constructor() {
    this.begin(Number.NaN);
  }

  /**
   * Adds a sample of `nowUs`, µs since 1970 by the session's clock. Returns the minute before if that is complete now, valid until the next
   * call, else null.
   */
  add(fields: Float64Array, nowUs: number): Float64Array | null {
    const minuteUs = Math.floor(nowUs / MINUTE_US) * MINUTE_US;
    const { minute } = this;
    let completed: Float64Array | null = null;
    if (minute[HostMinute.MinuteUs] !== minuteUs) {
      if ((minute[HostMinute.Samples] as number) > 0) completed = this.complete();
      this.begin(minuteUs);
    }
    this.take(fields);
    return completed;
  }

  private begin(minuteUs: number): void {
    const { minute } = this;
    minute.fill(Number.NaN);
    minute[HostMinute.MinuteUs] = minuteUs;
    minute[HostMinute.Samples] = 0;
    this.sums.fill(0);
    this.counts.fill(0);
    this.before.set(this.last);
  }

  private take(fields: Float64Array): void {
    const { minute, sums, counts } = this;
    minute[HostMinute.Samples] = (minute[HostMinute.Samples] as number) + 1;
    const bits = fields[HostField.ThrottleBits] as number;
    if (!Number.isNaN(bits)) minute[HostMinute.ThrottleBits] = (minute[HostMinute.ThrottleBits] as number) | bits;
    for (let gauge = 0; gauge < HostField.Gauges; gauge++) {
      const value = fields[gauge] as number;
      if (Number.isNaN(value)) continue;
      const at = HostMinute.Gauges + 3 * gauge;
      if (!((minute[at] as number) <= value)) minute[at] = value;
      if (!((minute[at + 2] as number) >= value)) minute[at + 2] = value;
      sums[gauge] = (sums[gauge] as number) + value;
      counts[gauge] = (counts[gauge] as number) + 1;
    }
    for (let counter = 0; counter < HostField.Counters; counter++) {
      const value = fields[HostField.Gauges + counter] as number;
      // A counter that starts anew, as that of an interface that went away, starts the sum anew.
      if (Number.isNaN(this.before[counter] as number) || value < (this.last[counter] as number)) this.before[counter] = value;
      this.last[counter] = value;
    }
  }

  private complete(): Float64Array {
    const minute = this.minute.slice();
    for (let gauge = 0; gauge < HostField.Gauges; gauge++) {
      const mean = (this.sums[gauge] as number) / (this.counts[gauge] as number);
      minute[HostMinute.Gauges + 3 * gauge + 1] = mean;
    }
    for (let counter = 0; counter < HostField.Counters; counter++)
      minute[HostMinute.Counters + counter] = (this.last[counter] as number) - (this.before[counter] as number);
    return minute;
  }
}
