import type { Database } from 'better-sqlite3';
import { AppError } from '../../../errors.js';
import { APPLICATIONS } from '../../../ring/application.js';
import { BANDS, DIRECTIONS, FLOW_MEASURES } from '../../rollup/kinds.js';
import { MINUTE_US } from '../../rollup/levels.js';
import { findDevice } from '../find-device.js';
import { type Answer, type Percentiles, POINTS_MAX, type Range, type Traffic } from './answer.js';
import { Completeness } from './completeness.js';
import { Coverage, reachesUs } from './coverage.js';
import { atOneMoment } from './moment.js';
import { percentilesOf } from './percentiles.js';
import type { DirectionName } from './summary.js';
import { type BandRow, sumSql, type TrafficRow, trafficOf } from './sums.js';

/** What a series is of: all traffic, or one of these. */
export interface SeriesInput extends Range {
  /** Length of a step, a multiple of 60 s; chosen by the range if not given. */
  readonly stepS?: number;
  readonly direction?: DirectionName;
  /** As `findDevice` takes it. */
  readonly device?: string;
  readonly application?: string;
}

/** One step. Steps without traffic are points too. */
export interface SeriesPoint extends Traffic, Percentiles {
  readonly startUs: number;
  readonly complete: boolean;
  readonly lostPackets: number;
}

export interface SeriesAnswer extends Answer {
  readonly stepUs: number;
  readonly points: readonly SeriesPoint[];
}

/** Steps that are chosen, minutes. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7 * 1440, 14 * 1440, 28 * 1440, 56 * 1440, 365 * 1440];
const POINTS_CHOSEN_MAX = 300;
/** Longer ranges have steps of whole hours unless others are asked for: days by hour are a twentieth of the rows. */
const FINE_MINUTES_MAX = 1440;

const COLUMNS = [...FLOW_MEASURES, ...BANDS] as const;
type Row = TrafficRow & BandRow & { readonly step: number };

/** The step for a range, in minutes: that which is asked for, or the smallest that makes a readable number of points. */
export function stepMinutesOf({ fromUs, toUs }: Range, stepS: number | undefined): number {
  const minutes = (toUs - fromUs) / MINUTE_US;
  if (stepS === undefined) {
    const finest = minutes > FINE_MINUTES_MAX ? 60 : 1;
    return STEPS.find((step) => step >= finest && minutes / step <= POINTS_CHOSEN_MAX) ?? (STEPS.at(-1) as number);
  }
  if (!Number.isInteger(stepS) || stepS < 60 || stepS % 60 !== 0)
    throw new AppError('RANGE_INVALID', `a step of ${stepS} s is no whole number of minutes`);
  if (minutes / (stepS / 60) > POINTS_MAX)
    throw new AppError('RANGE_INVALID', `a step of ${stepS} s makes more than ${POINTS_MAX} points of this range`);
  return stepS / 60;
}

/**
 * Traffic over time, with round trips, retransmissions and failed connections: bandwidth, latency trend and loss trend are columns of
 * it. Throws `RANGE_INVALID` and what `findDevice` throws.
 */
export function series(db: Database, input: SeriesInput): SeriesAnswer {
  return atOneMoment(db, () => {
    const { kind, condition, value } = subjectOf(db, input);
    const coverage = new Coverage(db, kind, input, stepMinutesOf(input, input.stepS));
    const { fromUs, toUs, stepMinutes } = coverage;
    const columns = kind === 'device_application' ? FLOW_MEASURES : COLUMNS;
    const rows = coverage.all<Row>(
      `SELECT minute / ${stepMinutes} AS step, ${sumSql(columns)} FROM ${coverage.rows(columns, condition)} GROUP BY step`,
      ...coverage.values(...value),
    );
    const byStep = new Map(rows.map((row) => [row.step, row]));
    const stepUs = stepMinutes * MINUTE_US;
    const zero = { ...Object.fromEntries(COLUMNS.map((column) => [column, 0])), step: 0 } as Row;
    const completeness = new Completeness(db, coverage);
    const points: SeriesPoint[] = [];
    for (let startUs = fromUs; startUs < toUs; startUs += stepUs) {
      const row = { ...zero, ...byStep.get(startUs / stepUs) };
      const state = completeness.of({ fromUs: startUs, toUs: startUs + stepUs });
      points.push({ startUs, ...trafficOf(row), ...percentilesOf(row), ...state });
    }
    return { fromUs, toUs, reachesUs: reachesUs(db), ...completeness.of(coverage), stepUs, points };
  });
}

type Subject = {
  readonly kind: 'direction' | 'device' | 'application' | 'device_application';
  readonly condition: string;
  readonly value: readonly (number | string)[];
};

function subjectOf(db: Database, { direction, device, application }: SeriesInput): Subject {
  if (direction !== undefined && (device !== undefined || application !== undefined))
    throw new AppError('RANGE_INVALID', 'a direction goes with no device and no application');
  const number = application === undefined ? -1 : (APPLICATIONS as readonly string[]).indexOf(application);
  if (application !== undefined && number < 1)
    throw new AppError('RANGE_INVALID', `${JSON.stringify(application.slice(0, 64))} is no application`);
  const ofDevice = 'ip IN (SELECT value FROM json_each(?))';
  if (device !== undefined) {
    const ips = JSON.stringify(findDevice(db, device).ips);
    if (application === undefined) return { kind: 'device', condition: ofDevice, value: [ips] };
    return { kind: 'device_application', condition: `${ofDevice} AND application = ?`, value: [ips, number] };
  }
  if (application !== undefined) return { kind: 'application', condition: 'application = ?', value: [number] };
  if (direction === undefined) return { kind: 'direction', condition: '', value: [] };
  return { kind: 'direction', condition: 'direction = ?', value: [DIRECTIONS.indexOf(direction)] };
}
