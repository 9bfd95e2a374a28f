import {
  BLOCK_ROWS,
  BLOCK_SEGMENTS,
  KEY_MIN,
  KEY_SPAN,
  type LookupKind,
  RUN_BLOCKS,
  RUN_ROWS,
  RUN_SEGMENTS,
  SEGMENT_ROWS,
  SEGMENT_SPAN,
} from './lookup-kind.js';
import { Places } from './places.js';

/** Places of the filter for repeated entries, a power of two: 128 KiB. */
const SEEN_PLACES = 16_384;
/** Entries for which there is room at first; a run of ordinary traffic has 30,000 to 50,000. */
const ENTRIES_AT_FIRST = 65_536;

/** What is known of a block. */
export interface BlockSummary {
  readonly lastId: number;
  readonly rowCount: number;
  readonly startUsMin: number;
  readonly bytesMax: number;
  /** Of each segment. */
  readonly segmentLastIds: readonly number[];
}

/**
 * Gathers the entries of one run while its rows go by, in ascending order of id. An entry is a number below 2^48: kind, key and segment from the highest bits
 * to the lowest, so that sorting numbers sorts entries. Many entries of a segment repeat (the router, the resolver, TCP), so
 * each goes through a small filter first; what that lets through twice falls out when the run is sorted. Allocates nothing, but
 * room where a run has more entries than any before it.
 */
export class RunBuilder {
  /** The run covers the ids above this one; below all ids until the first `reset` … */
  afterId = Number.NEGATIVE_INFINITY;
  /** … up to this one. */
  lastId = Number.NEGATIVE_INFINITY;
  rowCount = 0;
  /** Of the segments. */
  private readonly lastIds = new Float64Array(RUN_SEGMENTS);
  private readonly startUsMin = new Float64Array(RUN_BLOCKS);
  private readonly bytesMax = new Float64Array(RUN_BLOCKS);
  private readonly seen = new Float64Array(SEEN_PLACES);
  private entries = new Float64Array(ENTRIES_AT_FIRST);
  /** The same by their bits. Numbers that are not negative sort as their bits do, and that without a look for NaN: about twice as fast. */
  private bits = new BigUint64Array(this.entries.buffer);
  private entryCount = 0;
  private segment = 0;
  /**
   * Of the kind and key in hand. V8 compiles all code of a class anew when a field turns from small integers to floats: so these sums have
   * a class of their own, ids are floats from the start, and `segment` stays a small integer.
   */
  private readonly places = new Places();

  /** Forgets everything: the next row is the first one above `afterId`. */
  reset(afterId: number): void {
    this.afterId = afterId;
    this.lastId = afterId;
    this.rowCount = 0;
    this.entryCount = 0;
    this.segment = 0;
    this.seen.fill(-1);
  }

  /** Whether no further row fits. */
  get isFull(): boolean {
    return this.rowCount === RUN_ROWS;
  }

  get blocks(): readonly BlockSummary[] {
    const segmentCount = Math.ceil(this.rowCount / SEGMENT_ROWS);
    return Array.from({ length: Math.ceil(this.rowCount / BLOCK_ROWS) }, (_, block) => {
      const first = block * BLOCK_SEGMENTS;
      const segmentLastIds = [...this.lastIds.subarray(first, Math.min(segmentCount, first + BLOCK_SEGMENTS))];
      return {
        lastId: segmentLastIds.at(-1) as number,
        rowCount: Math.min(BLOCK_ROWS, this.rowCount - block * BLOCK_ROWS),
        startUsMin: this.startUsMin[block] as number,
        bytesMax: this.bytesMax[block] as number,
        segmentLastIds,
      };
    });
  }

  /** Adds a row without its keys, which follow. The builder is not full, the caller sees to that. */
  addRow(id: number, startUs: number, bytes: number): void {
    const block = Math.floor(this.rowCount / BLOCK_ROWS);
    const isFirst = this.rowCount % BLOCK_ROWS === 0;
    if (isFirst || startUs < (this.startUsMin[block] as number)) this.startUsMin[block] = startUs;
    if (isFirst || bytes > (this.bytesMax[block] as number)) this.bytesMax[block] = bytes;
    this.segment = Math.floor(this.rowCount / SEGMENT_ROWS);
    this.lastIds[this.segment] = id;
    this.lastId = id;
    this.rowCount++;
  }

  /** Up to `lastId` there are no further rows. */
  extendTo(lastId: number): void {
    this.lastId = lastId;
  }

  /** The row that was added last has this key. */
  addKey(kind: LookupKind, key: number): void {
    const packed = (kind * KEY_SPAN + (key - KEY_MIN)) * SEGMENT_SPAN + this.segment;
    const place = (Math.imul(key ^ (key / 2 ** 32), 0x9e3779b1) >>> 18) ^ kind;
    if (this.seen[place] === packed) return;
    this.seen[place] = packed;
    this.push(packed);
  }

  /**
   * Calls `take` for each kind and key with `lookup.places`, in ascending order; for every key of the kind `from` there are entries of
   * the kind `to` besides: `keysOf` calls `put` with their keys.
   */
  eachEntry(
    from: LookupKind,
    to: LookupKind,
    keysOf: (key: number, put: (key: number) => void) => void,
    take: (kind: number, key: number, places: number) => void,
  ): void {
    const own = this.entryCount;
    this.bits.subarray(0, own).sort();
    this.derive(from, to, keysOf);
    const { entries, entryCount } = this;
    this.bits.subarray(own, entryCount).sort();
    let group = -1;
    let last = -1;
    for (let i = 0, j = own; i < own || j < entryCount; ) {
      const isOwn = j === entryCount || (i < own && (entries[i] as number) < (entries[j] as number));
      const packed = entries[isOwn ? i++ : j++] as number;
      if (packed === last) continue;
      last = packed;
      const found = Math.floor(packed / SEGMENT_SPAN);
      if (found !== group) {
        this.give(group, take);
        group = found;
      }
      this.places.add(packed - found * SEGMENT_SPAN);
    }
    this.give(group, take);
  }

  /** Tells of a kind and key whose places have been added. */
  private give(group: number, take: (kind: number, key: number, places: number) => void): void {
    if (this.places.count === 0) return;
    const kind = Math.floor(group / KEY_SPAN);
    take(kind, group - kind * KEY_SPAN + KEY_MIN, this.places.take());
  }

  /** The entries are sorted. */
  private derive(from: LookupKind, to: LookupKind, keysOf: (key: number, put: (key: number) => void) => void): void {
    const { entryCount } = this;
    const first = from * KEY_SPAN * SEGMENT_SPAN;
    const end = (from + 1) * KEY_SPAN * SEGMENT_SPAN;
    let known = -1;
    let derived: number[] = [];
    const put = (key: number): void => {
      derived.push(key);
    };
    for (let i = 0; i < entryCount; i++) {
      const packed = this.entries[i] as number;
      if (packed < first) continue;
      if (packed >= end) return;
      const group = Math.floor(packed / SEGMENT_SPAN);
      if (group !== known) {
        derived = [];
        keysOf(group - from * KEY_SPAN + KEY_MIN, put);
        known = group;
      }
      this.segment = (packed - group * SEGMENT_SPAN) | 0;
      for (const key of derived) this.addKey(to, key);
    }
  }

  private push(packed: number): void {
    if (this.entryCount === this.entries.length) {
      const larger = new Float64Array(this.entries.length * 2);
      larger.set(this.entries);
      this.entries = larger;
      this.bits = new BigUint64Array(larger.buffer);
    }
    this.entries[this.entryCount++] = packed;
  }
}
