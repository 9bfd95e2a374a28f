import { AppError } from '../../errors.js';
import { RamLocks } from './ram-locks.js';
import { isOriginOf, readOrigin } from './ram-origin.js';
import type { RamPaths } from './ram-paths.js';
import { type SaveResult, saveDatabase } from './save-database.js';
import { removeCopy } from './take-in.js';

/**
 * Saves what a daemon that was killed, or that could not save, has left in memory, and deletes it there. Throws `DATABASE_LOCKED` while a
 * daemon runs, `DATABASE_REPLACED` when the saved file was replaced meanwhile, and what `saveDatabase` throws.
 */
export async function saveLeft(paths: RamPaths, nowMs: number): Promise<SaveResult> {
  const { saved, live, origin } = paths;
  const locks = RamLocks.acquire(paths);
  try {
    const refusal = locks.lockSaved();
    if (refusal) throw refusal;
    if (!isOriginOf(readOrigin(origin), saved))
      throw new AppError('DATABASE_REPLACED', `database ${saved}: it was replaced; ${live} does not come from it`);
    const result = await saveDatabase({ paths, nowMs });
    removeCopy(paths);
    return result;
  } finally {
    locks.release();
  }
}
