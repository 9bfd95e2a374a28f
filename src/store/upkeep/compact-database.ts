import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { Config } from '../../config.js';
import { AppError } from '../../errors.js';
import { openForWriting } from '../open-database.js';
import { isSqliteError, openError } from '../sqlite-error.js';
import { diskBytes, walBytes } from './file-room.js';

/** Room that is asked for beyond what the copy will take. */
const ROOM_FACTOR = 1.05;

/** Bytes of the file before and after. */
export interface CompactReport {
  readonly path: string;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/**
 * Makes the file as small as its rows allow: copies them into a new file, checks it, and puts it in the old one's place; whatever
 * happens before, the old one stays as it was. Takes the writer's lock, and refuses while another program has the file open, whose
 * log would then lie beside the new file. Throws `AppError`: what `openForWriting` throws, DATABASE_LOCKED, COMPACT_FAILED.
 */
export function compactDatabase(config: Config, nowUs: number): CompactReport {
  const { db, lock } = openForWriting(config, nowUs);
  const path = db.name;
  const copy = `${path}-compact`;
  try {
    const bytesBefore = statSync(path).size + walBytes(path);
    rmSync(copy, { force: true });
    leaveWal(db);
    demandRoom(db);
    db.prepare('VACUUM INTO ?').run(copy);
    checkCopy(db, copy);
    db.close();
    flush(copy);
    renameSync(copy, path);
    flush(dirname(path));
    return { path, bytesBefore, bytesAfter: statSync(path).size };
  } catch (error) {
    rmSync(copy, { force: true });
    throw isSqliteError(error) ? openError(path, error) : error;
  } finally {
    db.close();
    lock.release();
  }
}

/** Moves the log into the file and does without one, which only a connection that is alone can do. */
function leaveWal(db: Database.Database): void {
  try {
    db.pragma('journal_mode = DELETE');
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    throw new AppError('DATABASE_LOCKED', `database ${db.name}: another program has it open`, { cause: error });
  }
}

function demandRoom(db: Database.Database): void {
  const pragma = (name: string): number => db.pragma(name, { simple: true }) as number;
  const needed = (pragma('page_count') - pragma('freelist_count')) * pragma('page_size') * ROOM_FACTOR;
  const { free } = diskBytes(db.name);
  if (needed > free)
    throw new AppError('COMPACT_FAILED', `database ${db.name}: the copy needs ${Math.ceil(needed)} bytes, ${free} are free`);
}

function checkCopy(db: Database.Database, copy: string): void {
  const other = new Database(copy, { readonly: true });
  try {
    const result = other.pragma('integrity_check(1)', { simple: true }) as string;
    const rowsOf = (from: Database.Database): string =>
      from
        .prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`)
        .pluck()
        .all()
        .map((table) => `${table} ${from.prepare(`SELECT count(*) FROM "${table}"`).pluck().get()}`)
        .join();
    if (result !== 'ok' || rowsOf(db) !== rowsOf(other))
      throw new AppError('COMPACT_FAILED', `database ${db.name}: the copy is not what was copied: ${result}`);
  } finally {
    other.close();
  }
}

function flush(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
