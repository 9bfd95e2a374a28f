import { closeSync, existsSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { createPrivate } from '../backup/durable-file.js';
import { fingerprintOf } from '../faults/file-identity.js';

const originSchema = z.object({
  /**
   * What the file at `db.path` looks like that the copy in memory comes from, or that was saved from it; two while a save puts the new one
   * in the place of the old one. Another file there has come from somewhere else.
   */
  saved: z.array(z.string()),
  /** Inode of the copy that the saved file stands for; null before there is one. */
  inode: z.number().nullable(),
});

type RamOrigin = z.output<typeof originSchema>;

/** The note beside a copy in memory; null where there is none that makes sense. */
export function readOrigin(path: string): RamOrigin | null {
  try {
    return originSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // A copy of which nothing is known is not taken for that of the saved file.
    return null;
  }
}

/** Replaces the note whole. In memory: nothing has to be waited for. */
export function writeOrigin(path: string, origin: RamOrigin): void {
  const partial = `${path}.partial`;
  rmSync(partial, { force: true });
  // Root may do this in the directory of somebody else: not through a link.
  const fd = createPrivate(partial);
  writeSync(fd, JSON.stringify(origin));
  closeSync(fd);
  renameSync(partial, path);
}

/** In place of a fingerprint: the file is being changed by the save itself. */
export const IN_WORK = '*';

/** Whether the file at `saved` is still the one that the copy goes with. Where there is none any more, the copy is all that there is. */
export function isOriginOf(origin: RamOrigin | null, saved: string): boolean {
  if (!existsSync(saved)) return true;
  return origin !== null && (origin.saved.includes(IN_WORK) || origin.saved.includes(fingerprintOf(saved)));
}
