import type { Health } from './health.js';
import type { ApiCounts } from './metric-table-api.js';
import type { Snapshot } from './snapshot.js';

/** What metrics are computed from. */
export interface MetricInput {
  readonly version: string;
  /** Start of the session, µs since 1970. */
  readonly startedUs: number;
  readonly snapshot: Snapshot;
  readonly health: Health;
  /** Absent: nothing is said of the API. */
  readonly api?: ApiCounts;
}

/** One value with the labels that tell it from the others of its metric. */
type Series = readonly [labels: Readonly<Record<string, string>>, value: number];

/** A metric: a counter's name ends in `_total`, other units are base units (seconds, bytes). */
export interface MetricEntry {
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** Label names. All are bounded by the number of threads or of watched interfaces, or by a closed list; none is from the
   * wire. */
  readonly labels?: readonly string[];
  readonly values: (input: MetricInput) => readonly Series[];
}

const one = (value: (input: MetricInput) => number) => (input: MetricInput) => [[{}, value(input)]] as const;

/** A counter without labels. */
export function counter(help: string, value: (input: MetricInput) => number): MetricEntry {
  return { type: 'counter', help, values: one(value) };
}

/** A gauge without labels. */
export function gauge(help: string, value: (input: MetricInput) => number): MetricEntry {
  return { type: 'gauge', help, values: one(value) };
}
