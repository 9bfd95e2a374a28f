import { closeSync, existsSync, fsyncSync, mkdirSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { AppError } from '../../errors.js';
import { openForReading } from '../open-database.js';
import { realPathOf } from '../real-path.js';
import { isSqliteError } from '../sqlite-error.js';
import { WriterLock } from '../writer-lock.js';
import {
  type BackupMetadata,
  backupName,
  backupStem,
  COMPRESSIONS,
  type Compression,
  deleteOld,
  deleteUnfinished,
  metadataPath,
} from './backup-files.js';
import { checkCopy, copyPages, requireSpace } from './copy-pages.js';
import { createPrivate, syncPath } from './durable-file.js';
import { pack, requireCompression } from './packing.js';

/** Part of the database's size that must be free on top of the copy: what the packed file may take at worst. */
const PACKED_RATIO_MAX = 0.5;
/** How far a name may be ahead of the clock where backups are made within a second; what goes beyond is refused. */
const NAME_AHEAD_S_MAX = 60;

type BackupStage = 'copy' | 'verify' | 'pack';

export interface BackupOptions {
  /** Its name: backups are known by it. */
  readonly databasePath: string;
  /** Where it lies now, if elsewhere: in memory. */
  readonly livePath?: string;
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
  const source = openForReading(options.livePath ?? options.databasePath);
  try {
    const databasePath = realPathOf(options.databasePath);
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
  const name = freeName(options);
  const path = join(directory, `${name}${COMPRESSIONS[compression]}`);
  const copyPath = join(directory, `${name}.partial`);
  const packedPath = `${path}.partial`;
  const metadataPartial = `${metadataPath(path)}.partial`;
  try {
    const facts = await copyPages(source, copyPath, {
      bytesPerSMax: options.bytesPerSMax,
      signal,
      requireSpace: (bytes) =>
        requireSpace(directory, Math.ceil(bytes * (1 + PACKED_RATIO_MAX)), 'BACKUP_FAILED', `backup directory ${directory}`),
      onProgress: (ratio) => options.onProgress?.('copy', ratio),
      ...(onWritten && { onWritten }),
    });
    options.onProgress?.('verify', 0);
    checkCopy(copyPath, facts, 'BACKUP_FAILED', `backup ${copyPath}`);
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

/** A name that no backup has: that of this second, or of the next free one. Throws BACKUP_FAILED. */
function freeName({ databasePath, directory, nowMs, compression }: BackupOptions): string {
  const isTaken = (name: string): boolean => existsSync(join(directory, `${name}${COMPRESSIONS[compression]}`));
  let name = backupName(databasePath, nowMs);
  for (let ahead = 1; isTaken(name); ahead++) {
    if (ahead > NAME_AHEAD_S_MAX) throw new AppError('BACKUP_FAILED', `backup ${join(directory, name)}: it is there already`);
    name = backupName(databasePath, nowMs + ahead * 1000);
  }
  return name;
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
