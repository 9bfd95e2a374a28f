import type { Database } from 'better-sqlite3';
import { isThrottled, isUnderVoltage } from '../../ring/host-layout.js';
import { COUNTERS, GAUGE_UNITS, GAUGES } from '../host-samples/host-tables.js';
import { MINUTE_US } from '../rollup/levels.js';
import type { Range } from './analytics/answer.js';
import { checkRange } from './analytics/coverage.js';
import { stepMinutesOf } from './analytics/series.js';
import { inSnapshot, rows, values } from './statement.js';

export { COUNTERS, GAUGES };

/** Least, mean and greatest of what was read within a step. */
interface Spread {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
}

type PointValue = Spread | number | boolean | null;

/**
 * One step: a spread for each gauge and a sum for each counter, by the names of `HOST_FIELDS`. Null: the machine does not show it, or
 * nothing was read within the step.
 */
type HostPoint = Readonly<Record<string, PointValue>> & { readonly start_us: number; readonly samples: number };

export interface HostHistory extends Range {
  /** The range that the points make up: what was asked for, widened to whole steps. */
  readonly fromUs: number;
  readonly toUs: number;
  /** Minutes before this moment are stored; null before the first. */
  readonly reachesUs: number | null;
  readonly stepUs: number;
  /** Every step of the range; in those in which nothing was read, `samples` is 0. */
  readonly points: readonly HostPoint[];
}

/** What was read within a step, each sum and each spread as the columns have it. */
type Row = readonly (number | null)[];

// The product is added up as a float: bytes of a large disk over months are more than an integer of SQLite holds.
const meanSql = (column: string): string =>
  `total(${column}_mean * samples) / sum(samples) FILTER (WHERE ${column}_mean IS NOT NULL)`;
/** The four bits of what holds now; there is no aggregate function that joins bits. */
const BITS_SQL = [1, 2, 4, 8].map((bit) => `max(throttle_bits & ${bit})`).join(' + ');
// Numbers are bound as floats, and only integers divide to whole steps.
const POINTS_SQL = `SELECT minute_us / ${MINUTE_US} / CAST(? AS INTEGER) AS step, sum(samples), ${BITS_SQL},
  ${GAUGE_UNITS.map(({ column }) => `min(${column}_min), ${meanSql(column)}, max(${column}_max)`).join(', ')},
  ${COUNTERS.map((column) => `sum(${column})`).join(', ')}
  FROM host_samples WHERE minute_us >= ? AND minute_us < ? GROUP BY step`;
const FIRST_GAUGE = 3;
const FIRST_COUNTER = FIRST_GAUGE + 3 * GAUGE_UNITS.length;
const NO_ROW: Row = [null, 0, ...new Array<null>(FIRST_COUNTER - 2 + COUNTERS.length).fill(null)];

/**
 * How the machine was over time, at most `POINTS_MAX` steps and what the range is widened by. `stepS` is the length of a step, a multiple
 * of 60 s; chosen by the range if not given. Throws `RANGE_INVALID`.
 */
export function hostHistory(db: Database, range: Range, stepS?: number): HostHistory {
  checkRange(range);
  const stepMinutes = stepMinutesOf(range, stepS);
  const stepUs = stepMinutes * MINUTE_US;
  const fromUs = Math.floor(range.fromUs / stepUs) * stepUs;
  const toUs = Math.ceil(range.toUs / stepUs) * stepUs;
  const { found, lastUs } = inSnapshot(db, () => ({
    found: rows<Row>(db, POINTS_SQL).all(stepMinutes, fromUs, toUs),
    lastUs: values<number | null>(db, 'SELECT max(minute_us) FROM host_samples').get() ?? null,
  }));
  const byStep = new Map(found.map((row) => [row[0], row]));
  const points: HostPoint[] = [];
  for (let startUs = fromUs; startUs < toUs; startUs += stepUs)
    points.push(pointOf(startUs, byStep.get(startUs / stepUs) ?? NO_ROW));
  return { fromUs, toUs, reachesUs: lastUs === null ? null : lastUs + MINUTE_US, stepUs, points };
}

function pointOf(startUs: number, row: Row): HostPoint {
  const bits = row[2] ?? null;
  return {
    start_us: startUs,
    samples: row[1] ?? 0,
    throttle_bits: bits,
    under_voltage: bits === null ? null : isUnderVoltage(bits),
    throttled: bits === null ? null : isThrottled(bits),
    ...Object.fromEntries(
      GAUGE_UNITS.map(({ name, factor }, gauge) => [name, spreadOf(row.slice(FIRST_GAUGE + 3 * gauge), factor)]),
    ),
    ...Object.fromEntries(COUNTERS.map((name, counter) => [name, row[FIRST_COUNTER + counter] ?? null])),
  };
}

function spreadOf([min, mean, max]: Row, factor: number): Spread | null {
  if (min == null || mean == null || max == null) return null;
  // Tenths of a unit are more than the sensors are good for; what is stored in its own unit is shown in whole ones.
  const shown = (value: number): number => (factor === 1 ? Math.round(value) : Math.round((value / factor) * 10) / 10);
  return { min: shown(min), mean: shown(mean), max: shown(max) };
}
