import type { Database } from 'better-sqlite3';
import { ADDRESS_ID_BASE } from './addresses.js';
import { FLOW_VIEW } from './flow-view.js';

/** `PRAGMA application_id` of a flowberry database: "FLBR". */
export const APPLICATION_ID = 0x464c4252;

interface Migration {
  readonly version: number;
  readonly sql: string;
}

/**
 * Every step from an empty file to the present schema; a step is never changed once it has been released. Tables and columns
 * are explained inside the statements, where `.schema` of the sqlite3 shell shows them.
 *
 * `flows` holds differences where they are shorter than the values, since bytes are what wears the card. Measured, bytes of
 * file per row: 59.6; 1.3 more with the start instead of the duration, 1.6 with bytes on the wire, 1.0 with payload bytes, 2
 * with an interface id that is not 0. STRICT costs a tenth of the speed, NOT NULL nothing.
 */
const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    sql: `
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value NOT NULL
) WITHOUT ROWID;

CREATE TABLE interfaces (
  id INTEGER PRIMARY KEY, -- 0 to 255; 255 stands for all interfaces beyond it
  name TEXT NOT NULL,
  link_type INTEGER NOT NULL -- as pcap numbers it
);

-- IPv6 addresses. The first entry stands for those that found the table full.
CREATE TABLE addresses (
  id INTEGER PRIMARY KEY, -- 2^32 and above
  ip TEXT NOT NULL UNIQUE -- RFC 5952
);
INSERT INTO addresses VALUES (${ADDRESS_ID_BASE}, 'other');

-- One row per flow, or per segment of a long one; flow_view shows it readably. src is who began.
CREATE TABLE flows (
  id INTEGER PRIMARY KEY, -- µs since 1970 at which the row was emitted: even and unique
  end_age_us INTEGER NOT NULL, -- id less the time of the last packet
  duration_us INTEGER NOT NULL, -- from the first packet to the last
  src INTEGER NOT NULL, -- IPv4: the address as a signed 32-bit integer; IPv6: addresses.id
  dst INTEGER NOT NULL,
  ports INTEGER NOT NULL, -- src << 16 | dst as a signed 32-bit integer; ICMP: type << 8 | code
  src_packets INTEGER NOT NULL,
  dst_packets INTEGER NOT NULL,
  src_bytes INTEGER NOT NULL, -- IP total length
  dst_bytes INTEGER NOT NULL,
  src_link_bytes INTEGER NOT NULL, -- on the wire less IP total length
  dst_link_bytes INTEGER NOT NULL,
  src_header_bytes INTEGER NOT NULL, -- IP total length less payload
  dst_header_bytes INTEGER NOT NULL,
  attributes INTEGER NOT NULL, -- protocol, end reason, TCP state and flags, interface, VLAN
  flow_id INTEGER -- same for all segments of a flow; NULL for a flow of one segment
);

-- One row per run of flowberry. The counts are filled when it ends, or by the next run when it was killed.
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  mode TEXT NOT NULL, -- live or replay
  source TEXT NOT NULL,
  started_us INTEGER NOT NULL,
  ended_us INTEGER, -- NULL while it runs, and when nobody knows
  clean INTEGER, -- NULL while it runs, 1 when it was closed, 0 when it was found open by a later run
  frames_received INTEGER,
  packets_in_flows INTEGER,
  packets_dropped INTEGER,
  kernel_packets INTEGER,
  kernel_dropped INTEGER,
  flows_emitted INTEGER,
  flows_written INTEGER,
  packets_written INTEGER,
  ip_bytes_written INTEGER,
  wire_bytes_written INTEGER
);

-- What the counters rose by, per session and minute; minutes without a change are missing.
CREATE TABLE ledger (
  session_id INTEGER NOT NULL,
  minute_us INTEGER NOT NULL, -- start of the minute by the wall clock, µs since 1970
  frames_received INTEGER NOT NULL,
  packets_in_flows INTEGER NOT NULL,
  packets_dropped INTEGER NOT NULL,
  kernel_packets INTEGER NOT NULL,
  kernel_dropped INTEGER NOT NULL,
  flows_emitted INTEGER NOT NULL,
  flows_written INTEGER NOT NULL,
  packets_written INTEGER NOT NULL,
  ip_bytes_written INTEGER NOT NULL,
  wire_bytes_written INTEGER NOT NULL,
  drops TEXT NOT NULL, -- packets_dropped by reason, a JSON object
  ring_positions TEXT, -- newest row of a running session: where in each ring the rows that are stored end
  PRIMARY KEY (session_id, minute_us)
) WITHOUT ROWID;`,
  },
  {
    version: 2,
    sql: `
ALTER TABLE flows ADD COLUMN rtt_client_us INTEGER; -- NULL if the handshake was not seen
ALTER TABLE flows ADD COLUMN rtt_server_us INTEGER;

-- TCP flows with segments that were sent again, out of order, or without window; the others have no row here.
CREATE TABLE flow_trouble (
  id INTEGER PRIMARY KEY, -- flows.id
  src_retransmits INTEGER NOT NULL,
  dst_retransmits INTEGER NOT NULL,
  src_out_of_order INTEGER NOT NULL,
  dst_out_of_order INTEGER NOT NULL,
  src_zero_windows INTEGER NOT NULL,
  dst_zero_windows INTEGER NOT NULL
);`,
  },
  {
    version: 3,
    sql: `
-- The outermost tunnel of the flows that came in one, by their first packet.
CREATE TABLE flow_tunnels (
  id INTEGER PRIMARY KEY, -- flows.id
  type INTEGER NOT NULL, -- flow_view shows its name
  tunnel_id INTEGER, -- network (VNI), key, endpoint, label, session, …; NULL for a type without
  src INTEGER, -- outer addresses, as in flows; NULL for a tunnel below IP
  dst INTEGER
);`,
  },
];

/** `PRAGMA user_version` that this flowberry writes and reads. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings the database to the present schema, each step in a transaction of its own. `nowUs` is the wall clock, µs since 1970.
 * The caller has made sure that the file is ours and not newer.
 */
export function migrate(db: Database, nowUs: number): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  for (const migration of MIGRATIONS.filter((step) => step.version > version)) {
    db.transaction(() => {
      db.exec(migration.sql);
      const note = db.prepare('INSERT INTO meta VALUES (?, ?)');
      note.run(`schema_${migration.version}_us`, String(nowUs));
      if (migration.version === 1) {
        note.run('created_us', String(nowUs));
        note.run('page_size', String(db.pragma('page_size', { simple: true })));
        db.pragma(`application_id = ${APPLICATION_ID}`);
      }
      db.pragma(`user_version = ${migration.version}`);
    }).immediate();
  }
  renewView(db);
}

/**
 * Views hold no data, so they need no migration: one whose text differs from ours is made anew. That keeps the names of end
 * reasons and TCP states in step with the code.
 */
function renewView(db: Database): void {
  const present = db.prepare(`SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = 'flow_view'`).pluck().get();
  if (present === FLOW_VIEW) return;
  db.transaction(() => {
    db.exec('DROP VIEW IF EXISTS flow_view');
    db.exec(FLOW_VIEW);
  }).immediate();
}
