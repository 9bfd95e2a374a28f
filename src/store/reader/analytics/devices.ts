import type { Database } from 'better-sqlite3';
import { AppError } from '../../../errors.js';
import { addressBytes } from '../../address-bytes.js';
import { ipv6Text } from '../../address-text.js';
import { DEVICE_NAME_SQL } from '../../device-view.js';
import { addressSql } from '../../view-sql.js';
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
const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;

/** The device that had the address last, null for none. `ip` is as in `flows`. */
export function ownerOf(db: Database, ip: number): Owner | null {
  return statementOf<[number], Owner>(db, OWNER_SQL).get(ip) ?? null;
}

/** The text of an address as it stands in `flows`. */
export function ipTextOf(db: Database, ip: number): string {
  return (
    statementOf<[number], { text: string }>(db, `SELECT ${addressSql('a.ip')} AS text FROM (SELECT ? AS ip) a`).get(ip)?.text ??
    ''
  );
}

/** The address as it stands in `flows`; null for one that was never stored. Throws `RANGE_INVALID` for a text that is none. */
export function ipOf(db: Database, text: string): number | null {
  const bytes = addressBytes(text);
  if (!bytes) throw new AppError('RANGE_INVALID', `${JSON.stringify(text.slice(0, 64))} is no IP address and no MAC address`);
  const buffer = Buffer.from(bytes);
  if (bytes.length === 4) return buffer.readInt32BE(0);
  const words = Int32Array.from([0, 4, 8, 12].map((at) => buffer.readInt32BE(at)));
  return statementOf<[string], { id: number }>(db, 'SELECT id FROM addresses WHERE ip = ?').get(ipv6Text(words, 0))?.id ?? null;
}

/**
 * The addresses of a device that is named by its MAC address, or by one of its IP addresses; that address alone where no device is
 * known to have it. Empty when nothing is known. Throws `RANGE_INVALID` for a text that is neither.
 */
export function deviceIps(db: Database, device: string): number[] {
  const ipsOf = (id: number): number[] =>
    statementOf<[number], { ip: number }>(db, 'SELECT ip FROM device_addresses WHERE device_id = ?')
      .all(id)
      .map(({ ip }) => ip);
  if (MAC.test(device)) {
    const id = statementOf<[string], { id: number }>(db, 'SELECT id FROM devices WHERE mac = ?').get(device.toLowerCase())?.id;
    return id === undefined ? [] : ipsOf(id);
  }
  const ip = ipOf(db, device);
  if (ip === null) return [];
  const owner = ownerOf(db, ip);
  return owner ? ipsOf(owner.id) : [ip];
}
