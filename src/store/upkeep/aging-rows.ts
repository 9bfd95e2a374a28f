import type { Database } from 'better-sqlite3';
import type { Prunable } from '../prunable.js';

/** Rows of rollups and look-ups, which age as flows do. */
export interface AgingRows {
  /** The last id of the table that is in the rollups; without rollups all are. */
  readonly rolledUpToId?: (table: 'flows' | 'dns') => number;
  /** Look-ups: they go with the flows that are looked up. */
  readonly raw?: readonly Prunable[];
  readonly minutes?: readonly Prunable[];
  readonly hours?: readonly Prunable[];
}

/** What ages in this database beside flows and DNS transactions. */
export function agingRows(_db: Database): AgingRows {
  return {};
}
