import type { Database } from 'better-sqlite3';
import { DEVICE_NAME_SQL } from '../../device-view.js';
import { addressSql } from '../../view-sql.js';
import { withReadableName } from '../readable-name.js';
import { statementOf } from './statements.js';

/** Who an address belongs to, as far as it is known. */
export interface DeviceInfo {
  readonly mac: string | null;
  readonly vendor: string | null;
  readonly name: string | null;
}

interface Owner extends DeviceInfo {
  readonly id: number;
}

const OWNER_SQL = `SELECT devices.id, mac, vendor, ${DEVICE_NAME_SQL} AS name
  FROM device_addresses a JOIN devices ON devices.id = a.device_id WHERE a.ip = ? ORDER BY a.last_seen_us DESC LIMIT 1`;
const INFO_SQL = `SELECT mac, vendor, ${DEVICE_NAME_SQL} AS name FROM devices WHERE id = ?`;

/** The device that had the address last, null for none. `ip` is as in `flows`. */
export function ownerOf(db: Database, ip: number): Owner | null {
  const owner = statementOf<[number], Owner>(db, OWNER_SQL).get(ip);
  return owner === undefined ? null : withReadableName(owner);
}

/** What is known of a device; nothing for null. */
export function deviceInfo(db: Database, id: number | null): DeviceInfo {
  const info = id === null ? undefined : statementOf<[number], DeviceInfo>(db, INFO_SQL).get(id);
  return info === undefined ? { mac: null, vendor: null, name: null } : withReadableName(info);
}

/** The text of an address as it stands in `flows`. */
export function ipTextOf(db: Database, ip: number): string {
  return (
    statementOf<[number], { text: string }>(db, `SELECT ${addressSql('a.ip')} AS text FROM (SELECT ? AS ip) a`).get(ip)?.text ??
    ''
  );
}
