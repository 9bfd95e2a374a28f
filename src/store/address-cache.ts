/** Places that one address may take; the least recently used of them gives way. */
const WAYS = 4;

/** What the cache answers for an address that it does not hold. */
export const NOT_CACHED = -1;

/**
 * Ids of the IPv6 addresses that were seen last, in a fixed amount of memory: sets of four, each with its own order of use.
 * A lookup allocates nothing.
 */
export class AddressCache {
  private readonly setMask: number;
  private readonly words: Int32Array;
  private readonly ids: Float64Array;

  /** `sets` is a power of two; each holds four addresses and takes 96 bytes. */
  constructor(sets: number) {
    this.setMask = sets - 1;
    this.words = new Int32Array(sets * WAYS * 4);
    this.ids = new Float64Array(sets * WAYS).fill(NOT_CACHED);
  }

  /** The id of the address whose four words start at `index`, or `NOT_CACHED`. */
  get(words: Int32Array, index: number): number {
    const first = this.firstWay(words, index);
    for (let way = first; way < first + WAYS; way++) {
      const own = way * 4;
      if (
        this.words[own + 3] === words[index + 3] &&
        this.words[own + 2] === words[index + 2] &&
        this.words[own + 1] === words[index + 1] &&
        this.words[own] === words[index] &&
        this.ids[way] !== NOT_CACHED
      ) {
        const id = this.ids[way] as number;
        if (way !== first) this.moveToFront(first, way, words, index, id);
        return id;
      }
    }
    return NOT_CACHED;
  }

  /** Remembers the id of an address that is not in the cache. */
  set(words: Int32Array, index: number, id: number): void {
    const first = this.firstWay(words, index);
    this.moveToFront(first, first + WAYS - 1, words, index, id);
  }

  /** The ids of all places, `NOT_CACHED` for those that are empty. */
  get entries(): Iterable<number> {
    return this.ids;
  }

  clear(): void {
    this.ids.fill(NOT_CACHED);
  }

  private firstWay(words: Int32Array, index: number): number {
    let hash = Math.imul((words[index] as number) ^ Math.imul(words[index + 1] as number, 0x9e3779b1), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15) ^ (words[index + 2] as number), 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 13) ^ (words[index + 3] as number), 0x27d4eb2f);
    return ((hash ^ (hash >>> 16)) & this.setMask) * WAYS;
  }

  /** Shifts the ways from `first` to `way` by one, so that the one at `way` falls out, and puts the address first. */
  private moveToFront(first: number, way: number, words: Int32Array, index: number, id: number): void {
    this.words.copyWithin((first + 1) * 4, first * 4, way * 4);
    this.ids.copyWithin(first + 1, first, way);
    for (let word = 0; word < 4; word++) this.words[first * 4 + word] = words[index + word] as number;
    this.ids[first] = id;
  }
}
