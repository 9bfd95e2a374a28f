import type { Progress } from '../../bench/programs/run-programs.js';
import { reportText } from '../../bench/report-text.js';
import { type BenchReport, metricOf } from '../../bench/result.js';
import { AppError } from '../errors.js';
import { endSteps, showStep } from './bench-steps.js';
import { exitCodeOf, onStopSignal } from './stop-signals.js';

/** How a report of some kind is shown. */
interface Shown<R> {
  readonly json: boolean;
  readonly textOf: (report: R) => string;
  /** The runs of a daemon in which kernel, ledger and database do not agree. */
  readonly unbalancedOf: (report: R) => readonly string[];
}

/**
 * Runs a bench and prints its report. Returns 0; throws `BENCH_UNBALANCED` when kernel, ledger and database of a daemon that it ran do
 * not agree, after everything is printed. A signal ends it at once; what the bench has made takes itself away when the process ends.
 */
export async function showBench<R>(
  bench: (progress: Progress) => Promise<R>,
  { json, textOf, unbalancedOf }: Shown<R>,
): Promise<number> {
  const ignoreSignals = onStopSignal((signal) => process.exit(exitCodeOf(signal)));
  try {
    const report = await bench(showStep).finally(endSteps);
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : textOf(report));
    const unbalanced = unbalancedOf(report);
    if (unbalanced.length === 0) return 0;
    throw new AppError('BENCH_UNBALANCED', `kernel, ledger and database differ: ${unbalanced.join(', ')}`);
  } finally {
    ignoreSignals();
  }
}

/** The same for a report of cases, of which some may have run a daemon. */
export function showCases(bench: (progress: Progress) => Promise<BenchReport>, json: boolean): Promise<number> {
  const unbalancedOf = ({ results }: BenchReport): string[] =>
    results.filter((result) => metricOf(result, 'ledger_difference')?.median).map((result) => result.case);
  return showBench(bench, { json, textOf: reportText, unbalancedOf });
}
