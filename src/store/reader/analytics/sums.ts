import type { BANDS, FLOW_MEASURES } from '../../rollup/kinds.js';
import type { Traffic } from './answer.js';

/** Sums by column. */
export type TrafficRow = Readonly<Record<(typeof FLOW_MEASURES)[number], number>>;
export type BandRow = Readonly<Record<(typeof BANDS)[number], number>>;

/** SQL for the sums of columns, under their own names. */
export function sumSql(columns: readonly string[]): string {
  return columns.map((column) => `total(${column}) AS ${column}`).join(', ');
}

/** Sums as answers show them. */
export function trafficOf(row: TrafficRow): Traffic {
  return {
    flows: row.flows,
    packetsOut: row.packets_out,
    packetsIn: row.packets_in,
    bytesOut: row.bytes_out,
    bytesIn: row.bytes_in,
    retransmits: row.retransmits,
    outOfOrder: row.out_of_order,
    rttCount: row.rtt_count,
    rttMeanUs: meanOf(row.rtt_us, row.rtt_count),
    rttClientMeanUs: meanOf(row.rtt_client_us, row.rtt_count),
    tcpAttempts: row.tcp_attempts,
    tcpRejected: row.tcp_rejected,
    tcpUnanswered: row.tcp_unanswered,
  };
}

/** Adds `from` to `to`, column by column. */
export function addRow(to: Record<string, number>, from: Readonly<Record<string, number>>, columns: readonly string[]): void {
  for (const column of columns) to[column] = (to[column] ?? 0) + (from[column] ?? 0);
}

/** The mean as a whole number; null of nothing. */
export function meanOf(sum: number, count: number): number | null {
  return count === 0 ? null : Math.round(sum / count);
}
