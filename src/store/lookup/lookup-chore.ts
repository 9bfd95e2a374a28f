import type { Database, Statement } from 'better-sqlite3';
import type { Chore } from '../chore.js';
import type { LiveRun } from './live-run.js';
import { BLOCK_ROWS, RUN_ROWS } from './lookup-kind.js';
import { RunBuilder } from './run-builder.js';
import { RunRemoval } from './run-removal.js';

/** Rows in no run that are left to be: reading them costs a search little, and a run of its own would be asked each time. */
const GAP_ROWS_MIN = 4096;
/** Entries that are deleted in one slice. */
const REMOVED_ROWS_MAX = 8192;
/** From one look for work to the next, while there is none. */
const LOOK_MS = 600_000;

/** Ids above the first and up to the last. */
interface IdRange {
  readonly afterId: number;
  readonly lastId: number;
}

/**
 * Sees to what `LiveRun` leaves: rows that are in no run (from a process that has ended, a batch that was rolled back, an older
 * flowberry), runs that are no longer true because an old capture was read into their midst, and runs whose rows are deleted.
 */
export class LookupChore implements Chore {
  readonly name: string;
  dueMs: number;
  private readonly builder = new RunBuilder();
  private readonly removal: RunRemoval;
  private readonly read: Statement<[afterId: number, lastId: number, rowsMax: number], (number | null)[]>;
  private readonly findNth: Statement<[afterId: number, lastId: number, offset: number], number>;
  private readonly oldestId: Statement<[], number | null>;
  private readonly write: () => void;
  private readonly remove: () => number;
  /** The gap that `builder` is at; null for none. */
  private gap: IdRange | null = null;
  private lateCount = 0;

  constructor(
    db: Database,
    private readonly live: LiveRun,
    nowMs: number,
  ) {
    const { table, subject, readSql } = live.table;
    this.name = `look-ups of ${table}`;
    this.removal = new RunRemoval(db, subject);
    this.read = db.prepare<[number, number, number], (number | null)[]>(readSql).raw();
    this.findNth = db
      .prepare<[number, number, number], number>(`SELECT id FROM ${table} WHERE id > ? AND id <= ? ORDER BY id LIMIT 1 OFFSET ?`)
      .pluck();
    this.oldestId = db.prepare<[], number | null>(`SELECT min(id) FROM ${table}`).pluck();
    this.write = db.transaction(() => live.store.write(this.builder)).immediate;
    this.remove = db.transaction(() =>
      this.removal.prune(this.oldestId.get() ?? Number.MAX_SAFE_INTEGER, REMOVED_ROWS_MAX),
    ).immediate;
    this.dueMs = this.hasRemovals() || this.findGap() ? nowMs : nowMs + LOOK_MS;
  }

  step(nowMs: number, budgetMs: number): void {
    const untilMs = performance.now() + budgetMs;
    // Stays due until a look has found nothing to do.
    if (this.gap === null && this.hasRemovals() && this.remove() > 0) return;
    if (this.gap === null || this.lateCount !== this.live.lateCount) this.begin();
    if (this.gap === null) this.dueMs = nowMs + LOOK_MS;
    else this.fill(this.gap, untilMs);
  }

  /** So that a look costs no write. */
  private hasRemovals(): boolean {
    return this.removal.isDue(this.oldestId.get() ?? Number.MAX_SAFE_INTEGER);
  }

  private begin(): void {
    this.lateCount = this.live.lateCount;
    this.gap = this.findGap();
    if (this.gap) this.builder.reset(this.gap.afterId);
  }

  private fill(gap: IdRange, untilMs: number): void {
    const { builder, live } = this;
    do {
      const rowsMax = Math.min(BLOCK_ROWS, RUN_ROWS - builder.rowCount);
      const rows = this.read.all(builder.lastId, gap.lastId, rowsMax);
      for (const row of rows) live.table.add(builder, row);
      if (rows.length < rowsMax) builder.extendTo(gap.lastId);
      if (rows.length < rowsMax || builder.isFull) {
        this.gap = null;
        this.write();
        return;
      }
    } while (performance.now() < untilMs);
  }

  /**
   * The oldest gap that has rows enough; the run before it is made anew with it where that is short, as one that was all that there was
   * when it was written.
   */
  private findGap(): IdRange | null {
    const runs = this.live.store.runs();
    let before = { afterId: -1, lastId: -1, rowCount: RUN_ROWS };
    for (const run of [...runs, { afterId: this.live.afterId, lastId: this.live.afterId, rowCount: 0 }]) {
      if (this.findNth.get(before.lastId, run.afterId, GAP_ROWS_MIN - 1) !== undefined)
        return { afterId: before.rowCount < RUN_ROWS / 2 ? before.afterId : before.lastId, lastId: run.afterId };
      before = run;
    }
    return null;
  }
}
