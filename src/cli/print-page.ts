import type { Database } from 'better-sqlite3';
import { openForReading } from '../store/open-database.js';
import { type PeopleColumn, peopleTable, terminalWidth } from './people-table.js';
import { queryLines } from './query-text.js';
import { writeLines } from './write-lines.js';

/** An answer that is printed as a table, as CSV or as one JSON object. */
export interface Printed<R> {
  /** The name of the list in JSON. */
  readonly list: string;
  readonly rows: readonly R[];
  /** What else the JSON object tells. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly columns: readonly PeopleColumn<R>[];
  /** What people are told behind the table, on standard error; null for nothing. */
  readonly note: string | null;
}

/** Prints an answer. Lists within a row are joined by commas in CSV. */
export async function printRows<R extends object>(format: 'table' | 'json' | 'csv', printed: Printed<R>): Promise<void> {
  const { list, rows, facts, columns, note } = printed;
  if (format === 'json') {
    await writeLines([JSON.stringify({ [list]: rows, ...facts })]);
    return;
  }
  if (format === 'csv') {
    const names = Object.keys(rows[0] ?? {});
    const values = rows.map((row) =>
      Object.values(row).map((value) => (Array.isArray(value) ? value.map(textOf).join() : value)),
    );
    if (rows.length > 0) await writeLines(queryLines('csv', names, values));
  } else await writeLines(peopleTable(columns, rows, terminalWidth()));
  if (note !== null) process.stderr.write(`${note}\n`);
}

/** An element of a list: a text, or what is seen of a device. */
function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null && 'value' in value ? String(value.value) : String(value);
}

/** Opens the database at `path` for reading, and closes it again. Throws what `openForReading` throws. */
export async function withDatabase<T>(path: string, work: (db: Database) => T | Promise<T>): Promise<T> {
  const db = openForReading(path);
  try {
    return await work(db);
  } finally {
    db.close();
  }
}
