/** Schema version 7. */
export const LOOKUP_TABLES = `
-- Stretches of flows and of DNS transactions that can be looked up: what has an id above after_id and up to last_id. Rows outside of all
-- stretches are found by reading them. A stretch is written once and never changed.
CREATE TABLE lookup_runs (
  run INTEGER PRIMARY KEY, -- from 1, in the order of writing
  subject INTEGER NOT NULL, -- 0: flows, 1: dns
  after_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  start_us_min INTEGER NOT NULL, -- earliest start of a flow, or time of a query
  bytes_max INTEGER NOT NULL, -- largest flow, both directions; 0 for dns
  is_stale INTEGER NOT NULL -- 1: rows were added behind its back, or are gone; it is not used and will be deleted
);

-- The blocks of 1,024 rows that a stretch is cut into, at most 48, and the segments of 64 rows that these are cut into.
CREATE TABLE lookup_blocks (
  run INTEGER NOT NULL,
  block INTEGER NOT NULL, -- from 0
  last_id INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  start_us_min INTEGER NOT NULL,
  bytes_max INTEGER NOT NULL,
  segment_ages TEXT NOT NULL, -- last_id less the last id of each segment, a JSON array
  PRIMARY KEY (run, block)
) WITHOUT ROWID;

-- Where in a stretch something occurs. Written in sorted order, a stretch at a time, always at the end.
CREATE TABLE lookup (
  run INTEGER NOT NULL,
  kind INTEGER NOT NULL, -- 0 address, 1 name, 2 domain above a name, 3 application, 4 port below 32768, 5 protocol, 6 interface, 7 VLAN, 8 end reason, 9 response code
  key INTEGER NOT NULL, -- as in flows and dns; of a domain a hash
  places INTEGER NOT NULL, -- the low 3 bits say how many numbers of segments follow, 10 bits each; 0: bit 3 + n is block n
  PRIMARY KEY (run, kind, key)
) WITHOUT ROWID;`;
