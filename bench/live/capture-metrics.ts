import { type Metric, single } from '../result.js';
import { ledgerDifferenceOf } from './live-result.js';
import type { RunOutcome } from './run-once.js';

/** What a daemon made of the packets while something else was measured. */
export function captureMetrics({ sent, counts, cpuWhileSendingUs, rssBytes }: RunOutcome): Metric[] {
  return [
    single('packets_per_s', null, sent.packets / sent.seconds),
    single('packets_lost', 'lower', sent.packets - counts.stored - counts.ignored),
    single('kernel_dropped', 'lower', counts.kernelDropped ?? 0),
    single('ledger_difference', 'lower', counts.ledger ? ledgerDifferenceOf(counts.ledger) : 0),
    single('rows', null, counts.rows ?? 0),
    single('cores_used', null, cpuWhileSendingUs / (sent.seconds * 1e6)),
    single('rss_bytes_max', 'lower', rssBytes),
  ];
}
