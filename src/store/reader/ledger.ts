import type { Database } from 'better-sqlite3';
import { COUNT_COLUMNS } from '../counters.js';
import { MINUTE_US } from '../rollup/levels.js';
import type { Range } from './analytics/answer.js';
import { objects, rows } from './statement.js';

/** The ledger is kept by minutes: a range that begins or ends within one has to do with all of it. */
export function wholeMinutes({ fromUs, toUs }: Range): Range {
  return { fromUs: Math.floor(fromUs / MINUTE_US) * MINUTE_US, toUs: Math.ceil(toUs / MINUTE_US) * MINUTE_US };
}

/** Counts of a time, added up over sessions. */
export type LedgerCounts = Readonly<Record<(typeof COUNT_COLUMNS)[number], number>>;

const LEDGER_OF_RANGE = 'FROM sessions s JOIN ledger l ON l.session_id = s.id AND l.minute_us >= ? AND l.minute_us < ?';
const SUMS_SQL = `SELECT ${COUNT_COLUMNS.map((column) => `coalesce(sum(l.${column}), 0) AS ${column}`).join(', ')} ${LEDGER_OF_RANGE}`;
const DROPS_SQL = `SELECT j.key, sum(j.value) ${LEDGER_OF_RANGE} JOIN json_each(l.drops) j GROUP BY j.key ORDER BY 2 DESC, 1`;

/** Where the packets of the minutes that begin in a range went, and the drops by reason. */
export function ledgerOf(
  db: Database,
  { fromUs, toUs }: Range,
): { readonly counts: LedgerCounts; readonly drops: Readonly<Record<string, number>> } {
  return {
    counts: objects<LedgerCounts>(db, SUMS_SQL).get(fromUs, toUs) as LedgerCounts,
    drops: Object.fromEntries(rows<[string, number]>(db, DROPS_SQL).all(fromUs, toUs)),
  };
}

/** A minute in which packets were lost, or nothing was captured for a while. */
export interface IncompleteMinute {
  readonly minute_us: number;
  readonly packets_received: number;
  readonly lost_by_nic: number;
  readonly lost_by_kernel: number;
  readonly lost_by_ring: number;
  readonly lost_by_crash: number;
  /** Counted, and in no row: the database could not be written. */
  readonly lost_by_store: number;
  readonly has_gap: number;
}

/** The minutes of a range that are not complete, the latest first, at most `limit`. */
export function incompleteMinutes(db: Database, { fromUs, toUs }: Range, limit: number): IncompleteMinute[] {
  return objects<IncompleteMinute>(
    db,
    `SELECT minute_us, packets_received, lost_by_nic, lost_by_kernel, lost_by_ring, lost_by_crash, lost_by_store, has_gap
     FROM completeness_view WHERE minute_us >= ? AND minute_us < ? AND NOT complete ORDER BY minute_us DESC LIMIT ?`,
  ).all(fromUs, toUs, limit);
}

/**
 * SQL for the end of a gap `g` of a session `s`; NULL while it lasts. One that lasted to the end of its session has none of its own; a
 * session that was killed ended with its ledger.
 */
export const GAP_END_SQL = `coalesce(g.end_us, s.ended_us, CASE WHEN s.clean IS NOT NULL THEN coalesce(
  (SELECT minute_us + span_us FROM ledger WHERE session_id = s.id ORDER BY minute_us DESC LIMIT 1), g.start_us + 1) END)`;

/** A time in which an interface was not captured from; `end_us` null while it lasts. */
export interface Gap {
  readonly interface: string;
  readonly reason: string;
  readonly start_us: number;
  readonly end_us: number | null;
}

/** Gaps that lie in a range at least in part, the latest first, at most `limit`. */
export function gapsOf(db: Database, { fromUs, toUs }: Range, limit: number): Gap[] {
  return objects<Gap>(
    db,
    `SELECT * FROM (SELECT interface, reason, start_us, ${GAP_END_SQL} AS end_us
       FROM gaps g JOIN sessions s ON s.id = g.session_id WHERE start_us < ?)
     WHERE coalesce(end_us, 9e18) > ? ORDER BY start_us DESC LIMIT ?`,
  ).all(toUs, fromUs, limit);
}

/** A run of flowberry. */
export interface SessionRow {
  readonly key: string;
  readonly mode: string;
  readonly source: string;
  readonly started_us: number;
  readonly ended_us: number | null;
  readonly clean: number | null;
}

/** Runs that lie in a range at least in part, the latest first, at most `limit`. */
export function sessionsOf(db: Database, { fromUs, toUs }: Range, limit: number): SessionRow[] {
  return objects<SessionRow>(
    db,
    `SELECT key, mode, source, started_us, ended_us, clean FROM sessions
     WHERE started_us < ? AND coalesce(ended_us, 9e18) > ? ORDER BY id DESC LIMIT ?`,
  ).all(toUs, fromUs, limit);
}
