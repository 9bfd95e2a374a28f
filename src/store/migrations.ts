import { ADDRESS_ID_BASE } from './addresses.js';
import { ALERT_TABLES } from './alerts/alert-tables.js';
import { BUDGET_TABLES } from './budget/budget-tables.js';
import { DEVICE_NOTE_TABLES } from './device-notes.js';
import { FAULT_TABLES } from './faults/fault-tables.js';
import { HOST_TABLES } from './host-samples/host-tables.js';
import { LOOKUP_TABLES } from './lookup/lookup-tables.js';
import { ROLLUP_INDEXES } from './rollup/rollup-indexes.js';
import { ROLLUP_TABLES } from './rollup/rollup-tables.js';
import { ROLLUP_TOTALS } from './rollup/rollup-totals.js';
import { UPKEEP_TABLES } from './upkeep/upkeep-tables.js';

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
export const MIGRATIONS: readonly Migration[] = [
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
  {
    version: 4,
    sql: `
-- Names and other texts from the wire: ASCII, escaped. The first entry stands for those that found the table full.
CREATE TABLE texts (
  id INTEGER PRIMARY KEY, -- 0 and above
  text TEXT NOT NULL UNIQUE
);
INSERT INTO texts VALUES (0, 'other');

ALTER TABLE flows ADD COLUMN application INTEGER; -- number * 2, and 1 more if only the port speaks for it; NULL for none
ALTER TABLE flows ADD COLUMN server_name INTEGER; -- texts.id; NULL if no name is known
ALTER TABLE flows ADD COLUMN server_name_info INTEGER; -- where the name is from, whether there were others, its age

-- What the ClientHello of a flow told, by TLS or QUIC.
CREATE TABLE flow_tls (
  id INTEGER PRIMARY KEY, -- flows.id
  version INTEGER, -- highest that the client offers, as on the wire
  alpn INTEGER, -- texts.id: the protocols that the client offers, joined by commas
  ja4 INTEGER, -- texts.id
  quic_version INTEGER -- NULL for TLS over TCP
);

-- What the first request of a flow and its answer told.
CREATE TABLE flow_http (
  id INTEGER PRIMARY KEY, -- flows.id
  method INTEGER, -- texts.id, as the next two
  path INTEGER, -- NULL unless names.http-path is on
  user_agent INTEGER,
  status INTEGER
);

-- One row per DNS transaction; dns_view shows it readably.
CREATE TABLE dns (
  id INTEGER PRIMARY KEY, -- µs since 1970 at which the row was emitted: even and unique
  seen_age_us INTEGER NOT NULL, -- id less the time of the query, or of the answer if no query was seen
  latency_us INTEGER, -- NULL if query or answer was not seen
  client INTEGER NOT NULL, -- addresses as in flows
  server INTEGER NOT NULL,
  ports INTEGER NOT NULL, -- client << 16 | server as a signed 32-bit integer
  transport INTEGER NOT NULL,
  type INTEGER NOT NULL,
  code INTEGER, -- NULL if no answer was seen
  query INTEGER NOT NULL, -- texts.id
  answer_count INTEGER NOT NULL, -- as the answer tells
  answers TEXT -- addresses and names, joined by commas; NULL for none
);

-- What has a hardware address on the networks that were seen; device_view shows it readably.
CREATE TABLE devices (
  id INTEGER PRIMARY KEY,
  mac TEXT UNIQUE, -- aa:bb:cc:dd:ee:ff; NULL for a device of which only the IP address was seen
  vendor TEXT, -- by the list of the IEEE; NULL where nobody is registered, and for addresses that devices give themselves
  first_seen_us INTEGER NOT NULL, -- µs since 1970, by the capture
  last_seen_us INTEGER NOT NULL
);

CREATE TABLE device_addresses (
  device_id INTEGER NOT NULL,
  ip INTEGER NOT NULL, -- as in flows
  source INTEGER NOT NULL, -- the first in the order ARP, NDP, DHCP, DHCPv6, mDNS, LLMNR, NetBIOS that showed it
  first_seen_us INTEGER NOT NULL,
  last_seen_us INTEGER NOT NULL,
  PRIMARY KEY (device_id, ip)
) WITHOUT ROWID;
CREATE INDEX device_addresses_by_ip ON device_addresses (ip);

CREATE TABLE device_names (
  device_id INTEGER NOT NULL,
  name INTEGER NOT NULL, -- texts.id
  source INTEGER NOT NULL, -- as above
  first_seen_us INTEGER NOT NULL,
  last_seen_us INTEGER NOT NULL,
  PRIMARY KEY (device_id, name)
) WITHOUT ROWID;`,
  },
  {
    version: 5,
    sql: `
-- When an interface was not captured from, by the capture's own clock.
CREATE TABLE gaps (
  session_id INTEGER NOT NULL,
  number INTEGER NOT NULL, -- from 1, in the order in which the gaps of a session began
  interface TEXT NOT NULL,
  reason TEXT NOT NULL,
  start_us INTEGER NOT NULL,
  end_us INTEGER, -- NULL while it lasts, and where it lasted to the session's end
  PRIMARY KEY (session_id, number)
) WITHOUT ROWID;

-- Packets that a network card has lost by its own count, per session and minute; minutes without loss are missing.
CREATE TABLE nic_losses (
  session_id INTEGER NOT NULL,
  minute_us INTEGER NOT NULL, -- as in ledger
  interface TEXT NOT NULL,
  packets_lost INTEGER NOT NULL,
  PRIMARY KEY (session_id, minute_us, interface)
) WITHOUT ROWID;`,
  },
  { version: 6, sql: ROLLUP_TABLES },
  { version: 7, sql: LOOKUP_TABLES },
  { version: 8, sql: UPKEEP_TABLES },
  { version: 9, sql: BUDGET_TABLES },
  { version: 10, sql: DEVICE_NOTE_TABLES },
  { version: 11, sql: ALERT_TABLES },
  { version: 12, sql: FAULT_TABLES },
  { version: 13, sql: HOST_TABLES },
  { version: 14, sql: ROLLUP_INDEXES },
  { version: 15, sql: ROLLUP_TOTALS },
];
