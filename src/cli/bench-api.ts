import { apiBenchOptionsOf } from '../../bench/api/options.js';
import { runApiBench } from '../../bench/api/run-api.js';
import type { BenchFlags } from '../../bench/options.js';
import { reportText } from '../../bench/report-text.js';
import { endSteps, showStep } from './bench-steps.js';
import { exitCodeOf, onStopSignal } from './stop-signals.js';

/** `flowberry bench api`: measures and prints. Returns 0. A signal ends it at once. */
export async function runBenchApi(flags: BenchFlags): Promise<number> {
  const options = apiBenchOptionsOf(flags);
  const ignoreSignals = onStopSignal((signal) => process.exit(exitCodeOf(signal)));
  try {
    const report = await runApiBench(options, showStep).finally(endSteps);
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : reportText(report));
    return 0;
  } finally {
    ignoreSignals();
  }
}
