import type { Database } from 'better-sqlite3';
import { LookupSubject } from '../lookup/lookup-kind.js';
import { RunRemoval } from '../lookup/run-removal.js';
import type { Prunable } from '../prunable.js';
import { prunableRollups } from '../rollup/prunable-rollups.js';

/** Rows of rollups and look-ups, which age as flows do. */
export interface AgingRows {
  /** The last id of the table that is in the rollups; without rollups all are. */
  readonly rolledUpToId?: (table: 'flows' | 'dns') => number;
  /** Look-ups: they go with the flows that are looked up. */
  readonly raw?: readonly Prunable[];
  readonly minutes?: readonly Prunable[];
  readonly hours?: readonly Prunable[];
  readonly days?: readonly Prunable[];
}

/** What ages in this database beside flows and DNS transactions. */
export function agingRows(db: Database): AgingRows {
  const foldedId = db.prepare<[string], number>('SELECT folded_id FROM rollup_state WHERE table_name = ?').pluck();
  const [minutes, hours, days] = prunableRollups(db);
  const lookups = [LookupSubject.Flows, LookupSubject.Dns].map((subject) => new RunRemoval(db, subject));
  return { rolledUpToId: (table) => foldedId.get(table) ?? -1, raw: lookups, minutes: [minutes], hours: [hours], days: [days] };
}
