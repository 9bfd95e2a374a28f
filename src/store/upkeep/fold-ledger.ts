import type { Database, Statement } from 'better-sqlite3';
import { COUNT_COLUMNS } from '../counters.js';
import type { Prunable } from '../prunable.js';

const MINUTES_PER_HOUR = 60;
export const HOUR_US = 3_600_000_000;
export const DAY_US = 24 * HOUR_US;

interface Bucket {
  readonly session_id: number;
  readonly start_us: number;
  readonly rows: number;
}

/**
 * Rows of `ledger` that are joined to longer ones, by session: every sum stays what it is, and years of ledger stay small. The ring
 * positions of a running session stand in one of its rows; that one is left alone until the session has moved on.
 */
export class LedgerFold implements Prunable {
  readonly name: string;
  private readonly findOldest: Statement<[number], number | null>;
  private readonly findBuckets: Statement<[number, number], Bucket>;
  private readonly sumBucket: Statement<[number, number, number], Record<string, number>>;
  private readonly sumDrops: Statement<[number, number, number], string>;
  private readonly remove: Statement<[number, number, number]>;
  private readonly insert: Statement<(number | string)[]>;

  /** Joins what covers less than `spanUs`, an hour or a day. */
  constructor(
    db: Database,
    private readonly spanUs: typeof HOUR_US | typeof DAY_US,
  ) {
    this.name = spanUs === HOUR_US ? 'minutes of the ledger' : 'hours of the ledger';
    const counts = COUNT_COLUMNS.join(', ');
    const inBucket = 'session_id = ? AND minute_us >= ? AND minute_us < ?';
    this.findOldest = db.prepare<[number], number | null>('SELECT min(minute_us) FROM ledger WHERE span_us < ?').pluck();
    this.findBuckets = db.prepare(
      `SELECT session_id, minute_us - minute_us % ${spanUs} AS start_us, count(*) AS rows FROM ledger
       WHERE span_us < ${spanUs} AND minute_us < ? GROUP BY 1, 2
       HAVING sum(ring_positions IS NOT NULL AND session_id IN (SELECT id FROM sessions WHERE clean IS NULL)) = 0 LIMIT ?`,
    );
    this.sumBucket = db.prepare(
      `SELECT ${COUNT_COLUMNS.map((column) => `sum(${column}) AS ${column}`).join(', ')} FROM ledger WHERE ${inBucket}`,
    );
    this.sumDrops = db
      .prepare<[number, number, number], string>(
        `SELECT coalesce(json_group_object(key, total), '{}') FROM
         (SELECT key, sum(value) AS total FROM ledger, json_each(drops) WHERE ${inBucket} GROUP BY key)`,
      )
      .pluck();
    this.remove = db.prepare(`DELETE FROM ledger WHERE ${inBucket}`);
    this.insert = db.prepare(
      `INSERT INTO ledger (session_id, minute_us, span_us, ${counts}, drops)
       VALUES (${new Array(COUNT_COLUMNS.length + 4).fill('?').join(', ')})`,
    );
  }

  oldestUs(): number | null {
    const oldestUs = this.findOldest.get(this.spanUs) ?? null;
    return oldestUs === null ? null : oldestUs - (oldestUs % this.spanUs) + this.spanUs;
  }

  /** Only buckets that have ended before `beforeUs`. */
  prune(beforeUs: number, rowsMax: number): number {
    const endUs = beforeUs - (beforeUs % this.spanUs);
    let removed = 0;
    for (const { session_id, start_us, rows } of this.findBuckets.all(endUs, Math.ceil(rowsMax / MINUTES_PER_HOUR))) {
      const bucket = [session_id, start_us, start_us + this.spanUs] as const;
      const sums = this.sumBucket.get(...bucket) as Record<string, number>;
      const drops = this.sumDrops.get(...bucket) as string;
      this.remove.run(...bucket);
      this.insert.run(session_id, start_us, this.spanUs, ...COUNT_COLUMNS.map((column) => sums[column] as number), drops);
      removed += rows;
    }
    return removed;
  }
}
