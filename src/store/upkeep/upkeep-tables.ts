/** Schema version 8. */
export const UPKEEP_TABLES = `
-- Sums of the rows that were deleted for their age or for want of room. With what is stored they make up what the ledger counts.
CREATE TABLE pruned (
  kind TEXT PRIMARY KEY, -- the table
  rows INTEGER NOT NULL,
  packets INTEGER NOT NULL, -- this and the next two: of flows
  ip_bytes INTEGER NOT NULL,
  wire_bytes INTEGER NOT NULL,
  newest_us INTEGER NOT NULL -- time of the newest row that went
) WITHOUT ROWID;

-- What the upkeep of this file remembers from run to run: checks and their results, the clock that ages are told by.
CREATE TABLE upkeep (
  task TEXT PRIMARY KEY,
  done_us INTEGER NOT NULL, -- µs since 1970
  result TEXT NOT NULL
) WITHOUT ROWID;

-- Old rows are joined to hours, and later to days.
ALTER TABLE ledger ADD COLUMN span_us INTEGER NOT NULL DEFAULT 60000000; -- what the row covers, from minute_us on
ALTER TABLE nic_losses ADD COLUMN span_us INTEGER NOT NULL DEFAULT 60000000;`;
