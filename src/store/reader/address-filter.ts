import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.js';
import { addressBytes } from '../address-bytes.js';
import { ipv6Text } from '../address-text.js';
import { ADDRESS_ID_BASE, ADDRESSES_MAX } from '../addresses.js';
import { LookupKind } from '../lookup/lookup-kind.js';
import { KEYS_MAX, type PlanBuilder } from './filter-parts.js';
import { rows, values } from './statement.js';

const IPV4_MIN = -(2 ** 31);
const IPV4_MAX = 2 ** 31 - 1;
/** Behind every text that goes on after what stands before it. */
const HEX_MAX = '\u{10ffff}';
/** The smallest group that is written with four digits, so that texts have the order of numbers. */
const FOUR_DIGITS = 0x1000;
const GROUPS = 8;

/** The two columns of a row that hold an address. */
type Sides = readonly [first: string, second: string];

function bytesOf(text: string): Uint8Array {
  const bytes = addressBytes(text);
  if (bytes === null) throw new AppError('FILTER_INVALID', `${text} is no IP address`);
  return bytes;
}

/** An address as the tables hold it; null for one that was never seen. Throws `FILTER_INVALID` for a text that is no address. */
export function addressKey(db: Database, text: string): number | null {
  const bytes = bytesOf(text);
  const view = new DataView(bytes.buffer);
  if (bytes.length === 4) return view.getInt32(0);
  const words = Int32Array.from([0, 4, 8, 12], (offset) => view.getInt32(offset));
  return values<number>(db, 'SELECT id FROM addresses WHERE ip = ?').get(ipv6Text(words, 0)) ?? null;
}

/** Rows with one of these addresses on either side. */
export function filterAddresses(plan: PlanBuilder, keys: readonly number[], [first, second]: Sides): void {
  plan.keys(LookupKind.Address, keys);
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) plan.condition(`(${first} = ? OR ${second} = ?)`, only, only);
  else {
    const list = JSON.stringify(keys);
    const among = (column: string): string => `${column} IN (SELECT value FROM json_each(?))`;
    plan.condition(`(${among(first)} OR ${among(second)})`, list, list);
  }
}

/** Rows with an address of the network, such as `10.0.0.0/8` or `fe80::/10`, on either side. Throws `FILTER_INVALID`. */
export function filterNetwork(db: Database, plan: PlanBuilder, text: string, [first, second]: Sides): void {
  const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const bits = Number(length);
  if (address === '') throw new AppError('FILTER_INVALID', `${text} is no network; write it like 10.0.0.0/8`);
  const bytes = bytesOf(address);
  if (bits > bytes.length * 8) throw new AppError('FILTER_INVALID', `${text} is no network: its prefix is too long`);
  const between = (from: number, to: number): void => {
    plan.keyRange(LookupKind.Address, from, to);
    plan.condition(`(${first} BETWEEN ? AND ? OR ${second} BETWEEN ? AND ?)`, from, to, from, to);
  };
  if (bytes.length === 4) {
    const mask = bits === 0 ? 0 : -(2 ** (32 - bits));
    const from = new DataView(bytes.buffer).getInt32(0) & mask;
    between(bits === 0 ? IPV4_MIN : from, bits === 0 ? IPV4_MAX : from + 2 ** (32 - bits) - 1);
    return;
  }
  if (bits === 0) {
    between(ADDRESS_ID_BASE + 1, ADDRESS_ID_BASE + ADDRESSES_MAX);
    return;
  }
  const ids = idsWithin(db, bytes, bits);
  if (ids) plan.keys(LookupKind.Address, ids);
  const within = ids ? new Set(ids) : null;
  const isIn = within ? (id: number): boolean => within.has(id) : membership(db, bytes, bits);
  plan.match((one, other) => isIn(one) || isIn(other));
}

/** Ids of the IPv6 addresses that are known of a network; null where they are so many that it is better to ask for each row. */
function idsWithin(db: Database, network: Uint8Array, bits: number): number[] | null {
  const { from, to, isExact } = textRange(network, bits);
  const ids: number[] = [];
  const known = rows<[number, string]>(db, 'SELECT id, ip FROM addresses WHERE ip >= ? AND ip <= ?');
  for (const [id, ip] of known.iterate(from, to)) {
    if (isExact || isTextWithin(ip, network, bits)) ids.push(id);
    if (ids.length > KEYS_MAX) return null;
  }
  return ids.sort((a, b) => a - b);
}

/** Tells whether an address is of a network, and remembers the answer. */
function membership(db: Database, network: Uint8Array, bits: number): (id: number) => boolean {
  const known = new Map<number, boolean>();
  const find = values<string>(db, 'SELECT ip FROM addresses WHERE id = ?');
  return (id) => {
    if (id < ADDRESS_ID_BASE) return false;
    let isIn = known.get(id);
    if (isIn === undefined) {
      isIn = isTextWithin(find.get(id) ?? '', network, bits);
      known.set(id, isIn);
    }
    return isIn;
  };
}

function isTextWithin(ip: string, network: Uint8Array, bits: number): boolean {
  const bytes = addressBytes(ip);
  return bytes?.length === 16 && isWithin(bytes, network, bits);
}

function isWithin(bytes: Uint8Array, network: Uint8Array, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== network[i]) return false;
  const rest = 8 - (bits & 7);
  return rest === 8 || (bytes[whole] as number) >> rest === (network[whole] as number) >> rest;
}

/**
 * Between what texts the addresses of the network stand, and others unless it is exact: groups that are whole and not 0, which `::` may stand for,
 * and a part of one if that has four digits.
 */
function textRange(network: Uint8Array, bits: number): { readonly from: string; readonly to: string; readonly isExact: boolean } {
  let text = '';
  let isExact = true;
  for (let group = 0; group * 16 < bits; group++) {
    const value = ((network[group * 2] as number) << 8) | (network[group * 2 + 1] as number);
    const spanBits = Math.max(0, (group + 1) * 16 - bits);
    const from = (value >> spanBits) << spanBits;
    isExact = spanBits === 0 && from !== 0;
    if (from === 0 || (spanBits > 0 && from < FOUR_DIGITS)) break;
    if (spanBits > 0) {
      const last = (from + 2 ** spanBits - 1).toString(16);
      return { from: text + from.toString(16), to: text + last + HEX_MAX, isExact };
    }
    const isLast = group === GROUPS - 1;
    text += value.toString(16) + (isLast ? '' : ':');
    if (isLast) isExact = false;
  }
  return { from: text, to: text + HEX_MAX, isExact };
}
