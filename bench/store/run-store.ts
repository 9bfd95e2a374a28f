import { AppError } from '../../src/errors.js';
import { readMachine } from '../machine.js';
import { type BenchFlags, numberFlag, textFlag } from '../options.js';
import type { Progress } from '../programs/run-programs.js';
import { type BenchReport, type CaseResult, REPORT_FORMAT } from '../result.js';
import { identify } from '../run-bench.js';
import { STORE_CASES, type StoreSizes } from './store-cases.js';

const FULL: StoreSizes = { flows: 100_000, minutes: 60 };
const SMOKE: StoreSizes = { flows: 1_000, minutes: 2 };

/** Names among `names` that `--only` gives; all where it is not given. Throws `USAGE`. */
export function chosenOf(flags: BenchFlags, names: readonly string[]): readonly string[] {
  const only = textFlag(flags, 'only')?.split(',') ?? names;
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new AppError('USAGE', `--only ${unknown}: no such case; there are ${names.join(', ')}`);
  return only;
}

/** A report of these results. */
export function reportOf(started: string, results: readonly CaseResult[]): BenchReport {
  return { format: REPORT_FORMAT, ...identify(), started, machine: readMachine(), input: null, results, skipped: [] };
}

/** `flowberry bench store`. Throws `USAGE` and `BENCH_FILE_NOT_WRITABLE`. */
export async function runStoreCases(flags: BenchFlags, progress: Progress): Promise<BenchReport> {
  const started = new Date().toISOString();
  const chosen = chosenOf(
    flags,
    STORE_CASES.map(({ name }) => name),
  );
  const sizes = flags['smoke'] === true ? SMOKE : FULL;
  const results: CaseResult[] = [];
  for (const { name, run } of STORE_CASES) {
    if (!chosen.includes(name)) continue;
    progress(name);
    results.push(await run({ ...sizes, flows: numberFlag(flags, 'flows') ?? sizes.flows }));
  }
  return reportOf(started, results);
}
