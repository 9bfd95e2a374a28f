import type { Database } from 'better-sqlite3';
import { BANDS, DIRECTIONS, FLOW_MEASURES } from '../../rollup/kinds.js';
import type { Answer, Percentiles, Range, Traffic } from './answer.js';
import { Completeness } from './completeness.js';
import { Coverage, reachesUs } from './coverage.js';
import { atOneMoment } from './moment.js';
import { percentilesOf } from './percentiles.js';
import { addRow, type BandRow, sumSql, type TrafficRow, trafficOf } from './sums.js';

/** Where a flow goes, seen from the local networks. */
export const DIRECTION_NAMES = DIRECTIONS;

/** Name of a direction. */
export type DirectionName = (typeof DIRECTIONS)[number];

/** Sums with the bytes on the wire and the percentiles of the round trips. */
interface TotalTraffic extends Traffic, Percentiles {
  readonly wireBytesOut: number;
  readonly wireBytesIn: number;
}

export interface SummaryAnswer extends Answer {
  readonly total: TotalTraffic;
  readonly directions: Readonly<Record<DirectionName, TotalTraffic>>;
}

const COLUMNS = [...FLOW_MEASURES, 'wire_bytes_out', 'wire_bytes_in', ...BANDS] as const;
type Row = TrafficRow & BandRow & { readonly wire_bytes_out: number; readonly wire_bytes_in: number };

/** All traffic of a range, in sum and by direction. Throws `RANGE_INVALID`. */
export function summary(db: Database, range: Range): SummaryAnswer {
  return atOneMoment(db, () => {
    const coverage = new Coverage(db, 'direction', range);
    const { fromUs, toUs } = coverage;
    const rows = coverage.all<Row & { direction: number }>(
      `SELECT direction, ${sumSql(COLUMNS)} FROM ${coverage.rows(['direction', ...COLUMNS])} GROUP BY direction`,
      ...coverage.values(),
    );
    const zero = Object.fromEntries(COLUMNS.map((column) => [column, 0]));
    const sums = DIRECTIONS.map(() => ({ ...zero }));
    const total = { ...zero };
    for (const row of rows) {
      addRow(total, row, COLUMNS);
      addRow(sums[row.direction] as Record<string, number>, row, COLUMNS);
    }
    const directions = Object.fromEntries(DIRECTIONS.map((name, index) => [name, totalOf(sums[index] as unknown as Row)]));
    return {
      fromUs,
      toUs,
      reachesUs: reachesUs(db),
      ...new Completeness(db, coverage).of(coverage),
      total: totalOf(total as unknown as Row),
      directions: directions as SummaryAnswer['directions'],
    };
  });
}

function totalOf(row: Row): TotalTraffic {
  return { ...trafficOf(row), ...percentilesOf(row), wireBytesOut: row.wire_bytes_out, wireBytesIn: row.wire_bytes_in };
}
