import type { Progress } from '../../bench/programs/run-programs.js';
import { reportText } from '../../bench/report-text.js';
import { type BenchReport, metricOf } from '../../bench/result.js';
import { AppError } from '../errors.js';
import { endSteps, showStep } from './bench-steps.js';
import { exitCodeOf, onStopSignal } from './stop-signals.js';

/**
 * Runs a bench and prints its report. Returns 0; throws `BENCH_UNBALANCED` when kernel, ledger and database of a daemon that it ran do
 * not agree, after everything is printed. A signal ends it at once.
 */
export async function showReport(
  { json }: { readonly json: boolean },
  bench: (progress: Progress) => Promise<BenchReport>,
): Promise<number> {
  const ignoreSignals = onStopSignal((signal) => process.exit(exitCodeOf(signal)));
  try {
    const report = await bench(showStep).finally(endSteps);
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : reportText(report));
    const differing = report.results.filter((result) => metricOf(result, 'ledger_difference')?.median);
    if (differing.length === 0) return 0;
    const names = differing.map((result) => result.case).join(', ');
    throw new AppError('BENCH_UNBALANCED', `kernel, ledger and database differ: ${names}`);
  } finally {
    ignoreSignals();
  }
}
