import type { Database, Statement } from 'better-sqlite3';
import { DROP_REASONS } from '../ring/drop-reason.js';
import { COUNT_COLUMNS, Count, type CounterReader, type Counts, createCounts } from './counters.js';
import type { RowSums } from './flow-rows.js';

const MINUTE_MS = 60_000;

type Drops = Record<string, number>;

/** Start of the minute that holds `nowMs`, in µs since 1970. */
export function minuteUsOf(nowMs: number): number {
  return Math.floor(nowMs / MINUTE_MS) * MINUTE_MS * 1000;
}

/**
 * The table `ledger`, as the writer keeps it for one session. Each write adds to the row of its minute what the counters rose
 * by since the last one, in the same transaction as the rows, together with the positions in the rings up to which rows are
 * stored. The database is the truth: `resume` reads back from it, after a takeover and after a failed write alike.
 */
export class Ledger {
  /** The session's counts as they are committed. */
  readonly stored: Counts = createCounts();
  /** The counts as the transaction under way has them. */
  readonly latest: Counts = createCounts();
  private positionsMinuteUs: number | null = null;
  private readonly upsert: Statement<(number | string)[]>;
  private readonly forgetPositions: Statement<[number, number]>;
  private readonly findDrops: Statement<[number, number], string>;

  constructor(
    private readonly db: Database,
    private readonly sessionId: number,
    private readonly counters: CounterReader,
  ) {
    const added = COUNT_COLUMNS.map((column) => `${column} = ${column} + excluded.${column}`).join(', ');
    this.upsert = db.prepare(
      `INSERT INTO ledger (session_id, minute_us, ${COUNT_COLUMNS.join(', ')}, drops, ring_positions)
       VALUES (${new Array(COUNT_COLUMNS.length + 4).fill('?').join(', ')})
       ON CONFLICT DO UPDATE SET ${added}, drops = excluded.drops, ring_positions = excluded.ring_positions`,
    );
    this.forgetPositions = db.prepare('UPDATE ledger SET ring_positions = NULL WHERE session_id = ? AND minute_us = ?');
    this.findDrops = db
      .prepare<[number, number], string>('SELECT drops FROM ledger WHERE session_id = ? AND minute_us = ?')
      .pluck();
  }

  /** Reads what is committed for this session, and gives the stored ring positions; null when nothing is stored yet. */
  resume(): number[] | null {
    this.stored.fill(0);
    const sums = COUNT_COLUMNS.map((column) => `coalesce(sum(${column}), 0)`).join(', ');
    const row = this.db.prepare<[number], number[]>(`SELECT ${sums} FROM ledger WHERE session_id = ?`).raw().get(this.sessionId);
    this.stored.set(row as number[]);
    const drops = this.db
      .prepare<[number], [string, number]>(
        'SELECT key, sum(value) FROM ledger, json_each(drops) WHERE session_id = ? GROUP BY key',
      )
      .raw()
      .all(this.sessionId);
    for (const [name, count] of drops) {
      const reason = (DROP_REASONS as readonly string[]).indexOf(name);
      if (reason > 0) this.stored[Count.Drops + reason] = count;
    }
    const last = this.db
      .prepare<[number], { minute_us: number; ring_positions: string }>(
        'SELECT minute_us, ring_positions FROM ledger WHERE session_id = ? AND ring_positions IS NOT NULL',
      )
      .get(this.sessionId);
    this.positionsMinuteUs = last?.minute_us ?? null;
    return last ? (JSON.parse(last.ring_positions) as number[]) : null;
  }

  /** Whether a counter has moved since the last commit, `rows` included. */
  hasChanged(rows: RowSums): boolean {
    this.counters.read(this.stored, rows, this.latest);
    return this.latest.some((count, index) => count !== this.stored[index]);
  }

  /** Adds to the row of the minute, inside the open transaction; nothing when nothing has changed. */
  write(minuteUs: number, rows: RowSums, positions: readonly number[]): void {
    if (!this.hasChanged(rows)) return;
    if (this.positionsMinuteUs !== null && this.positionsMinuteUs !== minuteUs)
      this.forgetPositions.run(this.sessionId, this.positionsMinuteUs);
    const deltas = COUNT_COLUMNS.map((_, index) => this.delta(index));
    const drops = this.addDrops(this.findDrops.get(this.sessionId, minuteUs) ?? '{}');
    this.upsert.run(this.sessionId, minuteUs, ...deltas, drops, JSON.stringify(positions));
    this.positionsMinuteUs = minuteUs;
  }

  /** The transaction is committed. */
  settle(): void {
    this.stored.set(this.latest);
  }

  /** The session ends: no successor will need the positions. Inside the open transaction. */
  end(): void {
    if (this.positionsMinuteUs !== null) this.forgetPositions.run(this.sessionId, this.positionsMinuteUs);
  }

  private delta(index: number): number {
    return (this.latest[index] as number) - (this.stored[index] as number);
  }

  private addDrops(text: string): string {
    if (this.delta(Count.PacketsDropped) === 0) return text;
    const drops = JSON.parse(text) as Drops;
    for (const [reason, name] of DROP_REASONS.entries()) {
      const delta = this.delta(Count.Drops + reason);
      if (delta !== 0) drops[name] = (drops[name] ?? 0) + delta;
    }
    return JSON.stringify(drops);
  }
}
