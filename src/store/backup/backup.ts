import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { AppError } from '../../errors.js';
import { openForReading } from '../open-database.js';
import { isSqliteError } from '../sqlite-error.js';
import { WriterLock } from '../writer-lock.js';
import {
  type BackupFacts,
  type BackupMetadata,
  backupName,
  backupStem,
  COMPRESSIONS,
  type Compression,
  deleteOld,
  deleteUnfinished,
  metadataPath,
} from './backup-files.js';
import { createPrivate, syncPath } from './durable-file.js';
import { readFacts, verifyCopy } from './facts.js';
import { pack, requireCompression } from './packing.js';
import { blockMs, Throttle } from './throttle.js';

/** Pages that are copied between two looks at the clock: 1 MiB. */
const STEP_PAGES = 256;
/** Part of the database's size that must be free on top of the copy: what the packed file may take at worst. */
const PACKED_RATIO_MAX = 0.5;
/** What must stay free beside it all. */
const SPARE_BYTES = 16 * 2 ** 20;

type BackupStage = 'copy' | 'verify' | 'pack';

export interface BackupOptions {
  readonly databasePath: string;
  /** Made where it is not there. */
  readonly directory: string;
  /** Good backups of this database that stay there, this one included: at least 1. */
  readonly keep: number;
  readonly compression: Compression;
  /** Bytes written per second at most; 0 is no limit. */
  readonly bytesPerSMax: number;
  /** Wall clock, ms since 1970. */
  readonly nowMs: number;
  /** Ends the backup; nothing of it stays. */
  readonly signal?: AbortSignal;
  /** Part of the stage that is done, from 0 to 1. */
  readonly onProgress?: (stage: BackupStage, ratio: number) => void;
  /** Bytes that were written since the last call. */
  readonly onWritten?: (bytes: number) => void;
}

export interface BackupResult {
  readonly path: string;
  readonly metadata: BackupMetadata;
  /** Older backups that made room. */
  readonly deleted: readonly string[];
}

/**
 * Makes a backup of a database that may be in use: a copy of one moment, checked, packed, and under its name only when all of it is on
 * the disk. The thread is blocked while SQLite copies and checks. The copy is taken inside one read transaction, or every batch of a
 * running writer would start it anew; the write-ahead log grows meanwhile. Measured against `VACUUM INTO`, which writes only pages that
 * are in use, this writes the free ones too, but can be slowed down and stopped.
 *
 * Throws `AppError`: what `openForReading` throws, DATABASE_LOCKED while another backup runs, BACKUP_FAILED. Older backups are left
 * alone then.
 */
export async function backupDatabase(options: BackupOptions): Promise<BackupResult> {
  requireCompression(options.compression);
  const source = openForReading(options.databasePath);
  try {
    const databasePath = realpathSync(options.databasePath);
    const directory = makeDirectory(options.directory);
    const lock = lockBackups(join(directory, `${backupStem(databasePath)}.backup`));
    try {
      deleteUnfinished(directory, databasePath);
      return await makeBackup(source, { ...options, databasePath, directory });
    } finally {
      lock.release();
    }
  } catch (error) {
    throw failureOf(error, options);
  } finally {
    source.close();
  }
}

async function makeBackup(source: Database.Database, options: BackupOptions): Promise<BackupResult> {
  const { databasePath, directory, nowMs, compression, signal, onWritten } = options;
  const name = backupName(databasePath, nowMs);
  const path = join(directory, `${name}${COMPRESSIONS[compression]}`);
  if (existsSync(path)) throw new AppError('BACKUP_FAILED', `backup ${path}: it is there already`);
  const copyPath = join(directory, `${name}.partial`);
  const packedPath = `${path}.partial`;
  const metadataPartial = `${metadataPath(path)}.partial`;
  try {
    const facts = await copy(source, copyPath, options);
    options.onProgress?.('verify', 0);
    check(copyPath, facts);
    const packed = await pack(copyPath, packedPath, compression, {
      bytesPerSMax: options.bytesPerSMax,
      signal,
      onProgress: (ratio) => options.onProgress?.('pack', ratio),
      ...(onWritten && { onWritten }),
    });
    const metadata: BackupMetadata = {
      flowberry_backup: 1,
      database: databasePath,
      file: `${name}${COMPRESSIONS[compression]}`,
      compression,
      created_us: nowMs * 1000,
      facts,
      database_bytes: packed.fromBytes,
      file_bytes: packed.toBytes,
      database_sha256: packed.fromSha256,
      file_sha256: packed.toSha256,
    };
    writeMetadata(metadataPartial, metadata);
    // The backup is there from its own renaming on, so that comes last: metadata alone mean nothing.
    renameSync(metadataPartial, metadataPath(path));
    syncPath(directory);
    renameSync(packedPath, path);
    syncPath(directory);
    return { path, metadata, deleted: deleteOld(directory, databasePath, options.keep) };
  } finally {
    for (const partial of [copyPath, `${copyPath}-journal`, `${copyPath}-wal`, `${copyPath}-shm`, packedPath, metadataPartial])
      rmSync(partial, { force: true });
  }
}

