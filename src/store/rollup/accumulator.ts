import type { Kind } from './kinds.js';

/** A key that is not there: stored as NULL. Lies outside of every id, address and number. */
export const NO_KEY = -(2 ** 40);

/** What `find` gives when there is no room. */
export const FULL = -1;

/** Where things stand in a row of an accumulator; the sums follow. Together, since each row is a miss in the caches of the CPU. */
export const enum Field {
  Bucket = 0,
  Key0,
  /** `NO_KEY` for kinds with one key. */
  Key1,
  Measures,
}

/** Sums by bucket and keys, in memory: an open hash table over typed arrays. Never grows; allocates nothing once it is made. */
export class Accumulator {
  /** Rows that are in use. */
  count = 0;
  /** `width` numbers a row, as `Field` tells. */
  readonly values: Float64Array;
  readonly width: number;
  /** Row + 1 by hash; 0 is free. Twice as many as rows, so that runs stay short. */
  private readonly table: Int32Array;
  private readonly mask: number;

  constructor(
    readonly kind: Kind,
    private readonly slotsMax: number = kind.slotsMax,
  ) {
    this.width = Field.Measures + kind.measures.length;
    this.values = new Float64Array(slotsMax * this.width);
    this.table = new Int32Array(2 * slotsMax);
    this.mask = 2 * slotsMax - 1;
  }

  /**
   * Index in `values` of the first sum of this bucket and these keys, in a new row if there is none yet; `FULL` when there is no room.
   */
  find(bucket: number, key0: number, key1: number): number {
    const { table, mask, values, width } = this;
    let hash = Math.imul(bucket, 0x9e37_79b1) ^ Math.imul(key0, 0x85eb_ca6b) ^ Math.imul(key1, 0xc2b2_ae35);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
    for (let at = (hash ^ (hash >>> 13)) & mask; ; at = (at + 1) & mask) {
      const row = (table[at] as number) - 1;
      if (row < 0) {
        if (this.count === this.slotsMax) return FULL;
        const added = this.count * width;
        table[at] = ++this.count;
        values[added + Field.Bucket] = bucket;
        values[added + Field.Key0] = key0;
        values[added + Field.Key1] = key1;
        return added + Field.Measures;
      }
      const first = row * width;
      if (values[first + Field.Bucket] === bucket && values[first + Field.Key0] === key0 && values[first + Field.Key1] === key1)
        return first + Field.Measures;
    }
  }

  clear(): void {
    if (this.count === 0) return;
    this.table.fill(0);
    this.values.fill(0, 0, this.count * this.width);
    this.count = 0;
  }
}

/** Adds the sums of a row to those at `at` of another accumulator with the same measures. */
export function addMeasures(to: Accumulator, at: number, from: Accumulator, row: number): void {
  const first = row * from.width + Field.Measures;
  for (let measure = 0; measure < from.kind.measures.length; measure++)
    to.values[at + measure] = (to.values[at + measure] as number) + (from.values[first + measure] as number);
}
