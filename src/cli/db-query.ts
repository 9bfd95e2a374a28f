import { AppError } from '../errors.js';
import { QueryConnection, type QueryValue } from '../store/query.js';
import { type QueryFormat, queryLines } from './query-text.js';

/** Rows that are printed unless `--limit` says otherwise. */
const LIMIT_DEFAULT = 10_000;
const CHARACTERS_PER_WRITE = 65_536;

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

/** The callback of a write tells of its failure; the event that tells it once more would end the process. */
const ignore = (): void => undefined;

/** Writes to standard output, as fast as that is read; false when it was closed, as `| head` does. */
async function writeLines(lines: Iterable<string>): Promise<boolean> {
  const output = process.stdout;
  output.off('error', ignore).on('error', ignore);
  const write = async (text: string): Promise<boolean> => {
    const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => output.write(text, resolve));
    if (error && error.code !== 'EPIPE') throw error;
    return !error;
  };
  let gathered = '';
  for (const line of lines) {
    gathered += `${line}\n`;
    if (gathered.length < CHARACTERS_PER_WRITE) continue;
    if (!(await write(gathered))) return false;
    gathered = '';
  }
  return await write(gathered);
}
