import type { Database } from 'better-sqlite3';
import { objects } from './statement.js';

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

/** A place in the list: behind this device. */
export interface DevicePlace {
  readonly lastSeenUs: number;
  readonly id: number;
}

/** Devices seen since `sinceUs`, the latest first, behind the last one of the page before. */
export function devicePage(db: Database, sinceUs: number, limit: number, after: DevicePlace | null): DeviceRow[] {
  return objects<DeviceRow>(
    db,
    `SELECT ${COLUMNS} FROM device_view WHERE last_seen_us >= ? AND (last_seen_us, id) < (?, ?) ORDER BY last_seen_us DESC, id DESC LIMIT ?`,
  ).all(sinceUs, after?.lastSeenUs ?? Number.MAX_SAFE_INTEGER, after?.id ?? 0, limit);
}

/** One device; undefined for one that is not there. */
export function deviceById(db: Database, id: number): DeviceRow | undefined {
  return objects<DeviceRow>(db, `SELECT ${COLUMNS} FROM device_view WHERE id = ?`).get(id);
}
