import type { BenchFlags } from '../../bench/options.js';
import { streamOptionsOf } from '../../bench/stream/options.js';
import { runStream } from '../../bench/stream/run-stream.js';
import { LIVE_LIMITS } from '../api/live/live-hub.js';
import { showCases } from './bench-report.js';

/** `flowberry bench stream`: measures and prints. Returns 0; throws `BENCH_UNBALANCED` as `bench live` does. */
export async function runBenchStream(flags: BenchFlags): Promise<number> {
  const options = streamOptionsOf(flags, LIVE_LIMITS.clientsMax);
  return await showCases((progress) => runStream(options, progress), options.json);
}
