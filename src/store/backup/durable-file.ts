import { closeSync, constants, fsyncSync, openSync } from 'node:fs';

/** Rights of every file that is made here: it tells who spoke with whom. */
export const PRIVATE_MODE = 0o600;

/** Makes an empty file that only its owner may read, and opens it. Throws where there is a file, or a link, of that name already. */
export function createPrivate(path: string): number {
  return openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW, PRIVATE_MODE);
}

/** Waits until a file, or the names in a directory, are on the disk: a power cut cannot undo them then. */
export function syncPath(path: string): void {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
