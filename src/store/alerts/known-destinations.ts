import type { Database, Statement } from 'better-sqlite3';
import { siteOf } from './site.js';

/** Rows of `known_destinations`; beyond them nothing is new any more, so that the card is not written full. */
export const KNOWN_DESTINATIONS_MAX = 100_000;
/** Pairs that were looked up lately; at the limit all are forgotten, and looked up again. */
const PAIRS_MAX = 16_384;

/** Knows which sites our devices have reached before. Has no transaction of its own. */
export class KnownDestinations {
  private readonly pairs = new Set<string>();
  private rows: number | null = null;
  private readonly findText: Statement<[number], string>;
  private readonly insert: Statement<[number, string]>;
  private readonly countRows: Statement<[], number>;

  constructor(db: Database) {
    this.findText = db.prepare<[number], string>('SELECT text FROM texts WHERE id = ?').pluck();
    this.insert = db.prepare('INSERT OR IGNORE INTO known_destinations VALUES (?, ?)');
    this.countRows = db.prepare<[], number>('SELECT count(*) FROM known_destinations').pluck();
  }

  /**
   * A device has reached a name: `device` is its address as in rows, `name` an id in `texts`. Returns the site if it had never reached it
   * before, which is then stored; null otherwise.
   */
  add(device: number, name: number): string | null {
    const pair = `${device} ${name}`;
    if (this.pairs.has(pair)) return null;
    if (this.pairs.size >= PAIRS_MAX) this.pairs.clear();
    this.pairs.add(pair);
    const text = this.findText.get(name);
    this.rows ??= this.countRows.get() as number;
    if (text === undefined || this.rows >= KNOWN_DESTINATIONS_MAX) return null;
    const site = siteOf(text);
    if (this.insert.run(device, site).changes === 0) return null;
    this.rows++;
    return site;
  }

  /** Rows were rolled back, or nobody knows. */
  revert(): void {
    this.pairs.clear();
    this.rows = null;
  }
}
