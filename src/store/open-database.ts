import { existsSync, realpathSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import { makePrivateDirectory, makePrivateFile } from './private-file.js';
import { APPLICATION_ID, migrate, SCHEMA_VERSION } from './schema.js';
import { openError } from './sqlite-error.js';
import { WriterLock } from './writer-lock.js';

/**
 * Page size of a new file. A transaction writes whole pages, and most of those that a batch changes get only a row or two: with 50 flows/s
 * in batches of 5 s, small pages halve what is written, at a few per cent of the speed.
 */
const PAGE_BYTES = 2048;
/** The smallest page that SQLite knows. It takes a file of a few bytes for an empty database, and would write over it. */
const SQLITE_BYTES_MIN = 512;

/**
 * Length of the write-ahead log before it is copied into the database. Pages that are written again meanwhile are
 * copied once. Against SQLite's 1,000 pages: a quarter of the fsyncs and, measured with IPv6 in a third of the rows, 4 % fewer
 * bytes to disk; rows/s are the same.
 */
const CHECKPOINT_BYTES = 16_000_000;
const JOURNAL_BYTES_MAX = 64 * 2 ** 20;

/** Waiting at the start blocks the thread, so it ends sooner than `db.busy-timeout-ms` may say. */
const OPEN_BUSY_MS_MAX = 5000;

/** A database that is open for writing, and the lock that keeps other writers out. */
export interface WritableDatabase {
  readonly db: Database.Database;
  readonly lock: WriterLock;
  readonly journalMode: string;
}

/** Closes the database and lets other writers in. */
export function closeDatabase({ db, lock }: WritableDatabase): void {
  db.close();
  lock.release();
}

/**
 * Opens the database for writing, creates it with its directory where there is none, and brings its schema up to date. Throws
 * `AppError`: DATABASE_NOT_WRITABLE, DATABASE_FOREIGN, DATABASE_NEWER, DATABASE_LOCKED or DATABASE_DAMAGED; a file that is not
 * ours is left as it is. `nowUs` is the wall clock, µs since 1970.
 */
export function openForWriting(config: Config, nowUs: number): WritableDatabase {
  const path = writablePath(config.dbPath);
  if (existsSync(path) && statSync(path).size > 0) refuseUnusable(path);
  const lock = WriterLock.acquire(path);
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: Math.min(config.dbBusyTimeoutMs, OPEN_BUSY_MS_MAX) });
    db.pragma(`page_size = ${PAGE_BYTES}`);
    const journalMode = db.pragma('journal_mode = WAL', { simple: true }) as string;
    db.pragma(`synchronous = ${config.dbSynchronous}`);
    db.pragma(`cache_size = -${config.dbCacheKib || cacheKibFor(totalmem())}`);
    db.pragma('temp_store = MEMORY');
    db.pragma('mmap_size = 0');
    db.pragma(`journal_size_limit = ${JOURNAL_BYTES_MAX}`);
    const pageBytes = db.pragma('page_size', { simple: true }) as number;
    db.pragma(`wal_autocheckpoint = ${Math.ceil((config.storeCheckpointBytes || CHECKPOINT_BYTES) / pageBytes)}`);
    db.pragma('foreign_keys = OFF');
    const isNew = db.pragma('user_version', { simple: true }) === 0;
    migrate(db, nowUs);
    // From now on the file itself says whose it is, also when the log that holds its first pages is lost.
    if (isNew) db.pragma('wal_checkpoint(PASSIVE)');
    return { db, lock, journalMode };
  } catch (error) {
    db?.close();
    lock.release();
    throw openError(path, error);
  }
}

/** Throws `DATABASE_NOT_FOUND` where no file is: who opens one for writing would make it. */
export function requireFile(path: string): void {
  if (!existsSync(path)) throw new AppError('DATABASE_NOT_FOUND', `database ${path}: there is no such file`);
}

/**
 * Opens a flowberry database for reading. Throws `AppError`: DATABASE_NOT_FOUND, DATABASE_FOREIGN, DATABASE_NEWER, or what
 * `openError` makes of SQLite's answer.
 */
export function openForReading(path: string): Database.Database {
  requireFile(path);
  const db = openReadOnly(path);
  if (db.pragma('user_version', { simple: true }) !== 0) return db;
  db.close();
  throw new AppError('DATABASE_FOREIGN', `database ${path}: it is empty`);
}

/** Throws what `openForWriting` throws for a file that it would not take. */
export function refuseUnusable(path: string): void {
  openReadOnly(path).close();
}

/** Opens a file that is ours, or an SQLite file without any table, which may become ours. */
function openReadOnly(path: string): Database.Database {
  const { size } = statSync(path);
  if (size > 0 && size < SQLITE_BYTES_MIN) throw new AppError('DATABASE_FOREIGN', `database ${path}: it is no SQLite file`);
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { readonly: true, timeout: OPEN_BUSY_MS_MAX });
    refuseForeign(db, path);
    return db;
  } catch (error) {
    db?.close();
    throw openError(path, error);
  }
}

/** The page cache for a machine with so much memory, where the operator gives none. */
export function cacheKibFor(memoryBytes: number): number {
  const gib = memoryBytes / 2 ** 30;
  if (gib <= 4.5) return 16 * 1024;
  return gib >= 7 && gib <= 9 ? 64 * 1024 : 32 * 1024;
}

/** An SQLite file without any table is nobody's: perhaps a flowberry was killed over it. */
function refuseForeign(db: Database.Database, path: string): void {
  const applicationId = db.pragma('application_id', { simple: true }) as number;
  const version = db.pragma('user_version', { simple: true }) as number;
  const objects = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
  if (applicationId !== APPLICATION_ID && (applicationId !== 0 || objects > 0))
    throw new AppError('DATABASE_FOREIGN', `database ${path}: it belongs to another application`);
  if (version > SCHEMA_VERSION)
    throw new AppError(
      'DATABASE_NEWER',
      `database ${path}: its schema has version ${version}, this flowberry knows ${SCHEMA_VERSION}`,
    );
}

/** The path without symbolic links, so that one database has one lock; its directory is made. */
function writablePath(path: string): string {
  try {
    makePrivateDirectory(dirname(path));
    if (!existsSync(path)) {
      const made = join(realpathSync(dirname(path)), basename(path));
      makePrivateFile(made);
      return made;
    }
    const real = realpathSync(path);
    if (!statSync(real).isFile()) throw new AppError('DATABASE_NOT_WRITABLE', `database ${path}: it is no regular file`);
    return real;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('DATABASE_NOT_WRITABLE', `database ${path}: ${(error as Error).message}`, { cause: error });
  }
}
