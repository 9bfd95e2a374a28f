import type { Database } from 'better-sqlite3';
import { isSqliteError } from '../sqlite-error.js';

/** Pages of a table that are looked at. */
const PAGES_MAX = 500;

/** In fewer pages than these the last one, which is not full, would count for too much. */
const PAGES_FEW = 8;

interface Leaves {
  readonly pages: number;
  readonly bytes: number;
  readonly usedBytes: number;
  readonly cells: number;
}

/**
 * Bytes of file that a row of the table takes, or an entry of the index: whole pages shared among what they hold, from the first few
 * hundred of them. 0 for one that is empty. An SQLite that cannot look at pages (no `dbstat`) says the same for all: the pages in
 * use, shared among flows.
 */
export function bytesPerRow(db: Database, name: string): number {
  const leaves = leavesOf(db, name);
  if (leaves === null) return averagePerFlow(db);
  if (leaves.cells === 0) return 0;
  return (leaves.pages < PAGES_FEW ? leaves.usedBytes : leaves.bytes) / leaves.cells;
}

function leavesOf(db: Database, name: string): Leaves | null {
  try {
    return db
      .prepare<[string, number], Leaves>(
        `SELECT count(*) AS pages, coalesce(sum(pgsize), 0) AS bytes, coalesce(sum(pgsize - unused), 0) AS usedBytes,
           coalesce(sum(ncell), 0) AS cells FROM
         (SELECT pgsize, unused, ncell FROM dbstat WHERE name = ? AND pagetype = 'leaf' LIMIT ?)`,
      )
      .get(name, PAGES_MAX) as Leaves;
  } catch (error) {
    if (isSqliteError(error) && error.message.includes('dbstat')) return null;
    throw error;
  }
}

function averagePerFlow(db: Database): number {
  const pragma = (pragmaName: string): number => db.pragma(pragmaName, { simple: true }) as number;
  const bytes = (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  const flows = db.prepare<[], number | null>('SELECT sum(flows_written) FROM ledger').pluck().get() ?? 0;
  return flows === 0 ? 0 : bytes / flows;
}
