import { nameSql } from '../view-sql.js';
import { ALERT_KINDS } from './alert-kind.js';

/** Schema version 10. */
export const ALERT_TABLES = `
-- What somebody should look at; alert_view shows it readably. The same again within an hour raises the count.
CREATE TABLE alerts (
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  subject TEXT NOT NULL, -- what it is about: a hardware address, an address, a place
  detail TEXT NOT NULL, -- a sentence
  first_us INTEGER NOT NULL, -- µs since 1970, by the clock of the session
  last_us INTEGER NOT NULL,
  count INTEGER NOT NULL,
  acknowledged_us INTEGER -- NULL until somebody has
);

-- Sites that a device of ours has reached; filled only while alerts.new-destination is on.
CREATE TABLE known_destinations (
  device INTEGER NOT NULL, -- address, as in flows
  site TEXT NOT NULL,
  PRIMARY KEY (device, site)
) WITHOUT ROWID;`;

export const ALERT_VIEW = `CREATE VIEW alert_view AS SELECT
  id, ${nameSql('kind', ALERT_KINDS)} AS kind, subject, detail, first_us, last_us, count, acknowledged_us
FROM alerts`;
