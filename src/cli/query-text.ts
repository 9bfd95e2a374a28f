import type { QueryValue } from '../store/query.js';

/** Forms in which rows are printed. */
export type QueryFormat = 'table' | 'csv' | 'json';

/** Rows that decide how wide the columns of a table are; what is wider further down pushes its line aside. */
const ROWS_MEASURED = 1000;
const COLUMN_GAP = '  ';

/** The lines of a result, without their ends. */
export function queryLines(
  format: QueryFormat,
  columns: readonly string[],
  rows: Iterable<readonly QueryValue[]>,
): Iterable<string> {
  switch (format) {
    case 'table':
      return tableLines(columns, rows);
    case 'csv':
      return csvLines(columns, rows);
    case 'json':
      return jsonLines(columns, rows);
  }
}

/** A table for people: numbers to the right; control characters are shown and not sent to the terminal. */
function* tableLines(columns: readonly string[], rows: Iterable<readonly QueryValue[]>): Generator<string> {
  const names = columns.map(shown);
  const measured: string[][] = [];
  const isNumber = columns.map(() => true);
  let widths: readonly number[] | null = null;
  const measure = (): number[] =>
    names.map((name, column) => Math.max(name.length, ...measured.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (isNumber[column] ? cell.padStart(widths?.[column] ?? 0) : cell.padEnd(widths?.[column] ?? 0)))
      .join(COLUMN_GAP)
      .trimEnd();
  const head = (): string[] => [
    line(names),
    (widths ?? []).map((width) => '-'.repeat(width)).join(COLUMN_GAP),
    ...measured.map(line),
  ];
  for (const row of rows) {
    const cells = row.map((value) => shown(textOf(value)));
    if (widths) {
      yield line(cells);
      continue;
    }
    row.forEach((value, column) => {
      if (value !== null && typeof value !== 'number' && typeof value !== 'bigint') isNumber[column] = false;
    });
    measured.push(cells);
    if (measured.length < ROWS_MEASURED) continue;
    widths = measure();
    yield* head();
  }
  if (widths) return;
  widths = measure();
  yield* head();
}

/** Comma-separated values (RFC 4180), with the names first. */
function* csvLines(columns: readonly string[], rows: Iterable<readonly QueryValue[]>): Generator<string> {
  const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  yield columns.map(quoted).join();
  for (const row of rows) yield row.map((value) => quoted(textOf(value))).join();
}

/** One JSON object a line. */
function* jsonLines(columns: readonly string[], rows: Iterable<readonly QueryValue[]>): Generator<string> {
  const keys = uniqueNames(columns).map((name) => JSON.stringify(name));
  for (const row of rows) yield `{${row.map((value, column) => `${keys[column]}:${jsonOf(value)}`).join()}}`;
}

/** The second column of a name gets `_2` behind it, as an object can have it only once. */
function uniqueNames(columns: readonly string[]): string[] {
  const seen = new Set<string>();
  return columns.map((column) => {
    let name = column;
    for (let count = 2; seen.has(name); count++) name = `${column}_${count}`;
    seen.add(name);
    return name;
  });
}

/** Nothing for NULL, hexadecimal for bytes. */
function textOf(value: QueryValue): string {
  if (value === null) return '';
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}

function jsonOf(value: QueryValue): string {
  if (typeof value === 'bigint') return String(value);
  return JSON.stringify(value instanceof Uint8Array ? textOf(value) : value);
}

/** `text` with its control characters as `\xNN`, so that a name cannot steer the terminal. */
export function shown(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
