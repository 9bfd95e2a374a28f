import type { Database } from 'better-sqlite3';
import { addressSql } from '../view-sql.js';
import { type FlowFilter, planFlows } from './flow-filter.js';
import { ROWS_EXAMINED_MAX } from './flow-search.js';
import { searchRows } from './lookup-search.js';
import { inSnapshot, values } from './statement.js';

/** Names that are counted at the same time; the search ends at so many. */
const NAMES_COUNTED_MAX = 20_000;
const NAMES = 100;
const ADDRESSES_MAX = 8;

export interface NameInput {
  /** Names in the answer; 100 where it is not given. */
  readonly limit?: number;
  /** Flows that are read at most. */
  readonly rowsExaminedMax?: number;
}

/** A name of servers, and the flows to it that were found. */
export interface NameRow {
  readonly name: string;
  readonly flows: number;
  /** IP bytes, both directions. */
  readonly bytes: number;
  /** The clients that were seen, at most 64 are told apart. */
  readonly clients: number;
  /** Of the servers, the one seen last first, at most 8. */
  readonly addresses: readonly string[];
  readonly first_seen_us: number;
  readonly last_seen_us: number;
}

export interface NameList {
  /** The name seen last first. */
  readonly rows: readonly NameRow[];
  /** Names that were found, those that are left out included. */
  readonly nameCount: number;
  /** The search ended before it had read all flows; older ones are not counted. */
  readonly isTruncated: boolean;
  readonly rowsExamined: number;
  /** Flows with larger ids were counted, µs since 1970; null: all. */
  readonly searchedToUs: number | null;
}

interface Counted {
  flows: number;
  bytes: number;
  firstUs: number;
  lastUs: number;
  readonly clients: Set<number>;
  readonly addresses: Set<number>;
}

const CLIENTS_MAX = 64;

type Row = readonly [id: number, src: number, dst: number, name: number, bytes: number, endUs: number];

/** Names of servers to which there were flows, from the newest flow back. Throws `FILTER_INVALID`. */
export function listNames(db: Database, filter: FlowFilter, input: NameInput = {}): NameList {
  return inSnapshot(db, () => {
    const { limit = NAMES, rowsExaminedMax = ROWS_EXAMINED_MAX } = input;
    const plan = planFlows(db, filter);
    const named = { ...plan, conditions: [...plan.conditions, 'server_name IS NOT NULL'] };
    const counted = new Map<number, Counted>();
    let rowsExamined = 0;
    let searchedToUs: number | null = null;
    const bounds = { order: 'newest', afterId: null, limit: 1, rowsExaminedMax } as const;
    for (const part of searchRows<Row>(db, named, bounds, 'server_name, src_bytes + dst_bytes, id - end_age_us')) {
      for (const row of part.rows) count(counted, row);
      rowsExamined = part.rowsExamined;
      searchedToUs = rowsExamined >= rowsExaminedMax || counted.size >= NAMES_COUNTED_MAX ? part.nextId : null;
      if (searchedToUs !== null) break;
    }
    const newest = [...counted].sort(([, a], [, b]) => b.lastUs - a.lastUs).slice(0, limit);
    return {
      rows: newest.map(([id, name]) => nameRow(db, id, name)),
      nameCount: counted.size,
      isTruncated: searchedToUs !== null,
      rowsExamined,
      searchedToUs,
    };
  });
}

function count(counted: Map<number, Counted>, [, src, dst, name, bytes, endUs]: Row): void {
  let entry = counted.get(name);
  if (!entry) {
    entry = { flows: 0, bytes: 0, firstUs: endUs, lastUs: endUs, clients: new Set(), addresses: new Set() };
    counted.set(name, entry);
  }
  entry.flows++;
  entry.bytes += bytes;
  entry.firstUs = Math.min(entry.firstUs, endUs);
  entry.lastUs = Math.max(entry.lastUs, endUs);
  if (entry.clients.size < CLIENTS_MAX) entry.clients.add(src);
  if (entry.addresses.size < ADDRESSES_MAX) entry.addresses.add(dst);
}

function nameRow(db: Database, id: number, { flows, bytes, firstUs, lastUs, clients, addresses }: Counted): NameRow {
  return {
    name: values<string>(db, 'SELECT text FROM texts WHERE id = ?').get(id) ?? '',
    flows,
    bytes,
    clients: clients.size,
    addresses: [...addresses].map((address) => addressText(db, address)),
    first_seen_us: firstUs,
    last_seen_us: lastUs,
  };
}

/** The text of an address as the tables hold it. */
function addressText(db: Database, key: number): string {
  return values<string>(db, `SELECT ${addressSql('key')} FROM (SELECT ? AS key)`).get(key) ?? '';
}
