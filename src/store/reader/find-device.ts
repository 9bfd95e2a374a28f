import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.js';
import { addressBytes } from '../address-bytes.js';
import { addressKey } from './address-filter.js';
import { textId } from './name-filter.js';
import { readableName } from './readable-name.js';
import { rows, values } from './statement.js';

/** A device, or an address that no device is known to have: nothing is wrong with that, it may yet be seen. */
export interface DeviceFound {
  /** In `devices`; null for an IP address alone, and a MAC address that was never seen. */
  readonly id: number | null;
  /** Addresses that it has or had, as in `flows`, unless it has had more than are kept. Empty for an address that was never seen. */
  readonly ips: readonly number[];
}

const NOBODY: DeviceFound = { id: null, ips: [] };
const MAC = /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i;
const ID = /^\d{1,15}$/;
/** Of a name that several devices have; the message tells so many. */
const IDS_TOLD_MAX = 10;
const CHARACTERS_TOLD_MAX = 64;

/**
 * The device that a text names, as `DEVICE_HELP` says, in that order. An address is the device that had it last, with all of its
 * addresses, or that address alone. Throws `DEVICE_NOT_FOUND` for an id or a name that no device has, and `FILTER_INVALID` for a name
 * of several devices.
 */
export function findDevice(db: Database, text: string): DeviceFound {
  const told = JSON.stringify(text.slice(0, CHARACTERS_TOLD_MAX));
  if (addressBytes(text) !== null) return byAddress(db, text);
  const ids = idsOf(db, text);
  const [id] = ids;
  if (id === undefined && MAC.test(text)) return NOBODY;
  if (id === undefined) throw new AppError('DEVICE_NOT_FOUND', `there is no device ${told}`);
  if (ids.length > 1)
    throw new AppError(
      'FILTER_INVALID',
      `${ids.length} devices have the name ${told}; give an id instead: ${ids.slice(0, IDS_TOLD_MAX).join(', ')}`,
    );
  return { id, ips: ipsOf(db, id) };
}

function byAddress(db: Database, text: string): DeviceFound {
  const ip = addressKey(db, text);
  if (ip === null) return NOBODY;
  const owner = values<number>(db, 'SELECT device_id FROM device_addresses WHERE ip = ? ORDER BY last_seen_us DESC LIMIT 1').get(
    ip,
  );
  return owner === undefined ? { id: null, ips: [ip] } : { id: owner, ips: ipsOf(db, owner) };
}

function ipsOf(db: Database, id: number): number[] {
  return values<number>(db, 'SELECT ip FROM device_addresses WHERE device_id = ? ORDER BY ip').all(id);
}

function idsOf(db: Database, text: string): number[] {
  if (MAC.test(text))
    return values<number>(db, 'SELECT id FROM devices WHERE mac = ?').all(text.toLowerCase().replaceAll('-', ':'));
  if (ID.test(text)) return values<number>(db, 'SELECT id FROM devices WHERE id = ?').all(Number(text));
  const name = text.toLowerCase();
  const given = idsByGivenName(db, name);
  if (given.length > 0) return given;
  const id = textId(db, name);
  const told =
    id === null
      ? []
      : values<number>(db, 'SELECT DISTINCT device_id FROM device_names WHERE name = ? ORDER BY device_id').all(id);
  return told.length > 0 ? told : idsByReadableName(db, name);
}

/** By names with escapes in them, as people read them: with umlauts. */
function idsByReadableName(db: Database, name: string): number[] {
  const sql = `SELECT device_id, text FROM device_names JOIN texts ON texts.id = device_names.name
    WHERE instr(text, char(92)) > 0 ORDER BY device_id`;
  return idsNamed(db, sql, (told) => readableName(told).toLowerCase() === name);
}

/** Files of before device notes are read, too. */
function idsByGivenName(db: Database, name: string): number[] {
  if (values(db, "SELECT 1 FROM sqlite_schema WHERE name = 'device_notes'").get() === undefined) return [];
  const sql = `SELECT devices.id, device_notes.name FROM device_notes JOIN devices ON devices.mac = device_notes.mac
    WHERE device_notes.name IS NOT NULL ORDER BY devices.id`;
  return idsNamed(db, sql, (given) => given.toLowerCase() === name);
}

/** Each id once. Names are compared here, since SQLite knows the capitals of ASCII only. */
function idsNamed(db: Database, sql: string, isMeant: (name: string) => boolean): number[] {
  const named = rows<[id: number, name: string]>(db, sql).all();
  return [...new Set(named.filter(([, name]) => isMeant(name)).map(([id]) => id))];
}
