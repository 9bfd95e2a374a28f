import type { Database, Statement } from 'better-sqlite3';

/** Ids are even, so they are this far apart at least. */
const STEP = 2;

/**
 * Gives each row its id: the µs of its emission, rounded down to an even number, and moved on to the next one that is free.
 * Within a run ids only grow. Rows of earlier runs may lie in the way when old captures are added: the nearest of them is
 * known, so that the database is asked again only when it has been reached.
 */
export class RowIds {
  private readonly findTaken: Statement<[number], number>;
  private last = -STEP;
  private lastSettled = -STEP;
  /** Smallest id of another run that is not below the last id asked for; -Infinity when it is not known yet. */
  private taken = Number.NEGATIVE_INFINITY;

  constructor(db: Database) {
    this.findTaken = db.prepare<[number], number>('SELECT id FROM flows WHERE id >= ? ORDER BY id LIMIT 1').pluck();
  }

  /** The id of a row that was emitted at `emittedUs`, an integer of 0 or more. */
  next(emittedUs: number): number {
    let id = emittedUs - (emittedUs % STEP);
    if (id <= this.last) id = this.last + STEP;
    while (id >= this.taken) {
      this.taken = this.findTaken.get(id) ?? Number.POSITIVE_INFINITY;
      if (this.taken === id) id += STEP;
    }
    this.last = id;
    return id;
  }

  /** The rows so far are committed. */
  settle(): void {
    this.lastSettled = this.last;
  }

  /** The rows since the last `settle` were rolled back; they will ask for their ids again. */
  revert(): void {
    this.last = this.lastSettled;
    this.taken = Number.NEGATIVE_INFINITY;
  }
}
