import type { Config } from '../config.js';

/**
 * Work that the writer does between batches, in slices, on its own connection: folding rollups, building look-ups, deleting what is
 * old, checkpoints. A chore has no clock; times are the session's, in ms since 1970.
 */
export interface Chore {
  /** For the log and for people: a word. */
  readonly name: string;
  /** The earliest time of its next slice; Infinity when there is nothing to do. */
  readonly dueMs: number;
  /**
   * Does one slice, in transactions of its own, of about `budgetMs` at most, and sets `dueMs` anew. Throws what SQLite throws: the
   * slice is then rolled back, and comes again later.
   */
  step(nowMs: number, budgetMs: number): void;
  /** Goes by another config from now on. */
  reconfigure?(config: Config): void;
}
