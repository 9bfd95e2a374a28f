import type { Database } from 'better-sqlite3';
import { DimensionTable, NOT_TAKEN } from './dimension-table.js';
import { NOT_CACHED, TextCache } from './text-cache.js';

/**
 * Rows of `texts`: about 100 MB. Further texts are stored as the overflow entry, and counted, until those that no row refers to any
 * more are swept out.
 */
export const TEXTS_MAX = 1_000_000;

/**
 * Id of the entry that stands for the texts that found the table full. The cache does not have it: a name may read like the entry and
 * not be meant by it.
 */
export const OVERFLOW_ID = 0;

/** Sets of the cache: 16,384 texts in 4.3 MiB. */
const CACHE_SETS = 4096;

/** The dimension table `texts`, as the writer uses it: names, protocols, fingerprints, user agents. */
export class Texts extends DimensionTable {
  private readonly cache = new TextCache(CACHE_SETS);

  constructor(db: Database, rowsMax: number) {
    super(db, { table: 'texts', column: 'text', overflowId: OVERFLOW_ID, rowsMax });
  }

  /**
   * Id of the text in Latin-1 that stands from `start` to `end`, at most 255 bytes; a new one is inserted in the open
   * transaction.
   */
  idOf(bytes: Buffer, start: number, end: number): number {
    let id = this.cache.get(bytes, start, end);
    if (id === NOT_CACHED) {
      id = this.lookUp(bytes.toString('latin1', start, end));
      if (id === NOT_TAKEN) return OVERFLOW_ID;
      this.cache.set(bytes, start, end, id);
    }
    if (id >= 0) return id;
    this.overflowed++;
    return OVERFLOW_ID;
  }

  protected cachedIds(): Iterable<number> {
    return this.cache.entries;
  }

  protected clearCache(): void {
    this.cache.clear();
  }
}
