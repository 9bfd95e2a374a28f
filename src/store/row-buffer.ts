import type { Database, Statement } from 'better-sqlite3';

/** A value as SQLite takes it; numbers are integers up to 2^53. */
export type Value = number | string | null;

/**
 * Rows per statement. Measured with rows of `flows` and values as arguments: 389 k rows/s with 1, 535 k with 8, 642 k with 32,
 * 669 k with 64, no more with 256. Values in one array argument instead: 495 k with 32.
 */
const ROWS_PER_STATEMENT = 32;

/** Rows on their way into one table, several per statement. Has no transaction of its own. */
export class RowBuffer {
  /** Values of the rows that are not inserted yet, the columns in the order of the table; one array for all statements ever. */
  readonly values: Value[];
  /** Index in `values` of the first column of the next row. */
  at = 0;
  private readonly insertMany: Statement<Value[]>;
  private readonly insertOne: Statement<Value[]>;

  /** The table has `columnCount` columns, and every row that is pushed fills them all. */
  constructor(
    db: Database,
    table: string,
    private readonly columnCount: number,
  ) {
    const tuple = `(${new Array(columnCount).fill('?').join()})`;
    const tuples = new Array(ROWS_PER_STATEMENT).fill(tuple).join();
    this.insertMany = db.prepare<Value[]>(`INSERT INTO ${table} VALUES ${tuples}`);
    this.insertOne = db.prepare<Value[]>(`INSERT INTO ${table} VALUES ${tuple}`);
    // Not of numbers at first: V8 keeps those in another kind of array, for which the code is compiled anew when a text comes.
    this.values = new Array<Value>(ROWS_PER_STATEMENT * columnCount).fill(null);
  }

  /** Starts a batch; what an abandoned one has left is forgotten. */
  begin(): void {
    this.at = 0;
  }

  /** The row at `at` is complete. */
  push(): void {
    this.at += this.columnCount;
    if (this.at < this.values.length) return;
    this.insertMany.run(...this.values);
    this.at = 0;
  }

  /** Inserts the rows that do not fill a statement. */
  finish(): void {
    for (let first = 0; first < this.at; first += this.columnCount)
      this.insertOne.run(...this.values.slice(first, first + this.columnCount));
    this.at = 0;
  }
}
