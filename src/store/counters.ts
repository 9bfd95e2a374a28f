import type { PipelineMemory } from '../messages.js';
import { type DropCounts, readLedger } from '../ring/ledger.js';
import { SHED_COLUMNS, SHED_SINCE } from './budget/shed-columns.js';
import type { RowSums } from './flow-rows.js';

/** Columns of counts, as `ledger` and `sessions` both have them. */
export const COUNT_COLUMNS = [
  'frames_received',
  'packets_in_flows',
  'packets_dropped',
  'kernel_packets',
  'kernel_dropped',
  'flows_emitted',
  'flows_written',
  'packets_written',
  'ip_bytes_written',
  'wire_bytes_written',
  ...SHED_COLUMNS,
] as const;

/** Those of them that a database of this version has. */
export function countColumnsOf(schemaVersion: number): readonly string[] {
  const shed: readonly string[] = SHED_COLUMNS;
  return schemaVersion >= SHED_SINCE ? COUNT_COLUMNS : COUNT_COLUMNS.filter((column) => !shed.includes(column));
}

/** What has been counted since the session began. */
export interface Counts {
  readonly columns: Readonly<Record<(typeof COUNT_COLUMNS)[number], number>>;
  /** `packets_dropped` by reason. */
  readonly drops: DropCounts;
}

/** A session that has not counted anything. */
export const NO_COUNTS: Counts = {
  columns: Object.fromEntries(COUNT_COLUMNS.map((column) => [column, 0])) as Counts['columns'],
  drops: {},
};

/**
 * The counters of the other threads as they are now (they may be a packet apart from each other while those run), and what is
 * written: that which `stored` has, and `rows`.
 */
export function readCounts(memory: PipelineMemory, stored: Counts, rows: RowSums): Counts {
  const ledger = readLedger(memory);
  const { columns } = stored;
  return {
    columns: {
      frames_received: ledger.received,
      packets_in_flows: ledger.inFlows,
      packets_dropped: Object.values(ledger.dropped).reduce((sum, count) => sum + count, 0),
      kernel_packets: ledger.kernelPackets,
      kernel_dropped: ledger.kernelDropped,
      flows_emitted: ledger.flowsEmitted,
      flows_written: columns.flows_written + rows.rows,
      packets_written: columns.packets_written + rows.packets,
      ip_bytes_written: columns.ip_bytes_written + rows.ipBytes,
      wire_bytes_written: columns.wire_bytes_written + rows.wireBytes,
      flows_shed: columns.flows_shed + rows.shedRows,
      packets_shed: columns.packets_shed + rows.shedPackets,
      ip_bytes_shed: columns.ip_bytes_shed + rows.shedIpBytes,
      wire_bytes_shed: columns.wire_bytes_shed + rows.shedWireBytes,
    },
    drops: ledger.dropped,
  };
}

/** Whether two counts differ anywhere. */
export function differ(a: Counts, b: Counts): boolean {
  return (
    COUNT_COLUMNS.some((column) => a.columns[column] !== b.columns[column]) ||
    [...new Set([...Object.keys(a.drops), ...Object.keys(b.drops)])].some((name) => a.drops[name] !== b.drops[name])
  );
}