/** Copies all pages of one moment, and tells what the database held at that moment. */
async function copy(source: Database.Database, path: string, options: BackupOptions): Promise<BackupFacts> {
  const pageBytes = source.pragma('page_size', { simple: true }) as number;
  const throttle = new Throttle(options.bytesPerSMax, () => performance.now());
  source.exec('BEGIN');
  const facts = readFacts(source);
  requireSpace(options.directory, (source.pragma('page_count', { simple: true }) as number) * pageBytes);
  closeSync(createPrivate(path));
  let copiedPages = 0;
  const copied = (totalPages: number, remainingPages: number): void => {
    const bytes = (totalPages - remainingPages - copiedPages) * pageBytes;
    copiedPages = totalPages - remainingPages;
    options.onWritten?.(bytes);
    options.onProgress?.('copy', totalPages === 0 ? 1 : copiedPages / totalPages);
    for (let waitMs = throttle.wrote(bytes); waitMs > 0; waitMs = throttle.wrote(0)) {
      options.signal?.throwIfAborted();
      blockMs(waitMs);
    }
    options.signal?.throwIfAborted();
  };
  const { totalPages, remainingPages } = await source.backup(path, {
    progress: (progress) => {
      copied(progress.totalPages, progress.remainingPages);
      return STEP_PAGES;
    },
  });
  // The last step is not told.
  copied(totalPages, remainingPages);
  source.exec('COMMIT');
  return facts;
}

/** Opens the copy as a file that needs no other beside it, and checks it. */
function check(path: string, facts: BackupFacts): void {
  const db = new Database(path);
  try {
    db.pragma('synchronous = OFF');
    db.pragma('journal_mode = DELETE');
    verifyCopy(db, facts, 'BACKUP_FAILED', `backup ${path}`);
  } finally {
    db.close();
  }
}

function writeMetadata(path: string, metadata: BackupMetadata): void {
  const fd = createPrivate(path);
  try {
    writeSync(fd, `${JSON.stringify(metadata, null, 2)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** A backup that cannot fit shall not fill the disk first. */
function requireSpace(directory: string, databaseBytes: number): void {
  const { bavail, bsize } = statfsSync(directory);
  const neededBytes = Math.ceil(databaseBytes * (1 + PACKED_RATIO_MAX)) + SPARE_BYTES;
  if (bavail * bsize < neededBytes)
    throw new AppError(
      'BACKUP_FAILED',
      `backup directory ${directory}: ${bavail * bsize} bytes are free, ${neededBytes} are needed`,
    );
}

function makeDirectory(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!statSync(path).isDirectory()) throw new AppError('BACKUP_FAILED', `backup directory ${path}: it is no directory`);
  return realpathSync(path);
}

function lockBackups(path: string): WriterLock {
  try {
    return WriterLock.acquire(path);
  } catch (error) {
    if (error instanceof AppError && error.code === 'DATABASE_LOCKED')
      throw new AppError('BACKUP_FAILED', `backup ${path}: another backup runs`, { cause: error });
    throw error;
  }
}

function failureOf(error: unknown, { directory, signal }: BackupOptions): unknown {
  if (error instanceof AppError || signal?.aborted) return error;
  const isSystem = error instanceof Error && 'code' in error;
  if (isSqliteError(error) || isSystem)
    return new AppError('BACKUP_FAILED', `backup to ${directory}: ${(error as Error).message}`, { cause: error });
  return error;
}
