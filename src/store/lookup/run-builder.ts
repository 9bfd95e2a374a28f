import { BLOCK_ROWS, KEY_MIN, KEY_SPAN, type LookupKind, RUN_BLOCKS, RUN_ROWS } from './lookup-kind.js';

/** Blocks take this many bits of a packed entry: 64 is the next power of two. */
const BLOCK_SPAN = 64;
/** Places of the filter for repeated entries, a power of two: 128 KiB. */
const SEEN_PLACES = 16_384;
/** Entries for which there is room at first; a run of ordinary traffic has 30,000 to 50,000. */
const ENTRIES_AT_FIRST = 65_536;

/** The number in which only bit n is set, as powers are slow. */
const BITS = Float64Array.from({ length: BLOCK_SPAN }, (_, bit) => 2 ** bit);

/** What is known of a block. */
export interface BlockSummary {
  readonly lastId: number;
  readonly rowCount: number;
  readonly startUsMin: number;
  readonly bytesMax: number;
}

/**
 * Gathers the entries of one run while its rows go by, in ascending order of id. An entry is a number below 2^44: kind, key and block from the highest bits
 * to the lowest, so that sorting numbers sorts entries. Most of a block's entries repeat (the router, the resolver, TCP), so
 * each goes through a small filter first; what that lets through twice falls out when the run is sorted. Allocates nothing, but
 * room where a run has more entries than any before it.
 */
export class RunBuilder {
  /** The run covers the ids above this one … */
  afterId = -1;
  /** … up to this one. */
  lastId = -1;
  rowCount = 0;
  private readonly lastIds = new Float64Array(RUN_BLOCKS);
  private readonly startUsMin = new Float64Array(RUN_BLOCKS);
  private readonly bytesMax = new Float64Array(RUN_BLOCKS);
  private readonly seen = new Float64Array(SEEN_PLACES);
  private entries = new Float64Array(ENTRIES_AT_FIRST);
  private entryCount = 0;
  private block = 0;

  /** Forgets everything: the next row is the first one above `afterId`. */
  reset(afterId: number): void {
    this.afterId = afterId;
    this.lastId = afterId;
    this.rowCount = 0;
    this.entryCount = 0;
    this.block = 0;
    this.seen.fill(-1);
  }

  /** Whether no further row fits. */
  get isFull(): boolean {
    return this.rowCount === RUN_ROWS;
  }

  get blocks(): readonly BlockSummary[] {
    const count = Math.ceil(this.rowCount / BLOCK_ROWS);
    return Array.from({ length: count }, (_, block) => ({
      lastId: this.lastIds[block] as number,
      rowCount: Math.min(BLOCK_ROWS, this.rowCount - block * BLOCK_ROWS),
      startUsMin: this.startUsMin[block] as number,
      bytesMax: this.bytesMax[block] as number,
    }));
  }

  /** Adds a row without its keys, which follow. The builder is not full, the caller sees to that. */
  addRow(id: number, startUs: number, bytes: number): void {
    const block = Math.floor(this.rowCount / BLOCK_ROWS);
    const isFirst = this.rowCount % BLOCK_ROWS === 0;
    if (isFirst || startUs < (this.startUsMin[block] as number)) this.startUsMin[block] = startUs;
    if (isFirst || bytes > (this.bytesMax[block] as number)) this.bytesMax[block] = bytes;
    this.lastIds[block] = id;
    this.block = block;
    this.lastId = id;
    this.rowCount++;
  }

  /** Up to `lastId` there are no further rows. */
  extendTo(lastId: number): void {
    this.lastId = lastId;
  }

  /** The row that was added last has this key. */
  addKey(kind: LookupKind, key: number): void {
    const packed = (kind * KEY_SPAN + (key - KEY_MIN)) * BLOCK_SPAN + this.block;
    const place = (Math.imul(key ^ (key / 2 ** 32), 0x9e3779b1) >>> 18) ^ kind;
    if (this.seen[place] === packed) return;
    this.seen[place] = packed;
    this.push(packed);
  }

  /**
   * Calls `take` for each kind and key with the blocks as bits, in ascending order; for every key of the kind `from` there are entries of
   * the kind `to` besides: `keysOf` calls `put` with their keys.
   */
  eachEntry(
    from: LookupKind,
    to: LookupKind,
    keysOf: (key: number, put: (key: number) => void) => void,
    take: (kind: number, key: number, blocks: number) => void,
  ): void {
    const own = this.entryCount;
    this.entries.subarray(0, own).sort();
    this.derive(from, to, keysOf);
    const { entries, entryCount } = this;
    entries.subarray(own, entryCount).sort();
    let group = -1;
    let blocks = 0;
    let last = -1;
    for (let i = 0, j = own; i < own || j < entryCount; ) {
      const isOwn = j === entryCount || (i < own && (entries[i] as number) < (entries[j] as number));
      const packed = entries[isOwn ? i++ : j++] as number;
      if (packed === last) continue;
      last = packed;
      const found = Math.floor(packed / BLOCK_SPAN);
      if (found !== group) {
        if (group >= 0) this.give(group, blocks, take);
        group = found;
        blocks = 0;
      }
      blocks += BITS[packed - found * BLOCK_SPAN] as number;
    }
    if (group >= 0) this.give(group, blocks, take);
  }

  private give(group: number, blocks: number, take: (kind: number, key: number, blocks: number) => void): void {
    const kind = Math.floor(group / KEY_SPAN);
    take(kind, group - kind * KEY_SPAN + KEY_MIN, blocks);
  }

  /** The entries are sorted. */
  private derive(from: LookupKind, to: LookupKind, keysOf: (key: number, put: (key: number) => void) => void): void {
    const { entryCount } = this;
    const first = from * KEY_SPAN * BLOCK_SPAN;
    const end = (from + 1) * KEY_SPAN * BLOCK_SPAN;
    let known = -1;
    let derived: number[] = [];
    const put = (key: number): void => {
      derived.push(key);
    };
    for (let i = 0; i < entryCount; i++) {
      const packed = this.entries[i] as number;
      if (packed < first) continue;
      if (packed >= end) return;
      const group = Math.floor(packed / BLOCK_SPAN);
      if (group !== known) {
        derived = [];
        keysOf(group - from * KEY_SPAN + KEY_MIN, put);
        known = group;
      }
      this.block = packed - group * BLOCK_SPAN;
      for (const key of derived) this.addKey(to, key);
    }
  }

  private push(packed: number): void {
    if (this.entryCount === this.entries.length) {
      const larger = new Float64Array(this.entries.length * 2);
      larger.set(this.entries);
      this.entries = larger;
    }
    this.entries[this.entryCount++] = packed;
  }
}
