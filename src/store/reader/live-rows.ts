import type { Database } from 'better-sqlite3';
import { objects, values } from './statement.js';

/** Rows that the live stream tells; `newest` is where to go on. */
export interface LiveRows {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly newest: number;
}

/** For each topic: where the newest row is, the rows behind a place, and which column is that place. */
const TOPICS = {
  flows: {
    newest: 'SELECT max(id) FROM flows',
    rows: 'SELECT * FROM flow_view WHERE id > ? ORDER BY id LIMIT ?',
    place: 'id',
  },
  devices: {
    newest: 'SELECT max(last_seen_us) FROM devices',
    rows: 'SELECT * FROM device_view WHERE last_seen_us > ? ORDER BY last_seen_us LIMIT ?',
    place: 'last_seen_us',
  },
  alerts: {
    newest: 'SELECT max(last_us) FROM alerts',
    rows: 'SELECT * FROM alert_view WHERE last_us > ? ORDER BY last_us LIMIT ?',
    place: 'last_us',
  },
} as const;

export type LiveTopicOfRows = keyof typeof TOPICS;

/** Rows of a topic behind the place `after`, the oldest first, at most `limit`; null: none, only where the newest is. */
export function liveRows(db: Database, topic: LiveTopicOfRows, after: number | null, limit: number): LiveRows {
  const { newest, rows, place } = TOPICS[topic];
  if (after === null) return { rows: [], newest: values<number | null>(db, newest).get() ?? 0 };
  const found = objects<Record<string, unknown>>(db, rows).all(after, limit);
  return { rows: found, newest: (found.at(-1)?.[place] as number | undefined) ?? after };
}
