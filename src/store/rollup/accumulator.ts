import type { Kind } from './kinds.js';

/** A key that is not there: stored as NULL. Lies outside of every id, address and number. */
export const NO_KEY = -(2 ** 40);

/** What `find` gives when there is no room. */
export const FULL = -1;

/** Sums by bucket and keys, in memory: an open hash table over typed arrays. Grows never; allocates nothing after it was made. */
export class Accumulator {
  /** Rows that are in use. */
  count = 0;
  readonly buckets: Float64Array;
  /** Two keys a row; the second is `NO_KEY` for kinds with one. */
  readonly keys: Float64Array;
  /** `measureCount` sums a row. */
  readonly values: Float64Array;
  readonly measureCount: number;
  /** Row + 1 by hash; 0 is free. Twice as many as rows, so that runs stay short. */
  private readonly table: Int32Array;
  private readonly mask: number;

  constructor(
    readonly kind: Kind,
    private readonly slotsMax: number = kind.slotsMax,
  ) {
    this.measureCount = kind.measures.length;
    this.buckets = new Float64Array(slotsMax);
    this.keys = new Float64Array(2 * slotsMax);
    this.values = new Float64Array(slotsMax * this.measureCount);
    this.table = new Int32Array(2 * slotsMax);
    this.mask = 2 * slotsMax - 1;
  }

  /** Index in `values` of the sums of this bucket and these keys, a new row if there is none yet; `FULL` when there is no room. */
  find(bucket: number, key0: number, key1: number): number {
    const { table, mask, buckets, keys } = this;
    let hash = Math.imul(bucket, 0x9e37_79b1) ^ Math.imul(key0, 0x85eb_ca6b) ^ Math.imul(key1, 0xc2b2_ae35);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
    for (let at = (hash ^ (hash >>> 13)) & mask; ; at = (at + 1) & mask) {
      const row = (table[at] as number) - 1;
      if (row < 0) {
        if (this.count === this.slotsMax) return FULL;
        const added = this.count++;
        table[at] = added + 1;
        buckets[added] = bucket;
        keys[2 * added] = key0;
        keys[2 * added + 1] = key1;
        return added * this.measureCount;
      }
      if (buckets[row] === bucket && keys[2 * row] === key0 && keys[2 * row + 1] === key1) return row * this.measureCount;
    }
  }

  clear(): void {
    if (this.count === 0) return;
    this.table.fill(0);
    this.values.fill(0, 0, this.count * this.measureCount);
    this.count = 0;
  }
}
