import type { Database, Statement } from 'better-sqlite3';

/** A row of `device_view`. */
export interface DeviceRow {
  readonly id: number;
  readonly mac: string | null;
  readonly vendor: string | null;
  readonly name: string | null;
  /** Joined by commas, the one seen last first. */
  readonly addresses: string | null;
  readonly first_seen_us: number;
  readonly last_seen_us: number;
  readonly note: string | null;
}

const COLUMNS = 'id, mac, vendor, name, addresses, first_seen_us, last_seen_us, note';

/** Reads devices; there are 10,000 at most. */
export class DeviceReader {
  private readonly list: Statement<[number, number, number, number], DeviceRow>;
  private readonly one: Statement<[number], DeviceRow>;

  constructor(db: Database) {
    this.list = db.prepare(
      `SELECT ${COLUMNS} FROM device_view
       WHERE last_seen_us >= ? AND (last_seen_us, id) < (?, ?) ORDER BY last_seen_us DESC, id DESC LIMIT ?`,
    );
    this.one = db.prepare(`SELECT ${COLUMNS} FROM device_view WHERE id = ?`);
  }

  /** Those seen since `sinceUs`, the latest first, behind the last one of the page before. */
  page(sinceUs: number, limit: number, after?: { readonly lastSeenUs: number; readonly id: number }): DeviceRow[] {
    return this.list.all(sinceUs, after?.lastSeenUs ?? Number.MAX_SAFE_INTEGER, after?.id ?? 0, limit);
  }

  device(id: number): DeviceRow | undefined {
    return this.one.get(id);
  }
}
