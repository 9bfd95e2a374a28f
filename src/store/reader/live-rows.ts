import type { Database } from 'better-sqlite3';
import { withReadableName } from './readable-name.js';
import { objects, values } from './statement.js';

/** Rows that the live stream tells; `newest` is where to go on. */
export interface LiveRows {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly newest: number;
}

/** For each topic: its table, its view, and the column that is the place of a row. */
const TOPICS = {
  flows: { table: 'flows', view: 'flow_view', place: 'id' },
  devices: { table: 'devices', view: 'device_view', place: 'last_seen_us' },
  alerts: { table: 'alerts', view: 'alert_view', place: 'last_us' },
} as const;

export type LiveTopicOfRows = keyof typeof TOPICS;

/**
 * Rows of a topic behind the place `after`, the oldest first, at most `limit` and those in the same place as the last of them: alerts that
 * are raised together have one time. Null: no rows, only where the newest is. Rows of the future, from captures or of a clock that was
 * wrong, are none: behind them nothing new would ever be found.
 */
export function liveRows(db: Database, topic: LiveTopicOfRows, after: number | null, limit: number, untilUs: number): LiveRows {
  const { table, view, place } = TOPICS[topic];
  if (after === null)
    return {
      rows: [],
      newest: values<number | null>(db, `SELECT max(${place}) FROM ${table} WHERE ${place} <= ?`).get(untilUs) ?? 0,
    };
  const lastSql = `SELECT max(${place}) FROM (SELECT ${place} FROM ${table} WHERE ${place} > ? AND ${place} <= ? ORDER BY ${place} LIMIT ?)`;
  const last = values<number | null>(db, lastSql).get(after, untilUs, limit);
  if (last == null) return { rows: [], newest: after };
  const rowsSql = `SELECT * FROM ${view} WHERE ${place} > ? AND ${place} <= ? ORDER BY ${place}`;
  const rows = objects<Record<string, unknown>>(db, rowsSql).all(after, last);
  return { rows: topic === 'devices' ? (rows as { name: string | null }[]).map(withReadableName) : rows, newest: last };
}
