import type { Database, Statement } from 'better-sqlite3';
import type { AlertKind } from './alert-kind.js';

/** Rows of `alerts`; beyond them the oldest go, those that somebody has acknowledged first. */
export const ALERTS_MAX = 10_000;
const ROOM_ROWS = 100;
/** The same alert within this time raises the count of the row that is there. */
const REPEAT_US = 3_600e6;
/** New rows within an hour of session time; what comes beyond is counted and not stored. */
export const ALERTS_PER_HOUR_MAX = 100;
const HOUR_US = 3_600e6;
/** A count is written at most so often. */
const COUNT_US = 60e6;
/** Alerts that are remembered as raised; at the limit all are forgotten, and may be told again. */
const RECENT_MAX = 1024;
const DETAIL_CHARS_MAX = 500;

interface Recent {
  readonly id: number;
  readonly firstUs: number;
  writtenUs: number;
  unwritten: number;
}

/** Stores alerts, each once an hour, and not too many. Has no transaction of its own. */
export class AlertBook {
  /** Alerts that were not stored since there were too many. */
  suppressed = 0;
  private readonly recent = new Map<string, Recent>();
  private hourUs = Number.NEGATIVE_INFINITY;
  private newInHour = 0;
  private readonly insert: Statement<[number, string, string, number, number]>;
  private readonly latest: Statement<
    [kind: number, subject: string, fromUs: number, toUs: number],
    { id: number; first_us: number }
  >;
  private readonly addCount: Statement<[number, number, number]>;
  private readonly countRows: Statement<[], number>;
  private readonly makeRoom: Statement<[number]>;

  constructor(db: Database) {
    this.latest = db.prepare(
      'SELECT id, first_us FROM alerts WHERE kind = ? AND subject = ? AND first_us BETWEEN ? AND ? ORDER BY id DESC LIMIT 1',
    );
    this.insert = db.prepare('INSERT INTO alerts (kind, subject, detail, first_us, last_us, count) VALUES (?, ?, ?, ?, ?, 1)');
    this.addCount = db.prepare('UPDATE alerts SET count = count + ?, last_us = max(last_us, ?) WHERE id = ?');
    this.countRows = db.prepare<[], number>('SELECT count(*) FROM alerts').pluck();
    this.makeRoom = db.prepare(
      'DELETE FROM alerts WHERE id IN (SELECT id FROM alerts ORDER BY acknowledged_us IS NULL, id LIMIT ?)',
    );
  }

  /**
   * Stores an alert about `subject` at `us`, µs since 1970 by the clock of the session, in the open transaction. `subject` and `detail`
   * are ASCII.
   */
  raise(kind: AlertKind, subject: string, detail: string, us: number): void {
    const key = `${kind} ${subject}`;
    const known = this.recent.get(key) ?? this.stored(kind, subject, us);
    if (known !== undefined && us - known.firstUs < REPEAT_US) {
      this.remember(key, known);
      known.unwritten++;
      if (us - known.writtenUs < COUNT_US) return;
      this.addCount.run(known.unwritten, us, known.id);
      known.writtenUs = us;
      known.unwritten = 0;
      return;
    }
    if (!this.mayAdd(us)) {
      this.suppressed++;
      return;
    }
    if ((this.countRows.get() as number) >= ALERTS_MAX) this.makeRoom.run(ROOM_ROWS);
    const id = this.insert.run(kind, subject, detail.slice(0, DETAIL_CHARS_MAX), us, us).lastInsertRowid as number;
    this.remember(key, { id, firstUs: us, writtenUs: us, unwritten: 0 });
  }

  private remember(key: string, recent: Recent): void {
    if (this.recent.size >= RECENT_MAX && !this.recent.has(key)) this.recent.clear();
    this.recent.set(key, recent);
  }

  /** An earlier run may have told it. Reads at most all rows, and only while new ones may be stored. */
  private stored(kind: AlertKind, subject: string, us: number): Recent | undefined {
    if (this.newInHour >= ALERTS_PER_HOUR_MAX) return undefined;
    const row = this.latest.get(kind, subject, us - REPEAT_US, us);
    return row && { id: row.id, firstUs: row.first_us, writtenUs: 0, unwritten: 0 };
  }

  /** The transaction was rolled back, or nobody knows: what it had raised may be raised again. */
  revert(): void {
    this.recent.clear();
  }

  private mayAdd(us: number): boolean {
    if (us - this.hourUs >= HOUR_US || us < this.hourUs) {
      this.hourUs = us;
      this.newInHour = 0;
    }
    return ++this.newInHour <= ALERTS_PER_HOUR_MAX;
  }
}

/** Marks an alert as seen at `us`, or as not seen with null; false if there is none with this id. In a transaction of its own. */
export function acknowledgeAlert(db: Database, id: number, us: number | null): boolean {
  return db.prepare('UPDATE alerts SET acknowledged_us = ? WHERE id = ?').run(us, id).changes > 0;
}
