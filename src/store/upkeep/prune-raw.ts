import type { Database, Statement } from 'better-sqlite3';
import type { Prunable } from '../prunable.js';
import { type PrunedRows, PrunedSums } from './pruned-sums.js';

interface Slice extends PrunedRows {
  /** Id of the last row; null without any. */
  readonly last: number | null;
}

/** Tables whose rows have the id of their flow, and go with it. */
const BESIDE = ['flow_trouble', 'flow_tunnels', 'flow_tls', 'flow_http'] as const;

/** The largest whole number that SQLite and JavaScript both hold exactly. */
const ID_MAX = Number.MAX_SAFE_INTEGER;

const SUMS = `coalesce(sum(src_packets + dst_packets), 0) AS packets, coalesce(sum(src_bytes + dst_bytes), 0) AS ipBytes,
  coalesce(sum(src_bytes + dst_bytes + src_link_bytes + dst_link_bytes), 0) AS wireBytes`;

/**
 * Rows with the time of their emission as id. The oldest of them lie side by side at the start of the table, so that a slice is a
 * few whole pages; these go to the list of free ones unwritten, and new rows take them.
 */
class RawRows implements Prunable {
  private readonly sums: PrunedSums;
  private readonly findOldest: Statement<[], number | null>;
  private readonly findSlice: Statement<[number, number], Slice>;
  private readonly remove: readonly Statement<[number]>[];

  constructor(
    db: Database,
    readonly name: 'flows' | 'dns',
    sumColumns: string,
    beside: readonly string[],
    private readonly lastIdMax: () => number,
  ) {
    this.sums = new PrunedSums(db);
    this.findOldest = db.prepare<[], number | null>(`SELECT min(id) FROM ${name}`).pluck();
    this.findSlice = db.prepare(
      `SELECT max(id) AS last, count(*) AS rows, ${sumColumns} FROM (SELECT * FROM ${name} WHERE id < ? ORDER BY id LIMIT ?)`,
    );
    this.remove = [name, ...beside].map((table) => db.prepare(`DELETE FROM ${table} WHERE id <= ?`));
  }

  oldestUs(): number | null {
    return this.findOldest.get() ?? null;
  }

  prune(beforeUs: number, rowsMax: number): number {
    const beforeId = Math.min(beforeUs, this.lastIdMax() + 1, ID_MAX);
    const slice = this.findSlice.get(beforeId, rowsMax) as Slice;
    if (slice.last === null) return 0;
    for (const statement of this.remove) statement.run(slice.last);
    this.sums.add(this.name, slice, slice.last);
    return slice.rows;
  }
}

/**
 * Rows of `flows`, each with what stands beside it. One goes only when it is in the rollups: `rolledUpToId` gives the last id that
 * is; without rollups, Infinity.
 */
export function flowRows(db: Database, rolledUpToId: () => number = () => ID_MAX): Prunable {
  return new RawRows(db, 'flows', SUMS, BESIDE, rolledUpToId);
}

/** Rows of `dns`, of which the same is true. */
export function dnsRows(db: Database, rolledUpToId: () => number = () => ID_MAX): Prunable {
  return new RawRows(db, 'dns', '0 AS packets, 0 AS ipBytes, 0 AS wireBytes', [], rolledUpToId);
}
