import { closeSync, statfsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { AppError, type ErrorCode } from '../../errors.js';
import type { BackupFacts } from './backup-files.js';
import { createPrivate } from './durable-file.js';
import { readFacts, verifyCopy } from './facts.js';
import { blockMs, Throttle } from './throttle.js';

/** Pages that are copied between two looks at the clock: 1 MiB. */
const STEP_PAGES = 256;
/** What must stay free beside it all. */
const SPARE_BYTES = 16 * 2 ** 20;

export interface CopyOptions {
  /** Bytes written per second at most; 0 is no limit. */
  readonly bytesPerSMax: number;
  readonly signal?: AbortSignal | undefined;
  /** Throws where so many bytes do not fit. */
  readonly requireSpace: (bytes: number) => void;
  /** Part that is done, from 0 to 1. */
  readonly onProgress?: (ratio: number) => void;
  /** Bytes that were written since the last call. */
  readonly onWritten?: (bytes: number) => void;
}

/** Copies all pages of one moment into the new file `path`, and tells what the database held at that moment. Blocks the thread. */
export async function copyPages(source: Database.Database, path: string, options: CopyOptions): Promise<BackupFacts> {
  const pageBytes = source.pragma('page_size', { simple: true }) as number;
  const throttle = new Throttle(options.bytesPerSMax, () => performance.now());
  source.exec('BEGIN');
  const facts = readFacts(source);
  options.requireSpace((source.pragma('page_count', { simple: true }) as number) * pageBytes);
  closeSync(createPrivate(path));
  let copiedPages = 0;
  const copied = (totalPages: number, remainingPages: number): void => {
    const bytes = (totalPages - remainingPages - copiedPages) * pageBytes;
    copiedPages = totalPages - remainingPages;
    options.onWritten?.(bytes);
    options.onProgress?.(totalPages === 0 ? 1 : copiedPages / totalPages);
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
export function checkCopy(path: string, facts: BackupFacts, code: 'BACKUP_FAILED' | 'DATABASE_SAVE_FAILED', what: string): void {
  const db = new Database(path);
  try {
    db.pragma('synchronous = OFF');
    db.pragma('journal_mode = DELETE');
    verifyCopy(db, facts, code, what);
  } finally {
    db.close();
  }
}

/** A copy that cannot fit shall not fill the disk first. `what` names it. */
export function requireSpace(directory: string, bytes: number, code: ErrorCode, what: string): void {
  const { bavail, bsize } = statfsSync(directory);
  const neededBytes = bytes + SPARE_BYTES;
  if (bavail * bsize < neededBytes)
    throw new AppError(code, `${what}: ${bavail * bsize} bytes are free, ${neededBytes} are needed`);
}
