import { chmodSync, constants, copyFileSync, existsSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { AppError } from '../../errors.js';
import { moveAside } from '../faults/aside.js';
import { isFileDamaged } from '../faults/fault-kind.js';
import { fingerprintOf, identityOf } from '../faults/file-identity.js';
import { isUnsound } from '../faults/set-aside.js';
import { refuseUnusable } from '../open-database.js';
import type { Log } from '../trouble.js';
import { databaseBytes } from './ram-directory.js';
import { isOriginOf, readOrigin, writeOrigin } from './ram-origin.js';
import type { RamPaths } from './ram-paths.js';

/** What SQLite has beside a database; the log belongs to it. */
const ENDS = ['', '-wal', '-shm'] as const;

/**
 * Puts a database in memory that a writer can go on with: what an earlier run has left there, if it goes with the saved file, else a copy
 * of the saved file, else none, so that a new one is begun. The caller holds the locks. The disk is only read, unless the saved file is
 * damaged: it is moved aside, as when it is opened there.
 *
 * True: the copy has rows that are not saved. Throws what `openForWriting` throws for the saved file, and `STORE_RAM_UNUSABLE` for one
 * that is larger than what memory has room for.
 */
export function takeIn(paths: RamPaths, bytesMax: number, nowMs: number, log: Log): boolean {
  const { live, saved, origin } = paths;
  if (existsSync(live)) {
    if (isOriginOf(readOrigin(origin), saved)) {
      log('warn', `database ${saved}: what an earlier run has left in memory is newer, and is taken up`, { file: live });
      return true;
    }
    leaveAside(paths, log);
  }
  const bytes = databaseBytes(saved);
  if (bytes > bytesMax)
    throw new AppError(
      'STORE_RAM_UNUSABLE',
      `database ${saved}: it has ${bytes} bytes, and may take ${bytesMax} in memory; flowberry db prune and db compact make it smaller`,
    );
  const partial = `${live}.partial`;
  try {
    if (bytes > 0) copyChecked(saved, partial, nowMs, log);
    writeOrigin(origin, { saved: [fingerprintOf(saved)], inode: identityOf(partial)?.inode ?? null });
    for (const end of ['-wal', '']) if (existsSync(`${partial}${end}`)) renameSync(`${partial}${end}`, `${live}${end}`);
  } finally {
    removeDatabase(partial);
  }
  return false;
}

/** Deletes the copy in memory, which is saved. */
export function removeCopy({ live, origin }: RamPaths): void {
  removeDatabase(live);
  rmSync(origin, { force: true });
}

/** Deletes a database with what belongs to it. */
function removeDatabase(path: string): void {
  for (const end of ENDS) rmSync(`${path}${end}`, { force: true });
}

/**
 * Beside the saved file, says where the newest rows are. The link stays: it is made once, and leads nowhere when nothing is in memory.
 * Gives why it cannot be made.
 */
export function pointTo({ link, live }: RamPaths): string | null {
  try {
    if (linkTarget(link) === live) return null;
    rmSync(`${link}.partial`, { force: true });
    symlinkSync(live, `${link}.partial`);
    renameSync(`${link}.partial`, link);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function linkTarget(link: string): string | null {
  try {
    return readlinkSync(link);
  } catch {
    // None, or something else that is replaced by one.
    return null;
  }
}

/** The saved file was put there by somebody else since: it counts, and what was not saved stays where it can be looked at. One is kept. */
function leaveAside({ live, saved }: RamPaths, log: Log): void {
  const left = `${live}.left`;
  removeDatabase(left);
  for (const end of ['-wal', '']) if (existsSync(`${live}${end}`)) renameSync(`${live}${end}`, `${left}${end}`);
  removeDatabase(live);
  log('error', `database ${saved}: it was replaced while rows in memory were not saved; they are left in ${left}`, {
    code: 'DATABASE_REPLACED',
    file: left,
  });
}

/** Copies the file with its log, in which the newest rows may be, and looks at the copy: the disk need not be written to for that. */
function copyChecked(saved: string, partial: string, nowMs: number, log: Log): void {
  removeDatabase(partial);
  for (const end of ['', '-wal'])
    if (existsSync(`${saved}${end}`) && statSync(`${saved}${end}`).size > 0) copyNew(`${saved}${end}`, `${partial}${end}`);
  try {
    refuseUnusable(partial);
    if (!isUnsound(partial)) return;
  } catch (error) {
    if (!isFileDamaged(partial, error)) throw named(error, partial, saved);
  }
  removeDatabase(partial);
  const aside = moveAside(saved, nowMs, () => undefined);
  if (aside instanceof AppError) throw aside;
  log('error', `database ${saved} is damaged; it was moved to ${aside}, and a new one is begun`, {
    code: 'DATABASE_SET_ASIDE',
    file: aside,
  });
}

/** For the owner alone, whatever the rights of the saved file. */
function copyNew(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_EXCL);
  chmodSync(to, 0o600);
}

/** The operator knows the database by its own name. */
function named(error: unknown, partial: string, saved: string): unknown {
  return error instanceof AppError ? new AppError(error.code, error.message.replaceAll(partial, saved), { cause: error }) : error;
}
