import type { BenchFlags } from '../../bench/options.js';
import { reportText } from '../../bench/report-text.js';
import { runStoreCases } from '../../bench/store/run-store.js';
import { endSteps, showStep } from './bench-steps.js';

/** `flowberry bench store`: measures and prints. Returns 0. */
export async function runBenchStore(flags: BenchFlags): Promise<number> {
  const report = await runStoreCases(flags, showStep).finally(endSteps);
  process.stdout.write(flags['json'] === true ? `${JSON.stringify(report)}\n` : reportText(report));
  return 0;
}
