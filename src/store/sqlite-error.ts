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

/** What SQLite's result codes mean to an operator who opens a database. */
const CODES: readonly (readonly [prefix: string, code: ErrorCode, meaning: string])[] = [
  ['SQLITE_BUSY', 'DATABASE_LOCKED', 'another process holds it'],
  ['SQLITE_LOCKED', 'DATABASE_LOCKED', 'another process holds it'],
  ['SQLITE_NOTADB', 'DATABASE_FOREIGN', 'it is no SQLite file'],
  ['SQLITE_CORRUPT', 'DATABASE_DAMAGED', 'the file is damaged'],
  ['SQLITE_', 'DATABASE_NOT_WRITABLE', 'it cannot be opened or written to'],
];

/** An error met while the database at `path` was opened, as an `AppError`; what SQLite did not throw is left as it is. */
export function openError(path: string, error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  const [, code, meaning] = CODES.find(([prefix]) => error.code.startsWith(prefix)) as (typeof CODES)[number];
  return new AppError(code, `database ${path}: ${meaning} (${error.message})`, { cause: error });
}
