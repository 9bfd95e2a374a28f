import { constants, setPriority } from 'node:os';
import type { Database } from 'better-sqlite3';
import { REFERRERS } from '../check.js';
import { openForReading } from '../open-database.js';
import { isSqliteError } from '../sqlite-error.js';
import { IdMarks } from './id-marks.js';
import type { ScanResult, ScanTask } from './scan.js';

/** Faults that are told. */
const FAULTS_MAX = 10;
/** Rows that are read without letting go of the file, so that the write-ahead log can be begun anew in between. */
const ROWS_AT_ONCE = 50_000;

function check(db: Database, pragma: string): ScanResult {
  try {
    const lines = db.prepare<[], string>(`PRAGMA ${pragma}(${FAULTS_MAX})`).pluck().all();
    return { type: 'check', faults: lines.length === 1 && lines[0] === 'ok' ? [] : lines };
  } catch (error) {
    if (!isSqliteError(error) || !error.code.startsWith('SQLITE_CORRUPT')) throw error;
    return { type: 'check', faults: [error.message] };
  }
}

/**
 * Marks every id that a row refers to, table by table. What moves from one table to another goes from one that stands earlier in the
 * list to a later one, and what is written meanwhile the writer marks itself.
 */
function mark(db: Database, task: ScanTask & { readonly type: 'mark' }): ScanResult {
  const texts = new IdMarks(task.texts);
  const addresses = new IdMarks(task.addresses);
  for (const referrer of REFERRERS) {
    const columns = [...(referrer.texts ?? []), ...(referrer.addresses ?? [])];
    if (columns.length === 0) continue;
    const textCount = referrer.texts?.length ?? 0;
    const add = (row: readonly (number | null)[]): void => {
      for (const [index, id] of row.entries()) if (id !== null) (index < textCount ? texts : addresses).add(id);
    };
    const select = `SELECT ${columns.join(', ')}`;
    if (referrer.isRaw || referrer.isOfFlow) markRaw(db, select, referrer.table, columns.length, add);
    else for (const row of db.prepare<[], (number | null)[]>(`${select} FROM ${referrer.table}`).raw().iterate()) add(row);
  }
  return { type: 'mark', texts: texts.bits, addresses: addresses.bits };
}

/** Reads a table whose rows stay where they are, in order of their ids. */
function markRaw(db: Database, select: string, table: string, at: number, add: (row: (number | null)[]) => void): void {
  const next = db.prepare<[number, number], number[]>(`${select}, id FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`).raw();
  let last = -1;
  for (let rows = ROWS_AT_ONCE; rows === ROWS_AT_ONCE; ) {
    rows = 0;
    for (const row of next.iterate(last, ROWS_AT_ONCE)) {
      last = row[at] as number;
      row.length = at;
      add(row);
      rows++;
    }
  }
}

function scan(task: ScanTask): ScanResult {
  try {
    const db = openForReading(task.path);
    try {
      return task.type === 'check' ? check(db, task.pragma) : mark(db, task);
    } finally {
      db.close();
    }
  } catch (error) {
    return { type: 'failed', message: (error as Error).message };
  }
}

setPriority(constants.priority.PRIORITY_LOW);
// Its writer has ended: nobody waits for an answer.
process.on('disconnect', () => process.exit());
process.on('message', (task: ScanTask) => process.send?.(scan(task), () => process.disconnect()));
