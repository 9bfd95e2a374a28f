import type { Database, Statement } from 'better-sqlite3';
import { DAY_US, HOUR_US } from './fold-ledger.js';
import type { UpkeepNotes } from './upkeep-notes.js';

/** A clock that moves on by more than this between two looks is in doubt. */
const STEP_US_MAX = DAY_US;
/** How long a clock in doubt must have gone on evenly … */
const AGREED_US_MIN = DAY_US;
/** … and how many flows must have been stored by it, before ages are told by it. */
const AGREED_ROWS_MIN = 1000;

const TASK = 'clock';

/**
 * Tells whether rows may be deleted for their age. A machine without a clock of its own starts in 1970, or years ahead: by such a
 * clock all rows are old. So ages are told only by a clock that has moved on evenly from the newest row, or from the last look; one
 * that has leapt ahead must first go on for a day, and a thousand flows must have been stored by it. Deleting for want of room does
 * not ask here.
 */
export class AgeGuard {
  /** The last time by which ages were told, µs since 1970. */
  private agreedUs: number;
  /** Since when the clock is in doubt; null while it is not. */
  private doubtUs: number | null;
  private seenUs: number;
  private keptUs = 0;
  private readonly countSince: Statement<[number, number], number>;

  constructor(
    db: Database,
    private readonly notes: UpkeepNotes,
    nowUs: number,
  ) {
    this.countSince = db
      .prepare<[number, number], number>('SELECT count(*) FROM (SELECT 1 FROM flows WHERE id >= ? LIMIT ?)')
      .pluck();
    const note = notes.read(TASK);
    const newestUs = db.prepare<[], number | null>('SELECT max(id) FROM flows').pluck().get() ?? null;
    this.agreedUs = note?.doneUs ?? newestUs ?? nowUs;
    const [doubtUs, seenUs] = note && note.result !== '' ? note.result.split(' ').map(Number) : [];
    this.doubtUs = doubtUs ?? null;
    this.seenUs = seenUs ?? this.agreedUs;
  }

  /** Whether ages can be told by `nowUs`. Keeps what it learns in the open transaction. */
  look(nowUs: number): boolean {
    const wasInDoubt = this.doubtUs !== null;
    if (nowUs <= this.agreedUs + STEP_US_MAX) {
      this.agreedUs = nowUs;
      this.doubtUs = null;
    } else if (this.doubtUs === null || nowUs < this.doubtUs || nowUs - this.seenUs > STEP_US_MAX) {
      this.doubtUs = nowUs;
    } else if (nowUs - this.doubtUs >= AGREED_US_MIN && this.hasRowsSince(this.doubtUs)) {
      this.agreedUs = nowUs;
      this.doubtUs = null;
    }
    this.seenUs = nowUs;
    this.keep(wasInDoubt !== (this.doubtUs !== null));
    return this.doubtUs === null;
  }

  /** A step is a day, so an hour is soon enough to write down where the clock is. */
  private keep(isNews: boolean): void {
    if (!isNews && Math.abs(this.seenUs - this.keptUs) < HOUR_US) return;
    this.notes.write(TASK, this.agreedUs, this.doubtUs === null ? '' : `${this.doubtUs} ${this.seenUs}`);
    this.keptUs = this.seenUs;
  }

  private hasRowsSince(us: number): boolean {
    return this.countSince.get(us, AGREED_ROWS_MIN) === AGREED_ROWS_MIN;
  }
}
