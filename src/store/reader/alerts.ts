import type { Database } from 'better-sqlite3';
import { objects } from './statement.js';

/** A row of `alert_view`. */
export interface AlertRow {
  readonly id: number;
  readonly kind: string;
  readonly subject: string;
  readonly detail: string;
  readonly first_us: number;
  readonly last_us: number;
  readonly count: number;
  readonly acknowledged_us: number | null;
}

/** A place in the list: behind this alert. */
export interface AlertPlace {
  readonly lastUs: number;
  readonly id: number;
}

/** Alerts, the latest first, behind the last one of the page before; `isAcknowledged` undefined: all. The table is bounded. */
export function alertPage(
  db: Database,
  isAcknowledged: boolean | undefined,
  limit: number,
  after: AlertPlace | null,
): AlertRow[] {
  const wanted = isAcknowledged === undefined ? null : isAcknowledged ? 1 : 0;
  return objects<AlertRow>(
    db,
    `SELECT * FROM alert_view WHERE coalesce((acknowledged_us IS NOT NULL) = ?, true) AND (last_us, id) < (?, ?)
     ORDER BY last_us DESC, id DESC LIMIT ?`,
  ).all(wanted, after?.lastUs ?? Number.MAX_SAFE_INTEGER, after?.id ?? 0, limit);
}
