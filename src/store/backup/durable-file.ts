import { chmodSync, chownSync, closeSync, constants, copyFileSync, fsyncSync, linkSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Rights of every file that is made here: it tells who spoke with whom. */
const PRIVATE_MODE = 0o600;

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

/** Gives a file a second name that stays when the first one is given to another. */
export function linkOrCopy(path: string, name: string): void {
  try {
    linkSync(path, name);
  } catch {
    // A file system without hard links, such as FAT.
    copyFileSync(path, name);
    syncPath(name);
  }
}

/**
 * Gives a file the owner and the rights of another one, or, where there is none, the owner of its directory: root makes what a service's
 * user writes.
 */
export function giveOwner(path: string, like: string): void {
  const status = statSync(like, { throwIfNoEntry: false });
  const { uid, gid } = status ?? statSync(dirname(like));
  if (process.getuid?.() === 0) chownSync(path, uid, gid);
  chmodSync(path, status ? status.mode & 0o777 : PRIVATE_MODE);
}
