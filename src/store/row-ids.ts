import type { Database, Statement } from 'better-sqlite3';
import { damaged } from './sqlite-error.js';

/** Ids are even, so they are this far apart at least. */
const STEP = 2;

/**
 * Gives each row of a table its id: the µs of its emission, rounded down to an even number, and moved on to the next one that is free.
 * Ids only grow, but for a `revert`. Rows of earlier runs may lie in the way when old captures are added: the nearest of them
 * is known, so that the database is asked again only when it has been reached.
 */
export class RowIds {
  private readonly findTaken: Statement<[number], number>;
  private last = -STEP;
  /** The nearest id that is taken, not below the last one given; -Infinity when it is not known yet. */
  private taken = Number.NEGATIVE_INFINITY;

  /** For the rows of one table; each table counts by itself. */
  constructor(db: Database, table: 'flows' | 'dns') {
    this.findTaken = db.prepare<[number], number>(`SELECT id FROM ${table} WHERE id >= ? ORDER BY id LIMIT 1`).pluck();
  }

  /** The id of a row that was emitted at `emittedUs`, an integer of 0 or more. */
  next(emittedUs: number): number {
    let id = emittedUs - (emittedUs % STEP);
    if (id <= this.last) id = this.last + STEP;
    while (id >= this.taken) {
      this.taken = this.findTaken.get(id) ?? Number.POSITIVE_INFINITY;
      // In a damaged file rows stand in any order; asking for ever would not help.
      if (this.taken < id) throw damaged('the order of the rows');
      if (this.taken === id) id += STEP;
    }
    this.last = id;
    return id;
  }

  /** Rows were rolled back, or it is in doubt whether they are committed: the database is asked again what is taken. */
  revert(): void {
    this.last = -STEP;
    this.taken = Number.NEGATIVE_INFINITY;
  }
}
