/** Places that one text may take; the least recently used of them gives way. */
const WAYS = 4;

/** Room of one place: the longest text of a record has 255 bytes. */
const PLACE_BYTES = 256;

/** What the cache answers for a text that it does not hold; no id, and none of the answers of `DimensionTable`. */
export const NOT_CACHED = -3;

/**
 * Ids of the texts that were used last, by their bytes as they lie in a record, in a fixed amount of memory: sets of four, each with its
 * own order of use. A look-up makes no string and allocates nothing. Texts that are chosen to share a set displace each other and
 * nothing else.
 */
export class TextCache {
  private readonly setMask: number;
  private readonly bytes: Uint8Array;
  private readonly lengths: Uint8Array;
  private readonly hashes: Int32Array;
  private readonly ids: Float64Array;
  private readonly usedAt: Int32Array;
  private useCount = 0;
  /** Of the text that was asked for last. */
  private hash = 0;

  /** `sets` is a power of two; each holds four texts and takes 1,092 bytes. */
  constructor(sets: number) {
    const places = sets * WAYS;
    this.setMask = sets - 1;
    this.bytes = new Uint8Array(places * PLACE_BYTES);
    this.lengths = new Uint8Array(places);
    this.hashes = new Int32Array(places);
    this.ids = new Float64Array(places).fill(NOT_CACHED);
    this.usedAt = new Int32Array(places);
  }

  /** The id of the text from `start` to `end`, or `NOT_CACHED`. It has at most 255 bytes, the caller sees to that. */
  get(bytes: Uint8Array, start: number, end: number): number {
    this.hash = hashOf(bytes, start, end);
    const first = this.firstWay();
    for (let way = first; way < first + WAYS; way++) {
      if (this.hashes[way] !== this.hash || this.ids[way] === NOT_CACHED || !this.holds(way, bytes, start, end)) continue;
      this.usedAt[way] = ++this.useCount;
      return this.ids[way] as number;
    }
    return NOT_CACHED;
  }

  /** Remembers the id of the text for which the last `get` gave `NOT_CACHED`. */
  set(bytes: Uint8Array, start: number, end: number, id: number): void {
    const way = this.wayToGive();
    const own = way * PLACE_BYTES;
    for (let at = start; at < end; at++) this.bytes[own + at - start] = bytes[at] as number;
    this.lengths[way] = end - start;
    this.hashes[way] = this.hash;
    this.ids[way] = id;
    this.usedAt[way] = ++this.useCount;
  }

  /** The ids of all places, `NOT_CACHED` for those that are empty. */
  get entries(): Iterable<number> {
    return this.ids;
  }

  clear(): void {
    this.ids.fill(NOT_CACHED);
  }

  private firstWay(): number {
    return (this.hash & this.setMask) * WAYS;
  }

  private holds(way: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.lengths[way] !== end - start) return false;
    const own = way * PLACE_BYTES;
    for (let at = start; at < end; at++) if (this.bytes[own + at - start] !== bytes[at]) return false;
    return true;
  }

  /** A place of the set that is empty, or that of the least recently used. */
  private wayToGive(): number {
    const first = this.firstWay();
    let oldest = first;
    let ageMax = -1;
    for (let way = first; way < first + WAYS; way++) {
      if (this.ids[way] === NOT_CACHED) return way;
      // As an unsigned difference, since the count of uses wraps.
      const age = (this.useCount - (this.usedAt[way] as number)) >>> 0;
      if (age <= ageMax) continue;
      oldest = way;
      ageMax = age;
    }
    return oldest;
  }
}

/** FNV-1a, with its bits mixed at the end. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
