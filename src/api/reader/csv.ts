/** Values of a row. */
type CsvRow = Readonly<Record<string, string | number | null>>;

/**
 * Rows as lines of RFC 4180, ended as it says, with a line of names before them if wanted. A text that a spreadsheet would take for a
 * formula gets an apostrophe before it: names come from the wire.
 */
export function csvLines(rows: readonly CsvRow[], columns: readonly string[], hasHeader: boolean): string[] {
  const lines = rows.map((row) => `${columns.map((column) => csvValue(row[column] ?? null)).join()}\r\n`);
  return hasHeader ? [`${columns.join()}\r\n`, ...lines] : lines;
}

function csvValue(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
