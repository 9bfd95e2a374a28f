import Database from 'better-sqlite3';
import { AppError } from '../errors.js';
import { makePrivateFile } from './private-file.js';
import { isBusy, isSqliteError, openError } from './sqlite-error.js';

/** A predecessor in this process may need a moment until its thread is torn down. */
const WAIT_MS = 1000;

/**
 * Keeps a second writer away from a database. SQLite's own write lock is free between two batches, so the lock is a file
 * beside the database that one connection holds exclusively for as long as it lives. The kernel drops the lock with the
 * process, however it ends, and better-sqlite3 closes it with the thread; so nothing is left to clear up, and the empty
 * file that stays behind means nothing.
 */
export class WriterLock {
  private constructor(private readonly connection: Database.Database) {}

  /** Throws `DATABASE_LOCKED` when another writer holds the lock, `DATABASE_NOT_WRITABLE` when the file cannot be made. */
  static acquire(databasePath: string): WriterLock {
    let connection: Database.Database | undefined;
    try {
      makePrivateFile(`${databasePath}-lock`);
      connection = new Database(`${databasePath}-lock`, { timeout: WAIT_MS });
      // Nothing is ever written to it; a journal would be, on the disk.
      connection.pragma('journal_mode = MEMORY');
      connection.exec('BEGIN EXCLUSIVE');
      return new WriterLock(connection);
    } catch (error) {
      connection?.close();
      if (isSqliteError(error) && isBusy(error))
        throw new AppError('DATABASE_LOCKED', `database ${databasePath}: another flowberry writes to it`, { cause: error });
      throw openError(`${databasePath}-lock`, error);
    }
  }

  release(): void {
    this.connection.close();
  }
}
