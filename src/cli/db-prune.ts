import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import { requireFile } from '../store/open-database.js';
import { pruneDatabase } from '../store/upkeep/prune-database.js';
import { bytesText } from './bytes-text.js';

const DAYS_MAX = 36_500;
const CLEAR_LINE = '\r\x1b[K';

/** The number of days that `--older-than` names; null where it is not given. Throws `USAGE` for what is no such number. */
export function olderThanOf(flag: string | boolean | undefined): number | null {
  if (flag === undefined) return null;
  const days = typeof flag === 'string' && /^\d+(\.\d+)?$/.test(flag) ? Number(flag) : 0;
  if (days > 0 && days <= DAYS_MAX) return days;
  throw new AppError('USAGE', `--older-than ${flag} is no number of days from more than 0 to ${DAYS_MAX}`);
}

/** `flowberry db prune`: deletes, and says what. Throws `AppError`. */
export function runDbPrune(config: Config, olderThanDays: number | null, options: { readonly json: boolean }): number {
  const isShowing = process.stderr.isTTY && !options.json;
  const progress = (rows: number): void => {
    if (isShowing) process.stderr.write(`${CLEAR_LINE}${rows.toLocaleString('en-US')} rows`);
  };
  requireFile(config.dbPath);
  const report = pruneDatabase({ config, olderThanDays, nowUs: Date.now() * 1000 }, progress);
  if (isShowing) process.stderr.write(CLEAR_LINE);
  const { path, rows, bytesBefore, bytesAfter, bytesMax, isWithinLimit } = report;
  if (options.json) {
    const deleted = Object.fromEntries(rows.map((kind) => [kind.name.replaceAll(' ', '_'), kind.rows]));
    const bytes = {
      used_bytes_before: bytesBefore,
      used_bytes: bytesAfter,
      file_bytes_max: bytesMax,
      within_limit: isWithinLimit,
    };
    process.stdout.write(`${JSON.stringify({ path, deleted, ...bytes })}\n`);
    return 0;
  }
  const found = rows.filter((kind) => kind.rows > 0);
  for (const kind of found) process.stdout.write(`${kind.name}: ${kind.rows} rows\n`);
  if (found.length === 0) process.stdout.write('nothing to delete\n');
  process.stdout.write(
    `${path}: ${bytesText(bytesAfter)} in use, ${bytesText(bytesBefore)} before; at most ${bytesText(bytesMax)}\n`,
  );
  if (bytesAfter < bytesBefore)
    process.stdout.write('new rows take the room that is free now; flowberry db compact makes the file shorter\n');
  return 0;
}
