import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.js';
import { DEVICE_ROWS } from '../device-view.js';
import { addressSql, textSql } from '../view-sql.js';
import { type DevicePlace, searchDevices } from './device-search.js';
import { readableName, withReadableName } from './readable-name.js';
import { inSnapshot, objects, rows } from './statement.js';

/** Devices of a page where no number is given, and at most. */
const DEVICES = 100;
const DEVICES_MAX = 1000;

export interface DeviceInput {
  /** Part of a hardware address, vendor, name, note or IP address; any case. */
  readonly search?: string;
  /** 1 to 1,000; 100 where it is not given. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

/** An address or a name of a device, and how it was seen, µs since 1970. */
interface DeviceSighting {
  readonly value: string;
  readonly first_seen_us: number;
  readonly last_seen_us: number;
}

export interface DeviceRow {
  readonly id: number;
  /** Null for a device that was seen without one. */
  readonly mac: string | null;
  readonly vendor: string | null;
  /** The best of its names. */
  readonly name: string | null;
  /** The one seen last first, at most 64. */
  readonly addresses: readonly DeviceSighting[];
  /** The one seen last first, at most 16. */
  readonly names: readonly DeviceSighting[];
  readonly first_seen_us: number;
  readonly last_seen_us: number;
  /** What a person says of it. */
  readonly note: string | null;
}

export interface DevicePage {
  readonly rows: readonly DeviceRow[];
  /** Cursor of the next page; null behind the last device. */
  readonly next: string | null;
}

const SEEN = 'first_seen_us, last_seen_us';
const ADDRESSES = `SELECT ${addressSql('device_addresses.ip')}, ${SEEN} FROM device_addresses WHERE device_id = ?
  ORDER BY last_seen_us DESC, ip`;
const NAMES = `SELECT ${textSql('device_names.name')}, ${SEEN} FROM device_names WHERE device_id = ? ORDER BY last_seen_us DESC, name`;

const DEVICE = `SELECT id, mac, vendor, name, first_seen_us, last_seen_us, note FROM (${DEVICE_ROWS}) WHERE id = ?`;

/** A page of devices, the one seen last first. Throws `FILTER_INVALID`. */
export function listDevices(db: Database, { search = '', limit = DEVICES, cursor }: DeviceInput = {}): DevicePage {
  if (!Number.isInteger(limit) || limit < 1 || limit > DEVICES_MAX)
    throw new AppError('FILTER_INVALID', `limit ${limit} is not from 1 to ${DEVICES_MAX}`);
  const place = cursor === undefined ? undefined : placeOf(cursor);
  return inSnapshot(db, () => {
    const found = searchDevices(db, search, limit + 1, place);
    const page = found.slice(0, limit).flatMap((id) => deviceRow(db, id) ?? []);
    const last = found.length > limit ? page.at(-1) : undefined;
    return { rows: page, next: last ? `${last.last_seen_us.toString(36)}.${last.id.toString(36)}` : null };
  });
}

/** One device; null for one that is not there. */
export function deviceOf(db: Database, id: number): DeviceRow | null {
  return inSnapshot(db, () => deviceRow(db, id));
}

function deviceRow(db: Database, id: number): DeviceRow | null {
  const device = objects<Omit<DeviceRow, 'addresses' | 'names'>>(db, DEVICE).get(id);
  if (device === undefined) return null;
  const list = (sql: string): DeviceSighting[] =>
    rows<[string, number, number]>(db, sql)
      .all(id)
      .map(([value, firstUs, lastUs]) => ({ value: readableName(value), first_seen_us: firstUs, last_seen_us: lastUs }));
  return { ...withReadableName(device), addresses: list(ADDRESSES), names: list(NAMES) };
}

function placeOf(text: string): DevicePlace {
  const [, us, id] = /^([0-9a-z]{1,11})\.([0-9a-z]{1,11})$/.exec(text) ?? [];
  const parsed = [Number.parseInt(us ?? '', 36), Number.parseInt(id ?? '', 36)] as const;
  if (parsed.every(Number.isSafeInteger)) return parsed;
  throw new AppError('FILTER_INVALID', 'the cursor is none that this flowberry gave');
}
