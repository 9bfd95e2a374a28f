import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { AppError } from '../../errors.js';
import { APPLICATION_ID, SCHEMA_VERSION } from '../schema.js';
import { isSqliteError } from '../sqlite-error.js';
import { WriterLock } from '../writer-lock.js';
import { type BackupMetadata, readMetadata, timeName } from './backup-files.js';
import { giveOwner, linkOrCopy, syncPath } from './durable-file.js';
import { verifyCopy } from './facts.js';
import { sha256Of, unpack } from './packing.js';

type RestoreStage = 'verify' | 'unpack' | 'check';

export interface RestoreOptions {
  readonly backupPath: string;
  readonly databasePath: string;
  /** Wall clock, ms since 1970. */
  readonly nowMs: number;
  readonly onProgress?: (stage: RestoreStage, ratio: number) => void;
}

export interface RestoreResult {
  readonly metadata: BackupMetadata;
  /** Where the database that was there before is now; null where there was none. */
  readonly safetyCopy: string | null;
}

/**
 * Puts a backup in the place of the database. Everything is checked before anything is changed: the metadata, the sum of the file, the
 * version of the schema, the sum of what it unpacks to, its pages and its rows. What was there is kept beside it; at no moment is there
 * half a database under the name.
 *
 * Throws `AppError`: BACKUP_INVALID, DATABASE_NEWER, DATABASE_LOCKED while flowberry writes to the database, DATABASE_NOT_WRITABLE.
 */
export async function restoreDatabase(options: RestoreOptions): Promise<RestoreResult> {
  const metadata = await verifyBackup(options);
  const directory = makeDirectory(dirname(options.databasePath));
  const name = basename(options.databasePath);
  const path = existsSync(join(directory, name)) ? realpathSync(join(directory, name)) : join(directory, name);
  const lock = WriterLock.acquire(path);
  try {
    const partial = `${path}.restore-${timeName(options.nowMs)}.partial`;
    deleteUnfinished(path);
    try {
      await unpackChecked(options, metadata, partial);
      const safetyCopy = existsSync(path) ? keep(path, options.nowMs) : null;
      giveOwner(partial, safetyCopy ?? path);
      renameSync(partial, path);
      syncPath(dirname(path));
      return { metadata, safetyCopy };
    } finally {
      for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${partial}${end}`, { force: true });
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new AppError('DATABASE_NOT_WRITABLE', `database ${path}: ${error.message}`, { cause: error });
  } finally {
    lock.release();
  }
}

/** All that can be known without unpacking. */
async function verifyBackup({ backupPath, onProgress }: RestoreOptions): Promise<BackupMetadata> {
  if (!existsSync(backupPath)) throw new AppError('BACKUP_INVALID', `backup ${backupPath}: there is no such file`);
  const metadata = readMetadata(backupPath);
  if (metadata === null)
    throw new AppError(
      'BACKUP_INVALID',
      `backup ${backupPath}: its metadata, ${basename(backupPath)}.json, are missing or broken`,
    );
  if (metadata.facts.schema_version > SCHEMA_VERSION)
    throw new AppError(
      'DATABASE_NEWER',
      `backup ${backupPath}: its schema has version ${metadata.facts.schema_version}, this flowberry knows ${SCHEMA_VERSION}`,
    );
  onProgress?.('verify', 0);
  const sha256 = await sha256Of(backupPath);
  if (sha256 !== metadata.file_sha256)
    throw new AppError(
      'BACKUP_INVALID',
      `backup ${backupPath}: its SHA-256 is ${sha256}, the metadata tell ${metadata.file_sha256}`,
    );
  return metadata;
}

async function unpackChecked(options: RestoreOptions, metadata: BackupMetadata, partial: string): Promise<void> {
  const { backupPath, onProgress } = options;
  const unpacked = await unpack(backupPath, partial, metadata.compression, {
    onProgress: (ratio) => onProgress?.('unpack', ratio),
  });
  if (unpacked.toSha256 !== metadata.database_sha256)
    throw new AppError('BACKUP_INVALID', `backup ${backupPath}: it unpacks to something else than was packed`);
  onProgress?.('check', 0);
  let db: Database.Database | undefined;
  try {
    db = new Database(partial);
    if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID)
      throw new AppError('BACKUP_INVALID', `backup ${backupPath}: it holds no flowberry database`);
    verifyCopy(db, metadata.facts, 'BACKUP_INVALID', `backup ${backupPath}`);
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    throw new AppError('BACKUP_INVALID', `backup ${backupPath}: ${error.message}`, { cause: error });
  } finally {
    db?.close();
  }
}

/**
 * Gives the database a second name that stays, without copying it. Its write-ahead log is moved into it first; where that fails,
 * since the file is damaged, the log goes along.
 */
function keep(path: string, nowMs: number): string {
  const safetyCopy = `${path}.before-restore-${timeName(nowMs)}`;
  let db: Database.Database | undefined;
  try {
    db = new Database(path);
    db.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    if (!isSqliteError(error)) throw error;
  } finally {
    db?.close();
  }
  linkOrCopy(path, safetyCopy);
  // A log that is left here would be taken for that of the restored database.
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${safetyCopy}-wal`);
  rmSync(`${path}-shm`, { force: true });
  syncPath(dirname(path));
  return safetyCopy;
}

/** Deletes what a restore that was killed has left half-done. */
function deleteUnfinished(path: string): void {
  const start = `${basename(path)}.restore-`;
  for (const name of readdirSync(dirname(path)))
    if (name.startsWith(start) && /^\d{8}T\d{6}Z\.partial(-journal|-wal|-shm)?$/.test(name.slice(start.length)))
      rmSync(join(dirname(path), name));
}

function makeDirectory(path: string): string {
  try {
    mkdirSync(path, { recursive: true });
    return realpathSync(path);
  } catch (error) {
    throw new AppError('DATABASE_NOT_WRITABLE', `directory ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && !(error instanceof AppError) && 'code' in error;
}
