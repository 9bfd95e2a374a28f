import { readFileSync, writeFileSync } from 'node:fs';
import { AppError } from '../src/errors.js';
import { type BenchReport, REPORT_FORMAT } from './result.js';

/** Reads a report that `--save` wrote. Throws `USAGE` when the file is none. */
export function readReport(path: string): BenchReport {
  let report: unknown;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new AppError('USAGE', `--compare ${path}: ${(error as Error).message}`, { cause: error });
  }
  if (typeof report !== 'object' || report === null || (report as Partial<BenchReport>).format !== REPORT_FORMAT)
    throw new AppError('USAGE', `--compare ${path}: not a baseline that --save wrote`);
  return report as BenchReport;
}

/** Writes a report for a later `--compare`. Throws `BENCH_FILE_NOT_WRITABLE`. */
export function writeReport(path: string, report: BenchReport): void {
  try {
    writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    throw new AppError('BENCH_FILE_NOT_WRITABLE', `--save ${path}: ${(error as Error).message}`, { cause: error });
  }
}
