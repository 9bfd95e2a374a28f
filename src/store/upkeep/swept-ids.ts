import type { Database, Statement } from 'better-sqlite3';
import { IdMarks } from './id-marks.js';

/**
 * What a dimension table and its sweep know of each other. Ids are given in order and never twice, so that a table holds as many rows
 * as ids were given, less those swept out. While a sweep is under way every id that may yet be written is marked: those that are
 * held in memory when it begins, and those that are read from the table later. Only ids that were given before are swept, and never
 * the last one: by that one the next is counted.
 */
export class SweptIds {
  private count: number;
  private marks: IdMarks | null = null;
  private readonly findCount: Statement<[string], number>;
  private readonly keepCount: Statement<[string, number]>;
  private readonly findLast: Statement<[], number>;
  private readonly findNext: Statement<[number, number], number>;
  private readonly remove: Statement<[number]>;
  private readonly task: string;

  /**
   * `idFirst` is the overflow entry, which stays. `held` gives the ids that are in memory; others than ids among them do no harm.
   * `onEnd` is told when there may be room again.
   */
  constructor(
    db: Database,
    readonly table: 'texts' | 'addresses',
    private readonly idFirst: number,
    private readonly held: () => Iterable<number>,
    private readonly onEnd: () => void,
  ) {
    this.task = `${table} swept`;
    this.findCount = db.prepare<[string], number>('SELECT CAST(result AS INTEGER) FROM upkeep WHERE task = ?').pluck();
    this.keepCount = db.prepare('INSERT OR REPLACE INTO upkeep VALUES (?, 0, ?)');
    this.findLast = db.prepare<[], number>(`SELECT max(id) FROM ${table}`).pluck();
    this.findNext = db.prepare<[number, number], number>(`SELECT id FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`).pluck();
    this.remove = db.prepare(`DELETE FROM ${table} WHERE id = ?`);
    this.count = this.findCount.get(this.task) ?? 0;
  }

  /** Rows that were swept out so far. */
  get rows(): number {
    return this.count;
  }

  /** Rows that are in the table. */
  get rowsStored(): number {
    return (this.findLast.get() as number) - this.idFirst + 1 - this.count;
  }

  /** An id was read from the table, and may be written from now on. */
  use(id: number): void {
    this.marks?.add(id);
  }

  /** Begins a sweep of the ids given so far; `alsoHeld` are ids that others hold in memory. Outside of any transaction. */
  begin(alsoHeld: Iterable<number>): IdMarks {
    const marks = new IdMarks({ first: this.idFirst, count: (this.findLast.get() as number) - this.idFirst });
    marks.add(this.idFirst);
    for (const id of this.held()) marks.add(id);
    for (const id of alsoHeld) marks.add(id);
    this.marks = marks;
    return marks;
  }

  end(): void {
    this.marks = null;
    this.onEnd();
  }

  /**
   * Deletes up to `removeMax` of the next `lookMax` rows behind `id` that are not marked, inside the open transaction. Returns the id
   * up to which it has looked, null at the end.
   */
  sweep(id: number, lookMax: number, removeMax: number): { readonly id: number | null; readonly removed: number } {
    let removed = 0;
    let last: number | null = null;
    for (const next of this.findNext.all(id, lookMax)) {
      if (removed === removeMax) break;
      last = next;
      if (!this.marks?.isFree(next)) continue;
      this.remove.run(next);
      removed++;
    }
    if (removed > 0) {
      this.count += removed;
      this.keepCount.run(this.task, this.count);
    }
    return { id: last, removed };
  }

  /** A transaction was rolled back. */
  revert(): void {
    this.count = this.findCount.get(this.task) ?? 0;
  }
}
