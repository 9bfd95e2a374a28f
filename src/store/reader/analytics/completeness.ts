import type { Database } from 'better-sqlite3';
import { lostSql } from '../../completeness-view.js';
import { GAP_END_SQL } from '../ledger.js';
import type { Range } from './answer.js';
import { statementOf } from './statements.js';

/** A minute in which packets were lost for certain, or may have been: 0 in the case of a gap. */
export interface LossyMinute {
  readonly minuteUs: number;
  readonly lostPackets: number;
}

/** `drops` is text: the names of most reasons are no loss, and JSON is read only where a loss may be named. */
const LEDGER_SQL = `SELECT l.minute_us AS minuteUs, l.kernel_dropped + ${lostSql('l.drops')} AS lostPackets
  FROM sessions s JOIN ledger l ON l.session_id = s.id AND l.minute_us >= ? AND l.minute_us < ?
  WHERE s.started_us < ? AND coalesce(s.ended_us >= ?, 1)
    AND (l.kernel_dropped > 0 OR ((l.drops LIKE '%ring_full%' OR l.drops LIKE '%crash%') AND ${lostSql('l.drops')} > 0))`;
const NIC_SQL =
  'SELECT minute_us AS minuteUs, packets_lost AS lostPackets FROM nic_losses WHERE minute_us >= ? AND minute_us < ? AND packets_lost > 0';
const STORE_SQL = 'SELECT minute_us AS minuteUs, packets AS lostPackets FROM unwritten WHERE minute_us >= ? AND minute_us < ?';
/** A gap that lasts is one of all times to come: an answer about a part of it stays as it is when the gap ends. */
const GAP_SQL = `SELECT g.start_us AS startUs, coalesce(${GAP_END_SQL}, 9e18) AS endUs
  FROM gaps g JOIN sessions s ON s.id = g.session_id WHERE g.start_us < ?`;

/** Losses of a range. */
export class Completeness {
  private readonly lossy: readonly LossyMinute[];
  private readonly gaps: readonly { startUs: number; endUs: number }[];

  constructor(db: Database, { fromUs, toUs }: Range) {
    const ledger = statementOf<number[], LossyMinute>(db, LEDGER_SQL).all(fromUs, toUs, toUs, fromUs);
    const others = [NIC_SQL, STORE_SQL].flatMap((sql) => statementOf<number[], LossyMinute>(db, sql).all(fromUs, toUs));
    this.lossy = [...ledger, ...others];
    this.gaps = statementOf<[number], { startUs: number; endUs: number }>(db, GAP_SQL)
      .all(toUs)
      .filter(({ endUs }) => endUs > fromUs);
  }

  /** Whether nothing is known to be missing in a part of the range, and the packets that are. */
  of({ fromUs, toUs }: Range): { readonly complete: boolean; readonly lostPackets: number } {
    let lostPackets = 0;
    let complete = !this.gaps.some(({ startUs, endUs }) => startUs < toUs && endUs > fromUs);
    for (const { minuteUs, lostPackets: lost } of this.lossy) {
      if (minuteUs < fromUs || minuteUs >= toUs) continue;
      lostPackets += lost;
      complete = false;
    }
    return { complete, lostPackets };
  }
}
