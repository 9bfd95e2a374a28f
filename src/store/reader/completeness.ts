import type { Database, Statement } from 'better-sqlite3';

/** What is known to be missing of a time. */
export interface Completeness {
  readonly complete: boolean;
  readonly lost_packets: number;
}

const LOST_SQL = ['ring_full', 'worker_crash', 'capture_crash'].map((reason) => `coalesce(json_extract(drops, '$.${reason}'), 0)`).join(' + ');
const MINUTE_US = 60_000_000;
const HOUR_US = 60 * MINUTE_US;
/** Losses come to light within minutes; those of an hour are remembered once it has been over for so long. */
const SETTLED_US = HOUR_US;
/** Hours that are remembered, two years; for more, all are forgotten and read again. */
const HOURS_MAX = 20_000;

/** By session, since the tables have the session before the minute. */
const LOST_BY_HOUR = `SELECT minute_us / ${HOUR_US} AS hour, sum(lost) AS lost FROM (
  SELECT l.minute_us, l.kernel_dropped + CASE WHEN l.packets_dropped > 0 THEN ${LOST_SQL} ELSE 0 END AS lost
  FROM sessions s JOIN ledger l ON l.session_id = s.id AND l.minute_us >= @fromUs AND l.minute_us < @untilUs
  UNION ALL
  SELECT n.minute_us, n.packets_lost
  FROM sessions s JOIN nic_losses n ON n.session_id = s.id AND n.minute_us >= @fromUs AND n.minute_us < @untilUs
) GROUP BY 1`;

/**
 * Tells whether a time is complete: by packets lost in network cards, in the kernel, in rings and by the death of a thread, and by
 * gaps without capture. Minutes are the grain: a minute that is touched counts whole.
 */
export class CompletenessReader {
  /** Losses of hours that are over, 0 included. */
  private readonly hours = new Map<number, number>();
  private readonly lost: Statement<[{ fromUs: number; untilUs: number }], { hour: number; lost: number }>;
  private readonly hasGap: Statement<[number, number], number>;

  constructor(db: Database) {
    this.lost = db.prepare(LOST_BY_HOUR);
    this.hasGap = db
      .prepare<[number, number], number>(
        `SELECT EXISTS (SELECT 1 FROM gaps g LEFT JOIN sessions s ON s.id = g.session_id
           WHERE g.start_us < ? AND coalesce(g.end_us, s.ended_us, 9e18) > ?)`,
      )
      .pluck();
  }

  /** Of the time from `sinceUs` to before `untilUs`; `nowUs` is the wall clock. */
  of(sinceUs: number, untilUs: number, nowUs: number): Completeness {
    const lost_packets = this.lostIn(sinceUs - (sinceUs % MINUTE_US), untilUs, nowUs);
    return { complete: lost_packets === 0 && this.hasGap.get(untilUs, sinceUs) === 0, lost_packets };
  }

  private lostIn(fromUs: number, untilUs: number, nowUs: number): number {
    const first = Math.ceil(fromUs / HOUR_US);
    const settled = Math.floor(Math.min(untilUs, nowUs - SETTLED_US) / HOUR_US);
    if (settled <= first || settled - first > HOURS_MAX) return this.read(fromUs, untilUs);
    return this.read(fromUs, first * HOUR_US) + this.remembered(first, settled) + this.read(settled * HOUR_US, untilUs);
  }

  /** Losses of whole hours; those that are not remembered are read at once. */
  private remembered(first: number, end: number): number {
    let firstUnknown = end;
    let lastUnknown = first - 1;
    let sum = 0;
    for (let hour = first; hour < end; hour++) {
      const lost = this.hours.get(hour);
      if (lost !== undefined) sum += lost;
      else {
        firstUnknown = Math.min(firstUnknown, hour);
        lastUnknown = hour;
      }
    }
    if (lastUnknown < firstUnknown) return sum;
    if (this.hours.size + lastUnknown - firstUnknown >= HOURS_MAX) this.hours.clear();
    for (let hour = firstUnknown; hour <= lastUnknown; hour++) this.hours.set(hour, 0);
    for (const { hour, lost } of this.lost.all({ fromUs: firstUnknown * HOUR_US, untilUs: (lastUnknown + 1) * HOUR_US }))
      this.hours.set(hour, lost);
    sum = 0;
    for (let hour = first; hour < end; hour++) sum += this.hours.get(hour) ?? 0;
    return sum;
  }

  private read(fromUs: number, untilUs: number): number {
    if (fromUs >= untilUs) return 0;
    return this.lost.all({ fromUs, untilUs }).reduce((sum, { lost }) => sum + lost, 0);
  }
}
