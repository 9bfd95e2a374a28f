import type { Database, Statement } from 'better-sqlite3';
import type { Prunable } from '../prunable.js';
import type { LookupSubject } from './lookup-kind.js';

/** Deletes runs that are stale, and those whose rows have gone, entry by entry. Has no transaction of its own. */
export class RunRemoval implements Prunable {
  readonly name = 'look-ups';
  private readonly oldest: Statement<[number], number | null>;
  private readonly findDue: Statement<[subject: number, beforeId: number], number>;
  private readonly expire: Statement<[subject: number, beforeId: number]>;
  private readonly findStale: Statement<[number], number>;
  private readonly findEntry: Statement<[run: number, offset: number], { kind: number; key: number }>;
  private readonly removeSome: Statement<[run: number, kind: number, key: number]>;
  private readonly removals: readonly Statement<[run: number]>[];

  constructor(
    db: Database,
    private readonly subject: LookupSubject,
  ) {
    this.oldest = db.prepare<[number], number | null>('SELECT min(last_id) FROM lookup_runs WHERE subject = ?').pluck();
    this.findDue = db
      .prepare<[number, number], number>(
        'SELECT run FROM lookup_runs WHERE subject = ? AND (is_stale = 1 OR last_id < ?) LIMIT 1',
      )
      .pluck();
    this.expire = db.prepare('UPDATE lookup_runs SET is_stale = 1 WHERE subject = ? AND is_stale = 0 AND last_id < ?');
    this.findStale = db
      .prepare<[number], number>('SELECT run FROM lookup_runs WHERE subject = ? AND is_stale = 1 ORDER BY run LIMIT 1')
      .pluck();
    this.findEntry = db.prepare('SELECT kind, key FROM lookup WHERE run = ? ORDER BY kind, key LIMIT 1 OFFSET ?');
    this.removeSome = db.prepare('DELETE FROM lookup WHERE run = ? AND (kind, key) <= (?, ?)');
    this.removals = ['lookup', 'lookup_blocks', 'lookup_runs'].map((table) => db.prepare(`DELETE FROM ${table} WHERE run = ?`));
  }

  /** Time of the newest row of the oldest run. */
  oldestUs(): number | null {
    return this.oldest.get(this.subject) ?? null;
  }

  /** Whether `prune` would delete anything. */
  isDue(beforeUs: number): boolean {
    return this.findDue.get(this.subject, beforeUs) !== undefined;
  }

  /** A run counts as old when its newest row is; a stale one always does. */
  prune(beforeUs: number, rowsMax: number): number {
    this.expire.run(this.subject, beforeUs);
    const run = this.findStale.get(this.subject);
    if (run === undefined) return 0;
    const last = this.findEntry.get(run, rowsMax - 1);
    if (last) return this.removeSome.run(run, last.kind, last.key).changes;
    return this.removals.reduce((sum, statement) => sum + statement.run(run).changes, 0);
  }
}
