import type { Database, Statement } from 'better-sqlite3';

/** Sums over rows that are deleted together. Packets and bytes are those of flows, 0 for other rows. */
export interface PrunedRows {
  readonly rows: number;
  readonly packets: number;
  readonly ipBytes: number;
  readonly wireBytes: number;
}

/** The table `pruned`: each sum is added in the transaction that deletes the rows, so that nothing goes without a trace. */
export class PrunedSums {
  private readonly upsert: Statement<[string, number, number, number, number, number]>;

  constructor(db: Database) {
    this.upsert = db.prepare(
      `INSERT INTO pruned VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET rows = rows + excluded.rows,
       packets = packets + excluded.packets, ip_bytes = ip_bytes + excluded.ip_bytes,
       wire_bytes = wire_bytes + excluded.wire_bytes, newest_us = max(newest_us, excluded.newest_us)`,
    );
  }

  /** Notes that rows of `kind` go, the newest of them of `newestUs`. */
  add(kind: string, { rows, packets, ipBytes, wireBytes }: PrunedRows, newestUs: number): void {
    this.upsert.run(kind, rows, packets, ipBytes, wireBytes, newestUs);
  }
}
