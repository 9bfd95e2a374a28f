import type { Database, Statement } from 'better-sqlite3';

const DAY_US = 86_400_000_000;

/** What was written, and for how long. */
export interface Written {
  readonly processBytes: number;
  readonly deviceBytes: number;
  readonly flows: number;
  readonly seconds: number;
}

const NOTHING: Written = { processBytes: 0, deviceBytes: 0, flows: 0, seconds: 0 };

function sumOf(a: Written, b: Written): Written {
  return {
    processBytes: a.processBytes + b.processBytes,
    deviceBytes: a.deviceBytes + b.deviceBytes,
    flows: a.flows + b.flows,
    seconds: a.seconds + b.seconds,
  };
}

/**
 * The table `bytes_written`: totals that outlive a restart. What comes in is kept in memory and stored with a batch, once a minute and at
 * the end; what a killed process had not stored is missing from the totals.
 */
export class WriteTotals {
  /** Not stored yet. */
  private waiting: Written = NOTHING;
  /** As the database has it. */
  private total: Written;
  private today: Written = NOTHING;
  private dayUs = -1;
  private minuteUs = -1;
  private stored: { readonly dayUs: number; readonly minuteUs: number; readonly written: Written } | null = null;
  private readonly upsert: Statement<number[]>;
  private readonly findDay: Statement<[number], Written>;

  constructor(db: Database) {
    const columns = 'process_bytes AS processBytes, device_bytes AS deviceBytes, flows, seconds';
    const sums =
      'total(process_bytes) AS processBytes, total(device_bytes) AS deviceBytes, total(flows) AS flows, total(seconds) AS seconds';
    this.upsert = db.prepare(
      `INSERT INTO bytes_written VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET process_bytes = process_bytes + excluded.process_bytes,
       device_bytes = device_bytes + excluded.device_bytes, flows = flows + excluded.flows, seconds = seconds + excluded.seconds`,
    );
    this.findDay = db.prepare(`SELECT ${columns} FROM bytes_written WHERE day_us = ?`);
    this.total = db.prepare<[], Written>(`SELECT ${sums} FROM bytes_written`).get() as Written;
  }

  /** Everything that has been counted on this database. */
  get all(): Written {
    return sumOf(this.total, this.waiting);
  }

  /** What has been counted since midnight UTC. */
  sinceMidnight(nowUs: number): Written {
    this.turnTo(nowUs);
    return sumOf(this.today, this.waiting);
  }

  add(more: Written): void {
    this.waiting = sumOf(this.waiting, more);
  }

  /** Stores what waits under the day of `minuteUs`, inside the open transaction, when a minute has begun since the last time. */
  write(minuteUs: number): void {
    this.stored = null;
    if (minuteUs === this.minuteUs || this.waiting === NOTHING) return;
    this.turnTo(minuteUs);
    const { processBytes, deviceBytes, flows, seconds } = this.waiting;
    // Seconds come in parts, and the column takes whole numbers.
    const whole = Math.floor(seconds);
    this.upsert.run(this.dayUs, processBytes, deviceBytes, flows, whole);
    this.stored = { dayUs: this.dayUs, minuteUs, written: { processBytes, deviceBytes, flows, seconds: whole } };
  }

  /** The same whatever the minute: the last words of a session. */
  writeAll(minuteUs: number): void {
    this.minuteUs = -1;
    this.write(minuteUs);
  }

  /** The transaction is committed. */
  settle(): void {
    if (!this.stored) return;
    const { written, minuteUs, dayUs } = this.stored;
    this.stored = null;
    this.minuteUs = minuteUs;
    this.total = sumOf(this.total, written);
    if (dayUs === this.dayUs) this.today = sumOf(this.today, written);
    this.waiting = { ...NOTHING, seconds: this.waiting.seconds - written.seconds };
  }

  private turnTo(nowUs: number): void {
    const dayUs = nowUs - (nowUs % DAY_US);
    if (dayUs === this.dayUs) return;
    this.dayUs = dayUs;
    this.today = this.findDay.get(dayUs) ?? NOTHING;
  }
}
