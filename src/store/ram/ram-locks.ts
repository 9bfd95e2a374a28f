import { dirname } from 'node:path';
import { AppError } from '../../errors.js';
import { makePrivateDirectory } from '../private-file.js';
import { WriterLock } from '../writer-lock.js';
import type { RamPaths } from './ram-paths.js';

/**
 * Keeps a second flowberry away from a database in memory: by a lock beside the copy, and by the one beside the saved file that every
 * writer of a file takes. Where that disk can only be read, nobody writes to it either, and the first lock is enough.
 */
export class RamLocks {
  private savedLock: WriterLock | null = null;

  private constructor(
    private readonly paths: RamPaths,
    private readonly runLock: WriterLock,
  ) {}

  /** Throws `DATABASE_LOCKED` when another flowberry has the database, in memory or on the disk. */
  static acquire(paths: RamPaths): RamLocks {
    try {
      makePrivateDirectory(dirname(paths.saved));
    } catch {
      // The lock below says why; a save tries again.
    }
    const locks = new RamLocks(paths, lockRun(paths));
    const refusal = locks.lockSaved();
    if (refusal?.code !== 'DATABASE_LOCKED') return locks;
    locks.release();
    throw refusal;
  }

  /** Takes the lock beside the saved file unless it is held already. Gives why that cannot be. */
  lockSaved(): AppError | null {
    try {
      this.savedLock ??= WriterLock.acquire(this.paths.saved);
      return null;
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  }

  release(): void {
    this.savedLock?.release();
    this.runLock.release();
  }
}

function lockRun({ live, saved }: RamPaths): WriterLock {
  try {
    return WriterLock.acquire(`${live}.run`);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'DATABASE_LOCKED') throw error;
    throw new AppError('DATABASE_LOCKED', `database ${saved}: another flowberry has it in memory`, { cause: error });
  }
}
