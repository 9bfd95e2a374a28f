import type { Database } from 'better-sqlite3';
import { ADDRESS_ID_BASE } from './addresses.js';
import { Attribute, attributeSql } from './attributes.js';
import { SHED_SINCE } from './budget/shed-columns.js';
import { COUNT_COLUMNS, countColumnsOf } from './counters.js';
import { openForReading } from './open-database.js';
import { checkRollups, ROLLUPS_SINCE } from './rollup/check-rollups.js';
import { KINDS, type Kind } from './rollup/kinds.js';
import { LEVEL_NAMES } from './rollup/levels.js';
import { isSqliteError } from './sqlite-error.js';

/** One statement about a database that must hold, and whether it does. */
export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  /** Figures where it holds, what differs where it does not. */
  readonly detail: string;
}

/** A session that was not closed. */
export interface OpenSession {
  readonly key: string;
  readonly source: string;
  readonly startedUs: number;
  /** False: a later run found it open, so flowberry was killed. True: it runs, or it was killed and nothing has run since. */
  readonly mayRun: boolean;
  /** Packets that its last commit counted in flows and had not written; what came after that commit is counted nowhere. */
  readonly packetsUnwritten: number;
}

export interface CheckReport {
  readonly path: string;
  readonly schemaVersion: number;
  readonly flows: number;
  readonly packets: number;
  readonly checks: readonly CheckResult[];
  readonly openSessions: readonly OpenSession[];
}

type Row = Record<string, number>;

/** Errors of `PRAGMA integrity_check` that are shown. */
const ERRORS_SHOWN = 10;

/**
 * Checks that the file is sound, that every id resolves, and that the ledger balances. Read-only, of one moment: a writer may
 * be running. Throws what `openForReading` throws. Reads the whole file, so it takes as long as that takes.
 */
export function checkDatabase(path: string): CheckReport {
  const db = openForReading(path);
  try {
    // Nothing ends this transaction but close: on a damaged file a COMMIT fails, even of a reader.
    db.exec('BEGIN');
    const integrity = checkIntegrity(db);
    const schemaVersion = db.pragma('user_version', { simple: true }) as number;
    if (!integrity.ok) return { path, schemaVersion, flows: 0, packets: 0, checks: [integrity], openSessions: [] };
    const stored = db.prepare<[], Row>(STORED_SUMS).get() as Row;
    const checks = [
      integrity,
      checkReferences(db, schemaVersion),
      checkTotals(db, stored, schemaVersion),
      ...checkSessions(db, schemaVersion),
      ...(schemaVersion >= ROLLUPS_SINCE ? checkRollups(db) : []),
    ];
    const { flows_written: flows = 0, packets_written: packets = 0 } = stored;
    return { path, schemaVersion, flows, packets, checks, openSessions: findOpenSessions(db, schemaVersion) };
  } finally {
    db.close();
  }
}

function checkIntegrity(db: Database): CheckResult {
  const name = 'the file is sound';
  try {
    const lines = db.prepare<[], string>(`PRAGMA integrity_check(${ERRORS_SHOWN})`).pluck().all();
    return { name, ok: lines.length === 1 && lines[0] === 'ok', detail: lines.join('; ') };
  } catch (error) {
    // A page so broken that SQLite cannot even list what is wrong.
    if (!isSqliteError(error) || !error.code.startsWith('SQLITE_CORRUPT')) throw error;
    return { name, ok: false, detail: error.message };
  }
}

const INTERFACE_ID = attributeSql(Attribute.InterfaceId, Attribute.VlanId);

/** A table with ids of others. */
interface Referrer {
  readonly table: string;
  /** Schema version since which it has these columns. */
  readonly since: number;
  /** Columns that hold an address, or the id of a text. */
  readonly addresses?: readonly string[];
  readonly texts?: readonly string[];
  /** Rows with the time of their emission as `id`: they stay as they are until they go. */
  readonly isRaw?: boolean;
  /** Each row's own `id` is that of a flow. */
  readonly isOfFlow?: boolean;
  readonly isOfDevice?: boolean;
  /** SQL for an interface's id. */
  readonly interface?: string;
}

/**
 * Every column that holds an id. The sweep of texts and addresses reads this list: it deletes what stands in none of these columns. A
 * table whose rows go over into another one stands before that one.
 */
