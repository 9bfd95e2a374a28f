import { AppError } from '../errors.js';
import { type ExportValue, exportFlows } from '../store/reader/export.js';
import type { FlowFilter } from '../store/reader/flow-filter.js';
import { timeText } from './human.js';
import type { Flags } from './options.js';
import { withDatabase } from './print-page.js';
import { queryLines } from './query-text.js';
import { writeLines } from './write-lines.js';

const CLEAR_LINE = '\r\x1b[K';
const PROGRESS_MS = 200;

/** The form that the flags ask for. Throws `USAGE` for two at once. */
export function exportFormatOf({ csv, ndjson }: Flags): 'csv' | 'json' {
  if (csv && ndjson) throw new AppError('USAGE', '--csv and --ndjson are two forms of one export; give one of them');
  return csv ? 'csv' : 'json';
}

/**
 * `flowberry export`: all flows that are asked for, oldest first, as NDJSON or CSV, as fast as standard output takes them. How far it
 * has come stands on standard error, if that is a terminal. Throws `AppError`.
 */
export function runExport(path: string, filter: FlowFilter, format: 'csv' | 'json'): Promise<number> {
  return withDatabase(path, async (db) => {
    const { columns, parts } = exportFlows(db, filter);
    const isTerminal = process.stderr.isTTY;
    let count = 0;
    let shownMs = Number.NEGATIVE_INFINITY;
    const rows = function* (): Generator<readonly ExportValue[]> {
      for (const part of parts) {
        yield* part.rows;
        count += part.rows.length;
        if (!isTerminal || performance.now() - shownMs < PROGRESS_MS || part.reachedUs === null) continue;
        shownMs = performance.now();
        process.stderr.write(`${CLEAR_LINE}${count.toLocaleString('en-US')} flows, ${timeText(part.reachedUs)}`);
      }
    };
    const isRead = await writeLines(queryLines(format, columns, rows()));
    if (isTerminal) process.stderr.write(`${CLEAR_LINE}${isRead ? `${count.toLocaleString('en-US')} flows\n` : ''}`);
    return 0;
  });
}
