import { apiBenchOptionsOf } from '../../bench/api/options.js';
import { runApiBench } from '../../bench/api/run-api.js';
import type { BenchFlags } from '../../bench/options.js';
import { showCases } from './bench-report.js';

/** `flowberry bench api`: measures and prints. Returns 0; throws `BENCH_UNBALANCED` as `bench live` does. */
export async function runBenchApi(flags: BenchFlags): Promise<number> {
  const options = apiBenchOptionsOf(flags);
  return await showCases((progress) => runApiBench(options, progress), options.json);
}
