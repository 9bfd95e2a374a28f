import type { Database } from 'better-sqlite3';
import { addressSql, textSql } from '../view-sql.js';
import { readableName } from './readable-name.js';
import { values } from './statement.js';

/** A place in the list of devices: behind the one that was seen last at `us` and has this id. */
export type DevicePlace = readonly [us: number, id: number];

const FIRST: DevicePlace = [Number.MAX_SAFE_INTEGER, 0];
const IDS = `SELECT id FROM devices WHERE last_seen_us < ? OR (last_seen_us = ? AND id > ?) ORDER BY last_seen_us DESC, id`;

const list = (value: string, table: string): string =>
  `(SELECT group_concat(${value}, char(10)) FROM ${table} WHERE device_id = devices.id)`;
const noted = (column: string): string => `(SELECT ${column} FROM device_notes WHERE device_notes.mac = devices.mac)`;
/** What is searched, with line ends between. What a device tells of itself finds it also where people have named it. */
const PARTS = [
  'mac',
  'vendor',
  noted('name'),
  noted('note'),
  list(textSql('device_names.name'), 'device_names'),
  list(addressSql('device_addresses.ip'), 'device_addresses'),
];
const TEXT = `SELECT ${PARTS.map((part) => `coalesce(${part}, '')`).join(' || char(10) || ')} FROM devices WHERE id = ?`;

/**
 * Ids of the devices with a text in what is known of them, capitals or not, the one seen last first, at most `limit`. Compared here,
 * since SQLite knows the capitals of ASCII only. On one state of the database, the caller sees to that.
 */
export function searchDevices(db: Database, text: string, limit: number, [us, id] = FIRST): number[] {
  const wanted = text.toLowerCase();
  const textOf = values<string>(db, TEXT);
  const hasWanted = (text: string): boolean => text.toLowerCase().includes(wanted);
  const isFound = (id: number): boolean => {
    if (wanted === '') return true;
    const known = textOf.get(id) ?? '';
    return hasWanted(known) || hasWanted(readableName(known));
  };
  const found: number[] = [];
  for (const candidate of values<number>(db, IDS).all(us, us, id)) {
    if (found.length === limit) break;
    if (isFound(candidate)) found.push(candidate);
  }
  return found;
}
