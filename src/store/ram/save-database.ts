import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { AppError } from '../../errors.js';
import { timeName } from '../backup/backup-files.js';
import { checkCopy, copyPages, requireSpace } from '../backup/copy-pages.js';
import { giveOwner, linkOrCopy, syncPath } from '../backup/durable-file.js';
import { IoMeter } from '../budget/io-meter.js';
import { fingerprintOf, identityOf } from '../faults/file-identity.js';
import { openForReading } from '../open-database.js';
import { isSqliteError } from '../sqlite-error.js';
import { IN_WORK, readOrigin, writeOrigin } from './ram-origin.js';
import type { RamPaths } from './ram-paths.js';

const DAY_MS = 86_400_000;

export interface SaveOptions {
  readonly paths: RamPaths;
  /** Wall clock, ms since 1970. */
  readonly nowMs: number;
}

export interface SaveResult {
  readonly flows: number;
  readonly bytes: number;
  /** Where the file is now that was saved before; null unless it is kept, since the copy does not come from it. */
  readonly kept: string | null;
}

/** The file that is being made. What a killed save has left of it is deleted by the next one. */
const partialOf = (saved: string): string => `${saved}.saving`;

/**
 * Saves the copy in memory to the operator's path while a writer may go on: a copy of one moment, checked, on the disk, and only then
 * renamed. A power failure leaves the file of before or the new one.
 *
 * Throws `DATABASE_SAVE_FAILED`; the file of before is as it was then. The caller holds the locks.
 */
export async function saveDatabase({ paths, nowMs }: SaveOptions): Promise<SaveResult> {
  const { saved, live } = paths;
  const partial = partialOf(saved);
  let source: Database.Database | undefined;
  try {
    removePartial(partial);
    source = openForReading(live);
    const meter = new IoMeter(dirname(saved));
    const before = meter.processBytes();
    const what = `directory ${dirname(saved)}`;
    const facts = await copyPages(source, partial, {
      bytesPerSMax: 0,
      requireSpace: (bytes) => requireSpace(dirname(saved), bytes, 'DATABASE_SAVE_FAILED', what),
    });
    checkCopy(partial, facts, 'DATABASE_SAVE_FAILED', `copy ${partial}`);
    noteBytes(partial, (meter.processBytes() ?? 0) - (before ?? 0), nowMs);
    syncPath(partial);
    giveOwner(partial, saved);
    const { size } = statSync(partial);
    return { flows: facts.flows, bytes: size, kept: putInPlace(partial, paths, nowMs) };
  } catch (error) {
    removePartial(partial, true);
    throw failureOf(error, paths);
  } finally {
    source?.close();
  }
}

/** What a save writes is told by the file that it makes: the one in memory is deleted after the last save. */
function noteBytes(path: string, bytes: number, nowMs: number): void {
  const db = new Database(path);
  try {
    db.pragma('synchronous = OFF');
    db.pragma('journal_mode = MEMORY');
    db.prepare(
      `INSERT INTO bytes_written VALUES (?, ?, 0, 0, 0)
       ON CONFLICT DO UPDATE SET process_bytes = process_bytes + excluded.process_bytes`,
    ).run((nowMs - (nowMs % DAY_MS)) * 1000, bytes);
  } finally {
    db.close();
  }
}

/** A write-ahead log that another profile has left: beside the new file it would be taken for that one's. */
function foldLog(saved: string): void {
  if (!existsSync(`${saved}-wal`)) return;
  const db = new Database(saved);
  try {
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.pragma('journal_mode = DELETE');
  } finally {
    db.close();
  }
}

/**
 * Gives the new file its name. The note in memory has both files meanwhile: whichever is found after a kill, the copy goes with it.
 * A file that the copy does not come from, since it was damaged in memory or begun anew, is kept under another name.
 */
function putInPlace(partial: string, { saved, live, origin }: RamPaths, nowMs: number): string | null {
  const inode = identityOf(live)?.inode ?? null;
  const before = readOrigin(origin);
  const isOther = before !== null && before.inode !== null && before.inode !== inode && existsSync(saved);
  const kept = isOther ? `${saved}.before-save-${timeName(nowMs)}` : null;
  const next = fingerprintOf(partial);
  writeOrigin(origin, { saved: [IN_WORK], inode });
  foldLog(saved);
  writeOrigin(origin, { saved: [fingerprintOf(saved), next], inode });
  if (kept !== null) linkOrCopy(saved, kept);
  renameSync(partial, saved);
  syncPath(dirname(saved));
  writeOrigin(origin, { saved: [next], inode });
  return kept;
}

/** `isQuiet`: another error is on its way, as on a disk that can only be read. */
function removePartial(partial: string, isQuiet = false): void {
  try {
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${partial}${end}`, { force: true });
  } catch (error) {
    if (!isQuiet) throw error;
  }
}

function failureOf(error: unknown, paths: RamPaths): unknown {
  const isSystem = error instanceof Error && 'code' in error;
  if (!(error instanceof AppError) && !isSqliteError(error) && !isSystem) return error;
  return saveError(paths, (error as Error).message, { cause: error });
}

/** What an operator is told of a save that failed. */
export function saveError({ saved, live }: RamPaths, why: string, options: ErrorOptions = {}): AppError {
  const message = `database ${saved}: it could not be saved (${why}); the rows lie in memory, ${live}`;
  return new AppError('DATABASE_SAVE_FAILED', message, options);
}
