import type { Database } from 'better-sqlite3';
import type { Chore } from './chore.js';
import { isDamage, isSqliteError, type SqliteError } from './sqlite-error.js';
import type { Log } from './trouble.js';

/** Longest slice that a chore is asked for: rows wait for so long, and the rings must hold what comes meanwhile. */
const SLICE_MS = 20;
/** Pause after a slice that the database refused. */
const REFUSED_MS = 10_000;

/** Lets the chores have their slices, one at a time, the most overdue first. */
export class Chores {
  /** Chores that the database refused, and when they may come again. */
  private readonly refusedUntilMs = new Map<Chore, number>();
  /** Set once a chore has found the file damaged. */
  damage: SqliteError | null = null;

  constructor(
    private readonly db: Database,
    private readonly chores: readonly Chore[],
    private readonly log: Log,
  ) {}

  /** Runs one slice if one is due, and tells whether another one is due now. Outside of any transaction. */
  step(nowMs: number): boolean {
    const next = this.nextDue(nowMs);
    if (next === undefined) return false;
    this.run(next, nowMs);
    return this.nextDue(nowMs) !== undefined;
  }

  /** Runs a slice of this chore, due or not. Outside of any transaction. */
  stepOf(chore: Chore, nowMs: number): void {
    if (!this.isRefused(chore, nowMs)) this.run(chore, nowMs);
  }

  /** The most overdue of those that are due. */
  private nextDue(nowMs: number): Chore | undefined {
    let next: Chore | undefined;
    for (const chore of this.chores) {
      if (chore.dueMs > nowMs || this.isRefused(chore, nowMs)) continue;
      if (next === undefined || chore.dueMs < next.dueMs) next = chore;
    }
    return next;
  }

  private isRefused(chore: Chore, nowMs: number): boolean {
    const untilMs = this.refusedUntilMs.get(chore) ?? 0;
    return untilMs > nowMs && untilMs - nowMs <= REFUSED_MS;
  }

  private run(next: Chore, nowMs: number): void {
    try {
      next.step(nowMs, SLICE_MS);
      this.refusedUntilMs.delete(next);
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      if (this.db.inTransaction) this.db.exec('ROLLBACK');
      this.refusedUntilMs.set(next, nowMs + REFUSED_MS);
      if (isDamage(error)) this.damage = error;
      this.log('warn', `${next.name}: the database refused: ${error.message}; it is tried again in ${REFUSED_MS / 1000} s`, {
        sqlite: error.code,
      });
    }
  }
}
