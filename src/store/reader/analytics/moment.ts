import type { Database } from 'better-sqlite3';

/** Reads in one transaction, so that rows which the writer moves meanwhile are neither missed nor counted twice. */
export function atOneMoment<T>(db: Database, read: () => T): T {
  if (db.inTransaction) return read();
  db.exec('BEGIN');
  try {
    return read();
  } finally {
    db.exec('ROLLBACK');
  }
}
