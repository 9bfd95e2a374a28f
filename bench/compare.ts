import { type BenchReport, type CaseResult, type Metric, metricOf } from './result.js';

/** A median beyond this is a regression. */
export const WORSE_RATIO_MAX = 1.1;

/** One figure against the baseline's. */
interface ComparedMetric {
  readonly case: string;
  readonly metric: string;
  readonly old: number;
  readonly new: number;
  /** How many times worse; below 1 it is better. Null when the old figure is 0 and says nothing. */
  readonly worse: number | null;
  readonly regressed: boolean;
}

/** Two reports side by side. */
export interface Comparison {
  readonly metrics: readonly ComparedMetric[];
  /** What a reader must know before believing the figures. */
  readonly remarks: readonly string[];
  readonly regressed: boolean;
}

function compareMetric(name: string, before: Metric, after: Metric): ComparedMetric {
  const ratio = after.better === 'higher' ? before.median / after.median : after.median / before.median;
  const worse = before.median > 0 && Number.isFinite(ratio) ? ratio : null;
  return {
    case: name,
    metric: after.name,
    old: before.median,
    new: after.median,
    worse,
    regressed: worse !== null && worse > WORSE_RATIO_MAX,
  };
}

function sameValues(a: CaseResult, b: CaseResult): boolean {
  const keys = [...new Set([...Object.keys(a.values), ...Object.keys(b.values)])];
  return keys.every((key) => a.values[key] === b.values[key]);
}

/** Compares each figure that has a better and a worse with the same case of the baseline, if that was run with the same values. */
export function compareReports(baseline: BenchReport, report: BenchReport): Comparison {
  const metrics: ComparedMetric[] = [];
  const remarks: string[] = [];
  const machine = (of: BenchReport): string => `${of.machine.model}, ${of.machine.cores} cores, node ${of.machine.node}`;
  if (machine(baseline) !== machine(report)) remarks.push(`the baseline comes from another machine: ${machine(baseline)}`);
  for (const result of report.results) {
    if (!result.metrics.some(({ better }) => better !== null)) continue;
    const before = baseline.results.find((candidate) => candidate.case === result.case);
    if (!before || !sameValues(before, result)) {
      remarks.push(`${result.case}: the baseline ${before ? 'was run with other values' : 'does not have it'}`);
      continue;
    }
    if (before.result_hash !== result.result_hash)
      remarks.push(`${result.case}: the result is another one: ${before.result_hash} before, ${result.result_hash} now`);
    for (const metric of result.metrics) {
      const old = metric.better === null ? null : metricOf(before, metric.name);
      if (old) metrics.push(compareMetric(result.case, old, metric));
    }
  }
  return { metrics, remarks, regressed: metrics.some(({ regressed }) => regressed) };
}
