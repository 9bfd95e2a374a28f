import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../errors.js';

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;

/**
 * Makes an empty file that its owner alone may read and write; one that is there stays as it is, whatever its mode, and is not opened:
 * closing it would give up the locks that other threads have on it (POSIX). SQLite gives the mode of a database to the files beside it.
 * Throws `DATABASE_NOT_WRITABLE`, also where a symbolic link is in its place.
 */
export function makePrivateFile(path: string): void {
  try {
    if (!isFile(path)) closeSync(openSync(path, CREATE_FLAGS, FILE_MODE));
  } catch (error) {
    // Somebody may just have made it.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && isFile(path)) return;
    throw new AppError('DATABASE_NOT_WRITABLE', `${path}: it cannot be made: ${(error as Error).message}`, { cause: error });
  }
}

function isFile(path: string): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status?.isSymbolicLink()) throw new Error('a symbolic link is in its place');
  return status?.isFile() ?? false;
}

/**
 * Makes a directory and those above it, for their owner alone; what is there stays as it is. Node's own recursive mkdir never returns
 * where the kernel answers ENOENT for a directory that is there, as in /proc.
 */
export function makePrivateDirectory(path: string): void {
  if (existsSync(path)) return;
  makePrivateDirectory(dirname(path));
  mkdirSync(path, DIRECTORY_MODE);
}
