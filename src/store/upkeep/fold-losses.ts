import type { Database, Statement } from 'better-sqlite3';
import type { Prunable } from '../prunable.js';
import { DAY_US, HOUR_US } from './fold-ledger.js';

/** Rows of `nic_losses` that are joined to longer ones, as those of `ledger` are: the sums stay. */
export class NicLossFold implements Prunable {
  readonly name: string;
  private readonly findOldest: Statement<[], number | null>;
  private readonly findBuckets: Statement<
    [number, number],
    [sessionId: number, name: string, startUs: number, rows: number, lost: number]
  >;
  private readonly remove: Statement<[number, string, number, number]>;
  private readonly insert: Statement<[number, number, string, number, number]>;

  constructor(
    db: Database,
    private readonly spanUs: typeof HOUR_US | typeof DAY_US,
  ) {
    this.name = spanUs === HOUR_US ? 'minutes of losses' : 'hours of losses';
    this.findOldest = db.prepare<[], number | null>(`SELECT min(minute_us) FROM nic_losses WHERE span_us < ${spanUs}`).pluck();
    this.findBuckets = db
      .prepare<[number, number], [number, string, number, number, number]>(
        `SELECT session_id, interface, minute_us - minute_us % ${spanUs}, count(*), sum(packets_lost) FROM nic_losses
         WHERE minute_us < ? GROUP BY 1, 2, 3 HAVING min(span_us) < ${spanUs} LIMIT ?`,
      )
      .raw();
    this.remove = db.prepare(
      'DELETE FROM nic_losses WHERE session_id = ? AND interface = ? AND minute_us >= ? AND minute_us < ?',
    );
    this.insert = db.prepare(
      'INSERT INTO nic_losses (session_id, minute_us, interface, packets_lost, span_us) VALUES (?, ?, ?, ?, ?)',
    );
  }

  oldestUs(): number | null {
    return this.findOldest.get() ?? null;
  }

  prune(beforeUs: number, rowsMax: number): number {
    const endUs = beforeUs - (beforeUs % this.spanUs);
    let removed = 0;
    for (const [sessionId, name, startUs, rows, lost] of this.findBuckets.all(endUs, Math.ceil(rowsMax / 10))) {
      this.remove.run(sessionId, name, startUs, startUs + this.spanUs);
      this.insert.run(sessionId, startUs, name, lost, this.spanUs);
      removed += rows;
    }
    return removed;
  }
}

/**
 * Gaps: of each session, interface and day the longest stays for good, so that no day is taken for complete that was not. A gap that
 * lasts, and the last one of a session that runs, stay too.
 */
export class GapPrunable implements Prunable {
  readonly name = 'gaps';
  private readonly findOldest: Statement<[], number | null>;
  private readonly remove: Statement<[number, number]>;

  constructor(db: Database) {
    this.findOldest = db.prepare<[], number | null>('SELECT min(start_us) FROM gaps').pluck();
    this.remove = db.prepare(
      `DELETE FROM gaps WHERE (session_id, number) IN (SELECT session_id, number FROM
         (SELECT session_id, number, start_us, end_us, max(number) OVER (PARTITION BY session_id) AS last,
            row_number() OVER (PARTITION BY session_id, interface, start_us / ${DAY_US} ORDER BY end_us - start_us DESC, number) AS place
          FROM gaps)
       WHERE place > 1 AND end_us < ? AND number < last LIMIT ?)`,
    );
  }

  oldestUs(): number | null {
    return this.findOldest.get() ?? null;
  }

  prune(beforeUs: number, rowsMax: number): number {
    return this.remove.run(beforeUs, rowsMax).changes;
  }
}
