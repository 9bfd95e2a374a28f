import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../src/errors.js';

/** Everything that a bench leaves in the directory for temporary files begins like this. */
export const BENCH_PREFIX = 'flowberry-bench-';

/** Makes a directory for the databases and files of one run. The caller removes it. */
export function makeRunDirectory(): string {
  try {
    return mkdtempSync(join(tmpdir(), `${BENCH_PREFIX}run-`));
  } catch (error) {
    throw new AppError('BENCH_FILE_NOT_WRITABLE', `cannot create a directory in ${tmpdir()}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Removes a directory that `makeRunDirectory` made. */
export function removeRunDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** Removes generated captures, and what runs left behind that were killed; not to be called while another bench runs. */
export function cleanTemporaryFiles(): string[] {
  const names = readdirSync(tmpdir()).filter((name) => name.startsWith(BENCH_PREFIX));
  for (const name of names) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  return names;
}
