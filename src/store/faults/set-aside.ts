import { closeSync, existsSync, openSync, readdirSync, readSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { APPLICATION_ID, SCHEMA_VERSION } from '../schema.js';
import { isSqliteError } from '../sqlite-error.js';

/** Damaged files that are kept beside the database; the oldest goes when there is one more. */
const KEPT_MAX = 3;
/** Where SQLite's header has the id of the application, and what it takes in all. */
const APPLICATION_ID_OFFSET = 68;
const HEADER_BYTES = 100;
const PAGE_BYTES = 4096;
/** Where the text of the schema is looked for when the header is gone: it is written first. */
const SEARCHED_BYTES = 2 ** 20;
const SCHEMA_MARK = 'CREATE TABLE ledger (\n  session_id INTEGER NOT NULL,\n  minute_us INTEGER NOT NULL';

/**
 * Whether a damaged file is one of flowberry all the same: its header says so, or its header is wiped out and the schema stands behind
 * it. Anybody else's file is never touched.
 */
export function isOurs(path: string): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const bytes = Buffer.alloc(SEARCHED_BYTES);
    const count = readSync(fd, bytes, 0, bytes.length, 0);
    if (count >= HEADER_BYTES && bytes.readInt32BE(APPLICATION_ID_OFFSET) === APPLICATION_ID) return true;
    const isWiped = count >= PAGE_BYTES && bytes.subarray(0, HEADER_BYTES).every((byte) => byte === 0);
    return isWiped && bytes.subarray(0, count).includes(SCHEMA_MARK);
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * Whether the file is not sound, as far as SQLite can tell without looking up every entry of every index. Reads all of it. False as well
 * when nobody can read it: then it is not the file that is broken.
 */
export function isUnsound(path: string): boolean {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { readonly: true });
    return db.pragma('quick_check(1)', { simple: true }) !== 'ok';
  } catch (error) {
    return isSqliteError(error) && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code);
  } finally {
    db?.close();
  }
}

/** Whether the file says that it has the present schema, so that a table that is not there is missing from it. */
export function isOfPresentSchema(path: string): boolean {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { readonly: true });
    return db.pragma('user_version', { simple: true }) === SCHEMA_VERSION;
  } catch {
    return false;
  } finally {
    db?.close();
  }
}

/**
 * Renames the database to `NAME.corrupt-TIME`, deletes the oldest of such files beyond three, and gives the new name. Call
 * `setLogAside` when no connection has it open any more. Throws what the file system throws.
 */
export function setAside(path: string, nowMs: number): string {
  const directory = dirname(path);
  const pattern = new RegExp(`^${basename(path).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\.corrupt-\\d{8}T\\d{6}Z$`);
  const kept = readdirSync(directory)
    .filter((name) => pattern.test(name))
    .sort();
  // The names sort by age, also when the clock was set back.
  let timeMs = nowMs;
  while (asideName(basename(path), timeMs) <= (kept.at(-1) ?? '')) timeMs += 1000;
  const aside = asideName(path, timeMs);
  renameSync(path, aside);
  for (const name of kept.slice(0, kept.length + 1 - KEPT_MAX))
    for (const end of ['', '-wal']) rmSync(join(directory, `${name}${end}`), { force: true });
  return aside;
}

/** Lets the write-ahead log follow a file that was set aside: beside a new one it would be taken for that one's. */
export function setLogAside(path: string, aside: string): void {
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${aside}-wal`);
  rmSync(`${path}-shm`, { force: true });
}

/**
 * Takes the log of a file that was removed or replaced away from its name: beside the next file it would be taken for that one's. It is
 * kept under another name unless all of it is in its file.
 */
export function leaveLog(path: string, isFolded: boolean, fate: string, nowMs: number): void {
  if (isFolded) rmSync(`${path}-wal`, { force: true });
  else renameSync(`${path}-wal`, `${path}-wal.${fate}-${timeName(nowMs)}`);
  rmSync(`${path}-shm`, { force: true });
}

const timeName = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');

function asideName(path: string, timeMs: number): string {
  return `${path}.corrupt-${timeName(timeMs)}`;
}
