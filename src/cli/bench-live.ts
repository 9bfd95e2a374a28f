import { type LiveReport, ledgerDifferenceOf } from '../../bench/live/live-result.js';
import { liveReportText } from '../../bench/live/live-text.js';
import { liveOptionsOf } from '../../bench/live/options.js';
import { LIVE_PROGRAM_NAMES, runLive } from '../../bench/live/run-live.js';
import type { BenchFlags } from '../../bench/options.js';
import { showBench } from './bench-report.js';

/** Runs in which kernel, ledger and database do not agree. */
function unbalanced({ results, soak }: LiveReport): string[] {
  const runs = [...results.map(({ program, rate, ledger }) => ({ what: `${program} at ${rate}`, ledger }))];
  if (soak) runs.push({ what: 'the soak', ledger: soak.ledger });
  return runs.flatMap(({ what, ledger }) => {
    const difference = ledger ? ledgerDifferenceOf(ledger) : 0;
    return difference === 0 ? [] : [`${what}: ${difference} packets`];
  });
}

/**
 * `flowberry bench live`: measures and prints. Returns 0; throws `BENCH_UNBALANCED` when kernel, ledger and database of a run do not
 * agree, after everything is printed. A signal ends it at once; the rig takes itself away when the process ends.
 */
export async function runBenchLive(flags: BenchFlags): Promise<number> {
  const options = liveOptionsOf(flags, LIVE_PROGRAM_NAMES);
  const { json } = options;
  return await showBench((progress) => runLive(options, progress), { json, textOf: liveReportText, unbalancedOf: unbalanced });
}
