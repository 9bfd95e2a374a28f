import Database from 'better-sqlite3';
import { AppError, type ErrorCode } from '../errors.js';

/** SQLite's own error, with its extended result code in `code`. */
export type SqliteError = InstanceType<typeof Database.SqliteError>;

export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Database.SqliteError;
}

/** Whether another connection holds what was asked for: trying again later is the answer. */
export function isBusy(error: SqliteError): boolean {
  return error.code.startsWith('SQLITE_BUSY') || error.code.startsWith('SQLITE_LOCKED');
}

/** Whether SQLite has found pages that cannot be as they are. */
export function isDamage(error: SqliteError): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(error.code);
}

/** What is stored is not what was written: a page was overwritten in a way that SQLite cannot see. */
export function damaged(what: string): SqliteError {
  return new Database.SqliteError(`${what} is not what was stored`, 'SQLITE_CORRUPT');
}

/** What SQLite's result codes mean to an operator who opens a database. */
const CODES: readonly (readonly [prefix: string, code: ErrorCode, meaning: string])[] = [
  ['SQLITE_BUSY', 'DATABASE_LOCKED', 'another process holds it'],
  ['SQLITE_LOCKED', 'DATABASE_LOCKED', 'another process holds it'],
  ['SQLITE_NOTADB', 'DATABASE_FOREIGN', 'it is no SQLite file'],
  ['SQLITE_CORRUPT', 'DATABASE_DAMAGED', 'the file is damaged'],
  ['SQLITE_ERROR', 'DATABASE_DAMAGED', 'its tables are not what they should be'],
  ['SQLITE_CONSTRAINT', 'DATABASE_DAMAGED', 'its rows are not what they should be'],
  ['SQLITE_', 'DATABASE_NOT_WRITABLE', 'it cannot be opened or written to'],
];

/** An error met while the database at `path` was opened, as an `AppError`; what SQLite did not throw is left as it is. */
export function openError(path: string, error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  const [, code, meaning] = CODES.find(([prefix]) => error.code.startsWith(prefix)) as (typeof CODES)[number];
  return new AppError(code, `database ${path}: ${meaning} (${error.message})`, { cause: error });
}
