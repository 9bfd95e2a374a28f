import type { Database, Statement } from 'better-sqlite3';
import { COUNT_COLUMNS } from '../counters.js';

/** Counts of a time, added up over sessions. */
export type LedgerCounts = Record<(typeof COUNT_COLUMNS)[number], number>;

/** A minute in which packets were lost, or nothing was captured for a while. */
export interface IncompleteMinute {
  readonly minute_us: number;
  readonly packets_received: number;
  readonly lost_by_nic: number;
  readonly lost_by_kernel: number;
  readonly lost_by_ring: number;
  readonly lost_by_crash: number;
  readonly has_gap: number;
}

/** Where all packets of a time went, and what is missing of it. */
export class LedgerReader {
  private readonly sums: Statement<[number, number], LedgerCounts>;
  private readonly drops: Statement<[number, number], [string, number]>;
  private readonly minutes: Statement<[number, number, number], IncompleteMinute>;
  private readonly gaps: Statement<[number, number, number], Gap>;
  private readonly sessions: Statement<[number, number, number], SessionRow>;

  constructor(db: Database) {
    const range = 'FROM sessions s JOIN ledger l ON l.session_id = s.id AND l.minute_us >= ? AND l.minute_us < ?';
    this.sums = db.prepare(
      `SELECT ${COUNT_COLUMNS.map((column) => `coalesce(sum(l.${column}), 0) AS ${column}`).join(', ')} ${range}`,
    );
    this.drops = db
      .prepare<[number, number], [string, number]>(
        `SELECT j.key, sum(j.value) ${range} JOIN json_each(l.drops) j GROUP BY j.key ORDER BY 2 DESC, 1`,
      )
      .raw();
    this.minutes = db.prepare(
      `SELECT minute_us, packets_received, lost_by_nic, lost_by_kernel, lost_by_ring, lost_by_crash, has_gap
       FROM completeness_view WHERE minute_us >= ? AND minute_us < ? AND NOT complete ORDER BY minute_us DESC LIMIT ?`,
    );
    this.gaps = db.prepare(
      `SELECT interface, reason, start_us, end_us FROM gaps WHERE start_us < ? AND coalesce(end_us, 9e18) > ?
       ORDER BY start_us DESC LIMIT ?`,
    );
    this.sessions = db.prepare(
      `SELECT key, mode, source, started_us, ended_us, clean FROM sessions
       WHERE started_us < ? AND coalesce(ended_us, 9e18) > ? ORDER BY id DESC LIMIT ?`,
    );
  }

  /** Sums of the minutes that begin from `sinceUs` to before `untilUs`. */
  counts(sinceUs: number, untilUs: number): { readonly counts: LedgerCounts; readonly drops: Record<string, number> } {
    return {
      counts: this.sums.get(sinceUs, untilUs) as LedgerCounts,
      drops: Object.fromEntries(this.drops.all(sinceUs, untilUs)),
    };
  }

  /** The latest minutes that are not complete, at most `limit`. */
  incomplete(sinceUs: number, untilUs: number, limit: number): IncompleteMinute[] {
    return this.minutes.all(sinceUs, untilUs, limit);
  }

  gapsIn(sinceUs: number, untilUs: number, limit: number): Gap[] {
    return this.gaps.all(untilUs, sinceUs, limit);
  }

  sessionsIn(sinceUs: number, untilUs: number, limit: number): SessionRow[] {
    return this.sessions.all(untilUs, sinceUs, limit);
  }
}

/** A time in which an interface was not captured from; `end_us` null while it lasts. */
export interface Gap {
  readonly interface: string;
  readonly reason: string;
  readonly start_us: number;
  readonly end_us: number | null;
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
