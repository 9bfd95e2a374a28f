import type { Database } from 'better-sqlite3';
import type { Prunable } from '../prunable.js';
import { prunableRollups } from '../rollup/prunable-rollups.js';

/** Rows of rollups, which age as flows do. Look-ups of rows that are gone are deleted by the chore that makes them. */
export interface AgingRows {
  /** The last id of the table that is in the rollups; without rollups all are. */
  readonly rolledUpToId?: (table: 'flows' | 'dns') => number;
  /** What goes with the flows. */
  readonly raw?: readonly Prunable[];
  readonly minutes?: readonly Prunable[];
  readonly hours?: readonly Prunable[];
}

/** What ages in this database beside flows and DNS transactions. */
export function agingRows(db: Database): AgingRows {
  const foldedId = db.prepare<[string], number>('SELECT folded_id FROM rollup_state WHERE table_name = ?').pluck();
  const [minutes, hours] = prunableRollups(db) as [Prunable, Prunable];
  return { rolledUpToId: (table) => foldedId.get(table) ?? -1, minutes: [minutes], hours: [hours] };
}
