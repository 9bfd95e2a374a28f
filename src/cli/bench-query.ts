import type { BenchFlags } from '../../bench/options.js';
import { cleanHistories } from '../../bench/query/history.js';
import { runQueryCases } from '../../bench/query/run-query.js';
import { reportText } from '../../bench/report-text.js';
import { endSteps, showStep } from './bench-steps.js';

/** `flowberry bench query`: measures and prints. Returns 0. */
export async function runBenchQuery(flags: BenchFlags): Promise<number> {
  if (flags['clean'] === true) {
    for (const name of cleanHistories()) process.stdout.write(`deleted ${name}\n`);
    return 0;
  }
  try {
    const report = runQueryCases(flags, showStep);
    endSteps();
    process.stdout.write(flags['json'] === true ? `${JSON.stringify(report)}\n` : reportText(report));
    return 0;
  } finally {
    endSteps();
  }
}
