/** Ids from `first` on, `count` of them. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

/** A set of ids within a range, a bit for each. */
export class IdMarks {
  readonly bits: Uint8Array;

  constructor(readonly range: IdRange) {
    this.bits = new Uint8Array(Math.ceil(range.count / 8));
  }

  /** Marks an id; one outside of the range is passed over. */
  add(id: number): void {
    const index = id - this.range.first;
    if (index < 0 || index >= this.range.count) return;
    this.bits[index >>> 3] = (this.bits[index >>> 3] as number) | (1 << (index & 7));
  }

  /** Marks what is marked in bits of the same range. */
  addAll(bits: Uint8Array): void {
    for (let index = 0; index < this.bits.length; index++)
      this.bits[index] = (this.bits[index] as number) | (bits[index] as number);
  }

  /** Whether an id is in the range and not marked. */
  isFree(id: number): boolean {
    const index = id - this.range.first;
    if (index < 0 || index >= this.range.count) return false;
    return ((this.bits[index >>> 3] as number) & (1 << (index & 7))) === 0;
  }
}
