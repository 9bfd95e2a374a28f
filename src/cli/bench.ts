import { compareReports, WORSE_RATIO_MAX } from '../../bench/compare.js';
import { type BenchFlags, benchOptionsOf } from '../../bench/options.js';
import { PIPELINE_CASE } from '../../bench/programs/run-programs.js';
import { readReport, writeReport } from '../../bench/report-file.js';
import { comparisonText, reportText } from '../../bench/report-text.js';
import { CASE_NAMES, runBenchCases } from '../../bench/run-bench.js';
import { cleanTemporaryFiles } from '../../bench/temporary.js';
import { AppError } from '../errors.js';
import { endSteps, showStep } from './bench-steps.js';

/**
 * `flowberry bench`: measures, prints, and compares with a baseline where one is given. Returns 0; throws `BENCH_REGRESSION` when
 * a median is more than a tenth worse than the baseline's, after everything is printed.
 */
export async function runBench(flags: BenchFlags): Promise<number> {
  const options = benchOptionsOf(flags, CASE_NAMES, PIPELINE_CASE);
  if (options.clean) {
    for (const name of cleanTemporaryFiles()) process.stdout.write(`deleted ${name}\n`);
    return 0;
  }
  const baseline = options.compare === null ? null : readReport(options.compare);
  const report = await runBenchCases(options, showStep).finally(endSteps);
  const comparison = baseline ? compareReports(baseline, report) : null;
  if (options.save !== null) writeReport(options.save, report);
  if (options.json) process.stdout.write(`${JSON.stringify(comparison ? { ...report, comparison } : report)}\n`);
  else process.stdout.write(reportText(report) + (comparison ? comparisonText(comparison) : ''));
  if (comparison === null) return 0;
  if (comparison.metrics.length === 0)
    throw new AppError('USAGE', `--compare ${options.compare}: it has no case in common with this run`);
  const worse = comparison.metrics.filter(({ regressed }) => regressed).map((each) => `${each.case} ${each.metric}`);
  if (worse.length === 0) return 0;
  const percent = Math.round((WORSE_RATIO_MAX - 1) * 100);
  throw new AppError('BENCH_REGRESSION', `more than ${percent} % worse than ${options.compare}: ${worse.join(', ')}`);
}
