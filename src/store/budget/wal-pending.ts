import type { Database } from 'better-sqlite3';

/**
 * Pages of the write-ahead log that a checkpoint has still to move into the file; the same page may be among them more than once. 0 where
 * there is no such log. Outside of any transaction. SQLite is asked (`NOOP`: 3.51; older ones would run a checkpoint) and no file beside
 * the database is looked into: closing such a file would give up all locks that this process has on it (POSIX), and other processes would
 * then take the log away under its readers.
 */
export function walPagesPending(db: Database): number {
  const [{ log = 0, checkpointed = 0 } = {}] = db.pragma('wal_checkpoint(NOOP)') as { log?: number; checkpointed?: number }[];
  return Math.max(0, log - checkpointed);
}