export const REFERRERS: readonly Referrer[] = [
  { table: 'flows', since: 1, isRaw: true, addresses: ['src', 'dst'], interface: INTERFACE_ID },
  { table: 'flow_tunnels', since: 3, addresses: ['src', 'dst'], isOfFlow: true },
  { table: 'flows', since: 4, isRaw: true, texts: ['server_name'] },
  { table: 'flow_tls', since: 4, texts: ['alpn', 'ja4'], isOfFlow: true },
  { table: 'flow_http', since: 4, texts: ['method', 'path', 'user_agent'], isOfFlow: true },
  { table: 'dns', since: 4, isRaw: true, addresses: ['client', 'server'], texts: ['query'] },
  { table: 'device_addresses', since: 4, addresses: ['ip'], isOfDevice: true },
  { table: 'device_names', since: 4, texts: ['name'], isOfDevice: true },
  ...LEVEL_NAMES.flatMap((level) => Object.values<Kind>(KINDS).map((kind) => rollupReferrer(kind, level))),
  { table: 'known_destinations', since: 11, addresses: ['device'] },
];

/** Rows of minutes go over into hours, and those into days. */
function rollupReferrer({ name, keys }: Kind, level: string): Referrer {
  return {
    table: `rollup_${name}_${level}`,
    since: ROLLUPS_SINCE,
    ...(keys.includes('ip') && { addresses: ['ip'] }),
    ...(keys.includes('name') && { texts: ['name'] }),
  };
}

/** SQL that is true for a row with an id that is not there. */
function brokenSql({ table, addresses = [], texts = [], isOfFlow, isOfDevice, interface: interfaceId }: Referrer): string {
  const missing = (target: string, id: string): string => `NOT EXISTS (SELECT 1 FROM ${target} WHERE ${target}.id = ${id})`;
  return [
    ...addresses.map((column) => `(${table}.${column} >= ${ADDRESS_ID_BASE} AND ${missing('addresses', `${table}.${column}`)})`),
    ...texts.map((column) => `(${table}.${column} IS NOT NULL AND ${missing('texts', `${table}.${column}`)})`),
    ...(isOfFlow ? [missing('flows', `${table}.id`)] : []),
    ...(isOfDevice ? [missing('devices', `${table}.device_id`)] : []),
    ...(interfaceId ? [missing('interfaces', interfaceId)] : []),
  ].join(' OR ');
}

/** Older files are read as they are: what they have not got cannot be wrong in them. */
function checkReferences(db: Database, schemaVersion: number): CheckResult {
  const counts = REFERRERS.filter((referrer) => referrer.since <= schemaVersion && brokenSql(referrer) !== '').map((referrer) => {
    const sql = `SELECT count(*) FROM ${referrer.table} WHERE ${brokenSql(referrer)}`;
    return { table: referrer.table, count: db.prepare<[], number>(sql).pluck().get() as number };
  });
  const found = counts.filter(({ count }) => count > 0).map(({ table, count }) => `${count} in ${table}`);
  const detail = found.length === 0 ? '0 rows name what is not there' : `rows that name what is not there: ${found.join(', ')}`;
  return { name: 'every id resolves', ok: found.length === 0, detail };
}

const STORED_SUMS = `SELECT count(*) AS flows_written,
  coalesce(sum(src_packets + dst_packets), 0) AS packets_written,
  coalesce(sum(src_bytes + dst_bytes), 0) AS ip_bytes_written,
  coalesce(sum(src_bytes + dst_bytes + src_link_bytes + dst_link_bytes), 0) AS wire_bytes_written FROM flows`;

const WRITTEN_COLUMNS = COUNT_COLUMNS.filter((column) => column.endsWith('_written'));

/** Schema version since which rows are deleted, and their sums kept. */
const PRUNED_SINCE = 8;
const PRUNED_SUMS = `SELECT rows AS flows_written, packets AS packets_written, ip_bytes AS ip_bytes_written,
  wire_bytes AS wire_bytes_written FROM pruned WHERE kind = 'flows'`;

