import type { Database, Statement } from 'better-sqlite3';
import { SweptIds } from './upkeep/swept-ids.js';

/** The table is full: the value has no entry, and that is counted. */
export const FULL = -1;
/** The value has no entry and is given none now. */
export const NOT_TAKEN = -2;

/** A dimension table, as its two kinds have it. */
export interface DimensionSetup {
  readonly table: 'texts' | 'addresses';
  /** The column of what an entry stands for. */
  readonly column: string;
  /** Id of the entry that stands for what has none, the lowest. */
  readonly overflowId: number;
  /** Entries at most. */
  readonly rowsMax: number;
}

/**
 * Entries that stand for texts in other tables: found by their text, or inserted in the open transaction. How they are cached is up to
 * the kinds.
 */
export abstract class DimensionTable {
  /** True: a value without an entry is given none, and is named by the overflow entry; that is not counted. */
  isClosed = false;
  /** Whether the file has no room: a value without an entry is given none then, as where the table has all the rows that it may have. */
  isFull: () => boolean = () => false;
  /** Entries added since the start; some of them may have been rolled back. */
  added = 0;
  /** What the sweep of this table needs to know. */
  readonly swept: SweptIds;
  /** Values that were answered with the overflow entry in the open transaction. */
  protected overflowed = 0;
  private readonly find: Statement<[string], number>;
  private readonly insert: Statement<[number, string]>;
  private readonly findLast: Statement<[], number>;
  private idLast: number;

  constructor(
    db: Database,
    private readonly setup: DimensionSetup,
  ) {
    const { table, column, overflowId } = setup;
    this.find = db.prepare<[string], number>(`SELECT id FROM ${table} WHERE ${column} = ?`).pluck();
    this.insert = db.prepare(`INSERT INTO ${table} VALUES (?, ?)`);
    this.findLast = db.prepare<[], number>(`SELECT max(id) FROM ${table}`).pluck();
    this.idLast = this.findLast.get() as number;
    const held = (): Iterable<number> => this.cachedIds();
    // What was answered with the overflow entry is asked for again.
    this.swept = new SweptIds(db, table, overflowId, held, () => this.clearCache());
  }

  /** About how many entries there are. */
  get count(): number {
    return this.idLast - this.setup.overflowId;
  }

  /** The rows so far are committed; gives the number of values among them that found the table full. */
  settle(): number {
    const overflowed = this.overflowed;
    this.overflowed = 0;
    return overflowed;
  }

  /** The transaction was rolled back: forgets what it had inserted. Returns the highest id that is committed. */
  revert(): number {
    this.clearCache();
    this.idLast = this.findLast.get() as number;
    this.swept.revert();
    this.overflowed = 0;
    return this.idLast;
  }

  /** Ids that are answered without asking the table. */
  protected abstract cachedIds(): Iterable<number>;

  protected abstract clearCache(): void;

  /** Id of what the cache has not; `FULL` or `NOT_TAKEN` where there is none. */
  protected lookUp(text: string): number {
    const known = this.find.get(text);
    if (known !== undefined) {
      this.swept.use(known);
      return known;
    }
    if (this.count - this.swept.rows >= this.setup.rowsMax) return FULL;
    if (this.isClosed) return NOT_TAKEN;
    if (this.isFull()) {
      // Not `FULL`, which the caches would remember for longer than it holds.
      this.overflowed++;
      return NOT_TAKEN;
    }
    this.added++;
    this.insert.run(++this.idLast, text);
    return this.idLast;
  }
}
