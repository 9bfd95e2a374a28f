import { AppError } from '../errors.js';
import { QueryConnection, type QueryValue } from '../store/query.js';
import { type QueryFormat, queryLines } from './query-text.js';
import { writeLines } from './write-lines.js';

/** Rows that are printed unless `--limit` says otherwise. */
const LIMIT_DEFAULT = 10_000;

/** What the flags of `db query` ask for. Throws `USAGE` for those that do not go together. */
export function queryOptionsOf(flags: Readonly<Record<string, string | boolean | undefined>>): {
  readonly format: QueryFormat;
  readonly limit: number;
} {
  const { json, csv, limit = `${LIMIT_DEFAULT}` } = flags;
  if (json && csv) throw new AppError('USAGE', '--json and --csv are two forms of one answer; give one of them');
  if (typeof limit !== 'string' || !/^\d{1,15}$/.test(limit))
    throw new AppError('USAGE', `--limit ${limit} is no number of rows`);
  return { format: json ? 'json' : csv ? 'csv' : 'table', limit: Number(limit) };
}

/**
 * `flowberry db query`: runs one statement that reads, and prints its rows as a table for people, as CSV, or as JSON, one object a
 * line. At most `limit` rows, 0 for all of them; one more is said on standard error. Throws `AppError`.
 */
export async function runDbQuery(
  path: string,
  sql: string,
  { format, limit }: ReturnType<typeof queryOptionsOf>,
): Promise<number> {
  const connection = new QueryConnection(path);
  try {
    const { columns, rows } = connection.prepare(sql);
    let isCut = false;
    let count = 0;
    const limited = function* (): Generator<QueryValue[]> {
      for (const row of rows()) {
        isCut = limit > 0 && count === limit;
        if (isCut) return;
        count++;
        yield row;
      }
    };
    const isRead = await writeLines(queryLines(format, columns, limited()));
    if (isRead && isCut) process.stderr.write(`only the first ${count} rows; --limit 0 prints all\n`);
    return 0;
  } finally {
    connection.close();
  }
}
