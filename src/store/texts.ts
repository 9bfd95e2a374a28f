import type { Database } from 'better-sqlite3';
import { DimensionTable, NOT_TAKEN } from './dimension-table.js';

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

/**
 * The cache has two generations of so many texts. What is used while the younger one fills is carried into it, and the older one
 * is dropped when it is full: that forgets the texts used longest ago, for one look-up in a map each.
 */
const GENERATION_TEXTS = 8192;

/** The dimension table `texts`, as the writer uses it: names, protocols, fingerprints, user agents. */
export class Texts extends DimensionTable {
  private younger = new Map<string, number>();
  private older = new Map<string, number>();

  constructor(db: Database, rowsMax: number) {
    super(db, { table: 'texts', column: 'text', overflowId: OVERFLOW_ID, rowsMax });
  }

  /** Id of a text; a new one is inserted in the open transaction. */
  idOf(text: string): number {
    const id = this.younger.get(text) ?? this.carryOver(text);
    if (id >= 0) return id;
    if (id === NOT_TAKEN) return OVERFLOW_ID;
    this.overflowed++;
    return OVERFLOW_ID;
  }

  protected cachedIds(): Iterable<number> {
    return [...this.younger.values(), ...this.older.values()];
  }

  protected clearCache(): void {
    this.younger.clear();
    this.older.clear();
  }

  private carryOver(text: string): number {
    const id = this.older.get(text) ?? this.lookUp(text);
    if (id === NOT_TAKEN) return id;
    if (this.younger.size === GENERATION_TEXTS) {
      this.older = this.younger;
      this.younger = new Map();
    }
    this.younger.set(text, id);
    return id;
  }
}
