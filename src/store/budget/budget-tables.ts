import { SHED_COLUMNS } from './shed-columns.js';

const added = (table: string, type: string): string =>
  SHED_COLUMNS.map((column) => `ALTER TABLE ${table} ADD COLUMN ${column} ${type};`).join('\n');

/** Schema version 9. */
export const BUDGET_TABLES = `
-- What flowberry has written to disks, per day.
CREATE TABLE bytes_written (
  day_us INTEGER PRIMARY KEY, -- start of the day UTC, µs since 1970
  process_bytes INTEGER NOT NULL, -- by flowberry
  device_bytes INTEGER NOT NULL, -- by everybody to the disk on which this file lies; 0 where the kernel does not tell
  flows INTEGER NOT NULL, -- rows of flows
  seconds INTEGER NOT NULL -- that flowberry ran
);

-- Flows that were counted and not written as rows, since more was written than the disk should take. The rollups have them.
${added('ledger', 'INTEGER NOT NULL DEFAULT 0')}
INSERT INTO rollup_state VALUES ('shed', -1, 0, 0, 0, 0, 0, 0, 0, 0); -- what the rollups have of them
${added('sessions', 'INTEGER')}
UPDATE sessions SET ${SHED_COLUMNS.map((column) => `${column} = 0`).join(', ')} WHERE flows_written IS NOT NULL;`;
