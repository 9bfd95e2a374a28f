import Database from 'better-sqlite3';
import { resultHash } from '../result-hash.js';

/** What a database holds, whatever the rows are cut into. */
export interface StoredResult {
  /** Different 5-tuples, both directions together. */
  readonly flows: number;
  readonly packets: number;
  readonly ipBytes: number;
  readonly wireBytes: number;
  /** Over flows, packets and bytes by protocol. */
  readonly hash: string;
}

type ProtocolSums = [protocol: number, flows: number, packets: number, ipBytes: number, wireBytes: number];

/** The two ends of a row in an order of their own, so that rows of one flow meet whoever sent first. */
const SUMS_BY_PROTOCOL = `
  WITH ends AS (
    SELECT protocol, src_ip || ' ' || src_port AS a, dst_ip || ' ' || dst_port AS b,
      src_packets + dst_packets AS packets, src_bytes + dst_bytes AS ip_bytes, src_wire_bytes + dst_wire_bytes AS wire_bytes
    FROM flow_view),
  tuples AS (
    SELECT protocol, sum(packets) AS packets, sum(ip_bytes) AS ip_bytes, sum(wire_bytes) AS wire_bytes
    FROM ends GROUP BY protocol, min(a, b), max(a, b))
  SELECT protocol, count(*), sum(packets), sum(ip_bytes), sum(wire_bytes) FROM tuples GROUP BY protocol ORDER BY protocol`;

/** Sums up a database that nobody writes to. */
export function readStoredResult(path: string): StoredResult {
  const database = new Database(path, { readonly: true });
  try {
    const rows = database.prepare<[], ProtocolSums>(SUMS_BY_PROTOCOL).raw().all();
    const sum = (column: number): number => rows.reduce((total, row) => total + (row[column] as number), 0);
    return { flows: sum(1), packets: sum(2), ipBytes: sum(3), wireBytes: sum(4), hash: resultHash(rows.flat()) };
  } finally {
    database.close();
  }
}
