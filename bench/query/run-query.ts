import { tmpdir } from 'node:os';
import { AppError } from '../../src/errors.js';
import { openForReading } from '../../src/store/open-database.js';
import { Random } from '../generate/random.js';
import { type BenchFlags, numberFlag } from '../options.js';
import type { Progress } from '../programs/run-programs.js';
import type { BenchReport, CaseResult, Metric } from '../result.js';
import { chosenOf, reportOf } from '../store/run-store.js';
import { openHistory } from './history.js';
import { QUERY_CASES } from './query-cases.js';

const FLOWS = 1_000_000;
const FLOWS_MAX = 100_000_000;
const RUNS = 50;
const SEED = 7;

/** `flowberry bench query`. Throws `USAGE`. The page cache is warm: the first query of each kind is not counted. */
export function runQueryCases(flags: BenchFlags, progress: Progress, directory = tmpdir()): BenchReport {
  const started = new Date().toISOString();
  const chosen = chosenOf(
    flags,
    QUERY_CASES.map(({ name }) => name),
  );
  const flows = numberFlag(flags, 'flows') ?? FLOWS;
  const runs = numberFlag(flags, 'runs') ?? RUNS;
  if (flows < 1 || flows > FLOWS_MAX || runs < 1) throw new AppError('USAGE', `--flows is from 1 to ${FLOWS_MAX}, --runs from 1`);
  const db = openForReading(openHistory(flows, progress, directory));
  try {
    const results: CaseResult[] = [];
    for (const { name, ask } of QUERY_CASES) {
      if (!chosen.includes(name)) continue;
      progress(name);
      const random = new Random(SEED);
      ask(db, random);
      const samples = Array.from({ length: runs }, () => {
        const startedMs = performance.now();
        ask(db, random);
        return performance.now() - startedMs;
      });
      results.push({ case: name, values: { flows, runs }, metrics: metricsOf(samples), result_hash: null });
    }
    return reportOf(started, results);
  } finally {
    db.close();
  }
}

function metricsOf(samples: readonly number[]): Metric[] {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] as number;
  const mean = samples.reduce((sum, ms) => sum + ms, 0) / samples.length;
  const figure = (name: string, value: number): Metric => ({
    name,
    better: 'lower',
    median: value,
    min: value,
    max: value,
    samples: samples.length,
  });
  return [figure('mean_ms', mean), figure('median_ms', at(0.5)), figure('p95_ms', at(0.95)), figure('max_ms', at(1))];
}
