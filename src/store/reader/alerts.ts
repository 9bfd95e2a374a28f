import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.js';
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

export interface AlertInput {
  /** Only those that somebody has, or has not, acknowledged. */
  readonly isAcknowledged?: boolean;
  /** 1 to 1,000; the caller sees to that. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

/** A page of alerts, the latest first. Throws `FILTER_INVALID`. The table is bounded. */
export function alertPage(
  db: Database,
  { isAcknowledged, limit, cursor }: AlertInput,
): { readonly rows: readonly AlertRow[]; readonly next: string | null } {
  const wanted = isAcknowledged === undefined ? null : isAcknowledged ? 1 : 0;
  const [us, id] = cursor === undefined ? [Number.MAX_SAFE_INTEGER, 0] : placeOf(cursor);
  const rows = objects<AlertRow>(
    db,
    `SELECT * FROM alert_view WHERE coalesce((acknowledged_us IS NOT NULL) = ?, true) AND (last_us, id) < (?, ?)
     ORDER BY last_us DESC, id DESC LIMIT ?`,
  ).all(wanted, us, id, limit + 1);
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return { rows: rows.slice(0, limit), next: last ? `${last.last_us.toString(36)}-${last.id.toString(36)}` : null };
}

function placeOf(cursor: string): readonly [us: number, id: number] {
  const [, us, id] = /^([0-9a-z]{1,11})-([0-9a-z]{1,11})$/.exec(cursor) ?? [];
  const place = [Number.parseInt(us ?? '', 36), Number.parseInt(id ?? '', 36)] as const;
  if (place.every(Number.isSafeInteger)) return place;
  throw new AppError('FILTER_INVALID', 'the cursor is none that this flowberry gave');
}
