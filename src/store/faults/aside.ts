import { AppError } from '../../errors.js';
import { WriterLock } from '../writer-lock.js';
import { setAside, setLogAside } from './set-aside.js';

/**
 * Files that are moved aside within an hour. On a disk that breaks each new file at once this keeps the older ones, which hold the
 * history, from giving way; rows wait meanwhile, and are dropped and counted.
 */
const MOVES_PER_HOUR_MAX = 3;
const HOUR_MS = 3_600_000;

/** Counts the files that are moved aside. */
export class AsideLimit {
  private readonly timesMs: number[] = [];

  mayMove(nowMs: number): boolean {
    return this.timesMs.filter((timeMs) => nowMs - timeMs < HOUR_MS).length < MOVES_PER_HOUR_MAX;
  }

  moved(nowMs: number): void {
    this.timesMs.push(nowMs);
    if (this.timesMs.length > MOVES_PER_HOUR_MAX) this.timesMs.shift();
  }
}

/**
 * Moves a damaged database with its log out of the way, and gives its new path, or why that cannot be. `release` lets go of the file and
 * of its lock; null when nobody here has it open. It is called behind the renaming: SQLite then sees that the file has moved, and
 * leaves it and its log as they are.
 */
export function moveAside(path: string, nowMs: number, release: (() => void) | null): string | AppError {
  let lock: WriterLock | null = null;
  try {
    // What another process writes to is not ours to move.
    if (!release) lock = WriterLock.acquire(path);
    const aside = setAside(path, nowMs);
    release?.();
    setLogAside(path, aside);
    return aside;
  } catch (error) {
    if (error instanceof AppError) return error;
    return new AppError('DATABASE_NOT_WRITABLE', `database ${path}: ${(error as Error).message}`, { cause: error });
  } finally {
    lock?.release();
  }
}
