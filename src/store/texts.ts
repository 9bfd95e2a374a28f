import type { Database, Statement } from 'better-sqlite3';
import { SweptIds } from './upkeep/swept-ids.js';

/**
 * Rows of `texts`: about 100 MB. Further texts are stored as the overflow entry, and counted, until those that no row refers to any
 * more are swept out.
 */
export const TEXTS_MAX = 1_000_000;

/** Id of the entry that stands for the texts that found the table full. */
export const OVERFLOW_ID = 0;
/** What the cache holds for such a text: a name may read like the entry and not be meant by it. */
const OVERFLOWED = -1;
/** The text has no entry and is given none now. */
const NOT_TAKEN = -2;

/**
 * The cache has two generations of so many texts. What is used while the younger one fills is carried into it, and the older one
 * is dropped when it is full: that forgets the texts used longest ago, for one look-up in a map each.
 */
const GENERATION_TEXTS = 8192;

/** The dimension table `texts`, as the writer uses it: names, protocols, fingerprints, user agents. */
export class Texts {
  /** Texts that were answered with the overflow entry in the open transaction. */
  private overflowed = 0;
  /** True: a text without an entry is given none, and is named by the overflow entry; that is not counted. */
  isClosed = false;
  /** Entries added since the start; some of them may have been rolled back. */
  added = 0;
  private younger = new Map<string, number>();
  private older = new Map<string, number>();
  private readonly find: Statement<[string], number>;
  private readonly insert: Statement<[number, string]>;
  private readonly findLast: Statement<[], number>;
  private idLast: number;
  /** What the sweep of this table needs to know. */
  readonly swept: SweptIds;

  constructor(
    db: Database,
    private readonly rowsMax: number,
  ) {
    this.find = db.prepare<[string], number>('SELECT id FROM texts WHERE text = ?').pluck();
    this.insert = db.prepare('INSERT INTO texts VALUES (?, ?)');
    this.findLast = db.prepare<[], number>('SELECT max(id) FROM texts').pluck();
    this.idLast = this.findLast.get() as number;
    this.swept = new SweptIds(db, 'texts', OVERFLOW_ID, () => [...this.younger.values(), ...this.older.values()]);
  }

  /** Id of a text; a new one is inserted in the open transaction. */
  idOf(text: string): number {
    const id = this.younger.get(text) ?? this.carryOver(text);
    if (id >= 0) return id;
    if (id === NOT_TAKEN) return OVERFLOW_ID;
    this.overflowed++;
    return OVERFLOW_ID;
  }

  /** About how many entries there are. */
  get count(): number {
    return this.idLast - OVERFLOW_ID;
  }

  /** The rows so far are committed; gives the number of texts among them that found the table full. */
  settle(): number {
    const overflowed = this.overflowed;
    this.overflowed = 0;
    return overflowed;
  }

  /** The transaction was rolled back: forgets what it had inserted. Returns the highest id that is committed. */
  revert(): number {
    this.younger.clear();
    this.older.clear();
    this.idLast = this.findLast.get() as number;
    this.swept.revert();
    this.overflowed = 0;
    return this.idLast;
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

  private lookUp(text: string): number {
    const known = this.find.get(text);
    if (known !== undefined) {
      this.swept.use(known);
      return known;
    }
    if (this.idLast - OVERFLOW_ID - this.swept.rows >= this.rowsMax) return OVERFLOWED;
    if (this.isClosed) return NOT_TAKEN;
    this.added++;
    this.insert.run(++this.idLast, text);
    return this.idLast;
  }
}
