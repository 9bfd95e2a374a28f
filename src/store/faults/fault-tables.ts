/** What the step in `migrations.ts` adds. */
export const FAULT_TABLES = `
-- Flows that were counted and are in no row, per session and minute of the counting: the file could not be written for longer than
-- they could wait, or it was removed or set aside with them. Then packets_in_flows = packets_written + packets.
CREATE TABLE unwritten (
  session_id INTEGER NOT NULL,
  minute_us INTEGER NOT NULL, -- as in ledger
  flows INTEGER NOT NULL,
  packets INTEGER NOT NULL,
  ip_bytes INTEGER NOT NULL,
  wire_bytes INTEGER NOT NULL,
  PRIMARY KEY (session_id, minute_us)
) WITHOUT ROWID;

-- Why this file was begun while flowberry ran, or before that.
CREATE TABLE file_events (
  id INTEGER PRIMARY KEY,
  at_us INTEGER NOT NULL, -- µs since 1970
  event TEXT NOT NULL, -- set_aside, removed, replaced
  detail TEXT NOT NULL
);`;
