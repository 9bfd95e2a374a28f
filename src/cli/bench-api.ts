import { apiBenchOptionsOf } from '../../bench/api/options.js';
import { runApiBench } from '../../bench/api/run-api.js';
import type { BenchFlags } from '../../bench/options.js';
import { reportText } from '../../bench/report-text.js';
import { metricOf } from '../../bench/result.js';
import { AppError } from '../errors.js';
import { endSteps, showStep } from './bench-steps.js';
import { exitCodeOf, onStopSignal } from './stop-signals.js';

/**
 * `flowberry bench api`: measures and prints. Returns 0; throws `BENCH_UNBALANCED` when kernel, ledger and database of a daemon under
 * load do not agree, after everything is printed. A signal ends it at once.
 */
export async function runBenchApi(flags: BenchFlags): Promise<number> {
  const options = apiBenchOptionsOf(flags);
  const ignoreSignals = onStopSignal((signal) => process.exit(exitCodeOf(signal)));
  try {
    const report = await runApiBench(options, showStep).finally(endSteps);
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : reportText(report));
    const differing = report.results.filter((result) => metricOf(result, 'ledger_difference')?.median);
    if (differing.length > 0)
      throw new AppError(
        'BENCH_UNBALANCED',
        `kernel, ledger and database differ: ${differing.map((each) => each.case).join(', ')}`,
      );
    return 0;
  } finally {
    ignoreSignals();
  }
}
