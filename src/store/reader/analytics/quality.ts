import type { Database } from 'better-sqlite3';
import { BANDS, FLOW_MEASURES } from '../../rollup/kinds.js';
import { type Answer, LIMIT_MAX, type Percentiles, type Range, type Traffic } from './answer.js';
import { Completeness } from './completeness.js';
import { Coverage, checkLimit, reachesUs } from './coverage.js';
import { type DeviceInfo, ipTextOf, ownerOf } from './devices.js';
import { atOneMoment } from './moment.js';
import { percentilesOf } from './percentiles.js';
import { addRow, type BandRow, sumSql, type TrafficRow, trafficOf } from './sums.js';

export interface QualityInput extends Range {
  /** Devices at most, 1 to `LIMIT_MAX`; 10 if not given. */
  readonly limit?: number;
}

/** How well connections go. */
export interface Quality extends Traffic, Percentiles {
  /** TCP connections refused or not answered, of those asked for; segments sent again and out of order, of all packets. Null of none. */
  readonly failureRatio: number | null;
  readonly retransmitRatio: number | null;
  readonly outOfOrderRatio: number | null;
}

interface QualityDevice extends Quality {
  /** Null: flows without a local address. */
  readonly ip: string | null;
  readonly device: DeviceInfo;
}

export interface QualityAnswer extends Answer {
  readonly total: Quality;
  /** By address, those with the most failed connections and segments sent again first. */
  readonly devices: readonly QualityDevice[];
}

const COLUMNS = [...FLOW_MEASURES, ...BANDS] as const;
type Row = TrafficRow & BandRow;
const LIMIT_DEFAULT = 10;

/** Connection quality of a range, for all traffic and by device. Throws `RANGE_INVALID`. */
export function quality(db: Database, input: QualityInput): QualityAnswer {
  const { limit = LIMIT_DEFAULT } = input;
  checkLimit('limit', limit, LIMIT_MAX);
  return atOneMoment(db, () => {
    const all = new Coverage(db, 'direction', input);
    const [total] = all.all<Row>(`SELECT ${sumSql(COLUMNS)} FROM ${all.rows(COLUMNS)}`, ...all.values());
    const byDevice = new Coverage(db, 'device', input);
    const rows = byDevice.all<Row & { ip: number | null }>(
      `SELECT ip, ${sumSql(COLUMNS)} FROM ${byDevice.rows(['ip', ...COLUMNS])} GROUP BY ip
       ORDER BY total(tcp_rejected + tcp_unanswered + retransmits) DESC, ip LIMIT ?`,
      ...byDevice.values(),
      limit,
    );
    const { fromUs, toUs } = all;
    return {
      fromUs,
      toUs,
      reachesUs: reachesUs(db),
      ...new Completeness(db, all).of(all),
      total: qualityOf(total as Row),
      devices: rows.map((row) => {
        const { mac = null, vendor = null, name = null } = (row.ip === null ? null : ownerOf(db, row.ip)) ?? {};
        return { ip: row.ip === null ? null : ipTextOf(db, row.ip), device: { mac, vendor, name }, ...qualityOf(row) };
      }),
    };
  });
}

/** Rows of the same columns, added up: connection quality of what they are about. */
export function qualityOfRows(rows: readonly Row[]): Quality {
  const sums = Object.fromEntries(COLUMNS.map((column) => [column, 0]));
  for (const row of rows) addRow(sums, row, COLUMNS);
  return qualityOf(sums as unknown as Row);
}

/** Columns that `qualityOfRows` needs. */
export const QUALITY_COLUMNS = COLUMNS;

function qualityOf(row: Row): Quality {
  const packets = row.packets_out + row.packets_in;
  return {
    ...trafficOf(row),
    ...percentilesOf(row),
    failureRatio: ratioOf(row.tcp_rejected + row.tcp_unanswered, row.tcp_attempts),
    retransmitRatio: ratioOf(row.retransmits, packets),
    outOfOrderRatio: ratioOf(row.out_of_order, packets),
  };
}

function ratioOf(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