function checkTotals(db: Database, stored: Row, schemaVersion: number): CheckResult {
  const sums = WRITTEN_COLUMNS.map((column) => `coalesce(sum(${column}), 0) AS ${column}`).join(', ');
  const ledger = db.prepare<[], Row>(`SELECT ${sums} FROM ledger`).get() as Row;
  const pruned = schemaVersion < PRUNED_SINCE ? undefined : db.prepare<[], Row>(PRUNED_SUMS).get();
  const prunedOf = (column: string): number => pruned?.[column] ?? 0;
  const differing = WRITTEN_COLUMNS.filter((column) => (stored[column] ?? 0) + prunedOf(column) !== ledger[column]);
  const shown = differing.length > 0 ? differing : WRITTEN_COLUMNS;
  const detail = shown
    .map((column) => {
      const deleted = pruned ? ` and ${prunedOf(column)} in deleted ones` : '';
      return `${column}: ${stored[column]} in flows${deleted}, ${ledger[column]} in the ledger`;
    })
    .join('; ');
  return { name: 'flows and ledger agree', ok: differing.length === 0, detail };
}

/** What must hold for each session, as SQL that is true for a session where it does not. */
function sessionRules(schemaVersion: number): readonly (readonly [name: string, broken: string])[] {
  const equal = countColumnsOf(schemaVersion).map((column) => `s.${column} IS l.${column}`);
  return [
    ['drops by reason add up', 'l.packets_dropped <> l.drops_by_reason'],
    [
      'closed sessions: every frame is in a flow or dropped',
      's.clean = 1 AND l.frames_received <> l.packets_in_flows + l.packets_dropped',
    ],
    [
      'closed sessions: every packet in a flow is stored, or counted as lost or left out',
      's.clean = 1 AND l.packets_in_flows <> l.packets_written + l.packets_shed + coalesce(u.packets, 0)',
    ],
    ['closed sessions: final counts equal their ledger', `s.clean = 1 AND NOT (${equal.join(' AND ')})`],
    ['every ledger row belongs to a session', 's.id IS NULL'],
  ];
}

/** Sums of the ledger by session; what an older file does not count is 0. */
function ledgerBySession(schemaVersion: number): string {
  const columns = countColumnsOf(schemaVersion).map((column) => `sum(${column}) AS ${column}`);
  const packetsShed = schemaVersion < SHED_SINCE ? ', 0 AS packets_shed' : '';
  return `(SELECT session_id, ${columns.join(', ')}${packetsShed},
    sum((SELECT coalesce(sum(value), 0) FROM json_each(drops))) AS drops_by_reason
    FROM ledger GROUP BY session_id)`;
}

/** Packets of each session that are counted as lost. Older files have no such table. */
function lostBySession(db: Database): string {
  const isThere = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'unwritten'").get() !== undefined;
  return !isThere
    ? '(SELECT NULL AS session_id, 0 AS packets)'
    : '(SELECT session_id, sum(packets) AS packets FROM unwritten GROUP BY session_id)';
}

function checkSessions(db: Database, schemaVersion: number): CheckResult[] {
  return sessionRules(schemaVersion).map(([name, broken]) => {
    const keys = db
      .prepare<[], string>(
        `SELECT coalesce(s.key, 'id ' || l.session_id) FROM ${ledgerBySession(schemaVersion)} l
         LEFT JOIN sessions s ON s.id = l.session_id
         LEFT JOIN ${lostBySession(db)} u ON u.session_id = l.session_id WHERE ${broken} ORDER BY l.session_id`,
      )
      .pluck()
      .all();
    return { name, ok: keys.length === 0, detail: keys.length === 0 ? '' : `not so in session ${keys.join(', ')}` };
  });
}

function findOpenSessions(db: Database, schemaVersion: number): OpenSession[] {
  const rows = db
    .prepare<[], { key: string; source: string; started_us: number; may_run: number; unwritten: number | null }>(
      `SELECT s.key, s.source, s.started_us, s.clean IS NULL AS may_run,
         l.packets_in_flows - l.packets_written - l.packets_shed - coalesce(u.packets, 0) AS unwritten
       FROM sessions s LEFT JOIN ${ledgerBySession(schemaVersion)} l ON s.id = l.session_id
       LEFT JOIN ${lostBySession(db)} u ON u.session_id = s.id WHERE s.clean IS NOT 1 ORDER BY s.id`,
    )
    .all();
  return rows.map((row) => ({
    key: row.key,
    source: row.source,
    startedUs: row.started_us,
    mayRun: row.may_run === 1,
    packetsUnwritten: row.unwritten ?? 0,
  }));
}
