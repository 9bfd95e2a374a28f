import type { Machine } from '../machine.js';
import type { InputDescription, SkippedCase } from '../result.js';
import type { LedgerCheck } from './live-program.js';
import type { Rate } from './options.js';

/** One program at one rate. Packets unless the name says otherwise; null where the program or the system does not tell. */
export interface LiveResult {
  readonly program: string;
  /** What the program does with the packets, for people. */
  readonly work: string;
  readonly command: string;
  readonly rate: Rate;
  readonly sent: number;
  readonly sent_per_s: number;
  /** Came in at the interface, by the kernel's count. */
  readonly arrived: number;
  readonly received: number;
  readonly kernel_dropped: number | null;
  readonly own_dropped: number | null;
  readonly stored: number;
  /** Sent, less those stored and those that are no flows. */
  readonly lost: number;
  readonly rows: number | null;
  /** User and system time from before the first packet to the end of the process, for each packet received. */
  readonly cpu_us_per_packet: number;
  /** The same by stage. */
  readonly stage_cpu_us_per_packet: Readonly<Record<string, number>> | null;
  /** CPU time over the time of sending, 1 being one core. */
  readonly cores_used: number;
  readonly rss_bytes_max: number;
  /** Load of the machine in the minute before. */
  readonly load_average: number;
  readonly ledger: LedgerCheck | null;
}

/** A soak: one program for a long time. */
export interface SoakResult {
  readonly program: string;
  readonly minutes: number;
  readonly sent: number;
  readonly sent_per_s: number;
  readonly stored: number;
  readonly lost: number;
  readonly cores_used: number;
  readonly samples: number;
  /** Slope of the resident memory behind the warm-up, by least squares. */
  readonly rss_mb_per_min: number;
  readonly rss_bytes_min: number;
  readonly rss_bytes_max: number;
  readonly descriptors_min: number;
  readonly descriptors_max: number;
  readonly wal_bytes_max: number;
  readonly disk_bytes_written: number;
  readonly disk_mb_per_min: number;
  readonly health_answers: number;
  /** Questions that had no answer with status 200. */
  readonly health_failures: number;
  readonly health_ms_p99: number;
  readonly health_ms_max: number;
  readonly ledger: LedgerCheck | null;
}

/** Everything that one `flowberry bench live` has to say, as `--json` prints it. */
export interface LiveReport {
  readonly format: typeof LIVE_REPORT_FORMAT;
  readonly version: string;
  readonly commit: string | null;
  readonly started: string;
  readonly machine: Machine;
  readonly input: InputDescription;
  readonly sender: string;
  readonly results: readonly LiveResult[];
  /** Highest rate of sending that each program took without a loss; null when there was none. */
  readonly lossless_per_s: Readonly<Record<string, number | null>>;
  readonly soak: SoakResult | null;
  readonly skipped: readonly SkippedCase[];
}

export const LIVE_REPORT_FORMAT = 'flowberry-bench-live-1';

/** Sum of what the two sides of a ledger differ by; 0 means that they agree throughout. */
export function ledgerDifferenceOf(ledger: LedgerCheck): number {
  return Object.values(ledger).reduce((sum, difference) => sum + Math.abs(difference), 0);
}

/** Highest rate without loss by program. */
export function losslessRates(results: readonly LiveResult[]): Record<string, number | null> {
  const rates: Record<string, number | null> = {};
  for (const { program, lost, sent_per_s } of results) {
    rates[program] ??= null;
    if (lost === 0) rates[program] = Math.max(rates[program] ?? 0, sent_per_s);
  }
  return rates;
}
