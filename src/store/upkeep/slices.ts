import type { Database, Statement } from 'better-sqlite3';
import { Cell, type ThreadBlock } from '../../ring/thread-block.js';

/** What is aimed at, so that a slice that turns out heavier still keeps to its time. */
const AIM = 0.4;
const ROWS_MIN = 50;
const ROWS_MAX = 10_000;

/**
 * Transactions of their own for work in slices, with the number of rows that fits the time. Any commit may move the write-ahead log
 * into the file, and wait for the card meanwhile: the thread then shows no sign of life, and says so in its block.
 */
export class Slices {
  private rows = 500;
  private readonly beginStatement: Statement<[]>;
  private readonly commitStatement: Statement<[]>;

  constructor(
    db: Database,
    private readonly block: ThreadBlock,
  ) {
    this.beginStatement = db.prepare('BEGIN IMMEDIATE');
    this.commitStatement = db.prepare('COMMIT');
  }

  /** Runs `work` with a number of rows to handle, and returns how many it has handled. What it throws leaves the transaction open. */
  run(budgetMs: number, work: (rowsMax: number) => number): number {
    const startMs = performance.now();
    this.beginStatement.run();
    const rows = work(this.rows);
    const workMs = performance.now() - startMs;
    this.blocking(() => this.commitStatement.run());
    if (rows >= this.rows / 2 || workMs > budgetMs * AIM) {
      const factor = Math.min(2, Math.max(0.25, (budgetMs * AIM) / Math.max(workMs, 0.1)));
      this.rows = Math.round(Math.min(ROWS_MAX, Math.max(ROWS_MIN, this.rows * factor)));
    }
    return rows;
  }

  /** Runs something that nobody can interrupt. */
  blocking<T>(work: () => T): T {
    this.block.cells[Cell.Blocked] = 1;
    try {
      return work();
    } finally {
      this.block.beat();
      this.block.cells[Cell.Blocked] = 0;
    }
  }
}
