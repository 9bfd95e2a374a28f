import type { Database, Statement } from 'better-sqlite3';
import type { PipelineMemory } from '../messages.js';
import type { DropCounts } from '../ring/ledger.js';
import { COUNT_COLUMNS, type Counts, differ, NO_COUNTS, readCounts } from './counters.js';
import type { RowSums } from './flow-rows.js';
import { damaged } from './sqlite-error.js';

const MINUTE_MS = 60_000;

/** Start of the minute that holds `nowMs`, in µs since 1970. */
export function minuteUsOf(nowMs: number): number {
  return Math.floor(nowMs / MINUTE_MS) * MINUTE_MS * 1000;
}

/**
 * The table `ledger`, as the writer keeps it for one session. Each write adds to the row of its minute what the counters rose
 * by since the last one, in the same transaction as the rows, together with the positions in the rings up to which rows are
 * stored. (They stand here and not in `sessions` because a transaction writes whole pages: measured, 415 bytes to disk per row
 * in batches of 50, against 499.) The database is the truth: `resume` reads back from it, after a takeover and after a failed
 * write alike.
 */
export class LedgerTable {
  private storedCounts: Counts = NO_COUNTS;
  private latestCounts: Counts = NO_COUNTS;
  /** Minute whose row holds the ring positions; null for none. */
  private positionsMinuteUs: number | null = null;
  private readonly upsert: Statement<(number | string)[]>;
  private readonly forgetPositions: Statement<[number, number]>;
  private readonly findDrops: Statement<[number, number], string>;

  /** Call `resume` before anything else. */
  constructor(
    private readonly db: Database,
    private readonly sessionId: number,
    private readonly memory: PipelineMemory,
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

  /** The session's counts as they are committed. */
  get stored(): Counts {
    return this.storedCounts;
  }

  /** The counts as the last `write` had them, committed or not yet. */
  get latest(): Counts {
    return this.latestCounts;
  }

  /** Reads what is committed for this session, and gives the stored ring positions; null when nothing is stored yet. */
  resume(): number[] | null {
    const sums = COUNT_COLUMNS.map((column) => `coalesce(sum(${column}), 0) AS ${column}`).join(', ');
    const columns = this.db
      .prepare<[number], Counts['columns']>(`SELECT ${sums} FROM ledger WHERE session_id = ?`)
      .get(this.sessionId) as Counts['columns'];
    const drops = this.db
      .prepare<[number], [string, number]>(
        'SELECT key, sum(value) FROM ledger, json_each(drops) WHERE session_id = ? GROUP BY key',
      )
      .raw()
      .all(this.sessionId);
    this.storedCounts = { columns, drops: Object.fromEntries(drops) };
    this.latestCounts = this.storedCounts;
    const last = this.db
      .prepare<[number], { minute_us: number; ring_positions: string }>(
        'SELECT minute_us, ring_positions FROM ledger WHERE session_id = ? AND ring_positions IS NOT NULL',
      )
      .get(this.sessionId);
    this.positionsMinuteUs = last?.minute_us ?? null;
    return last ? parseStored<number[]>(last.ring_positions) : null;
  }

  /** Whether a counter has moved since the last commit. `rows` are those of the transaction under way. */
  hasChanged(rows: RowSums): boolean {
    this.latestCounts = readCounts(this.memory, this.storedCounts, rows);
    return differ(this.latestCounts, this.storedCounts);
  }

  /**
   * Adds to the row of the minute, inside the open transaction; nothing when nothing has changed. `records` is what the transaction
   * took from the rings: records that no counter knows must not be taken again either.
   */
  write(minuteUs: number, rows: RowSums, records: number, positions: readonly number[]): void {
    if (!this.hasChanged(rows) && records === 0) return;
    if (this.positionsMinuteUs !== minuteUs) this.end();
    const { latestCounts: latest, storedCounts: stored } = this;
    const deltas = COUNT_COLUMNS.map((column) => latest.columns[column] - stored.columns[column]);
    const drops = this.addDrops(this.findDrops.get(this.sessionId, minuteUs) ?? '{}');
    this.upsert.run(this.sessionId, minuteUs, ...deltas, drops, JSON.stringify(positions));
    this.positionsMinuteUs = minuteUs;
  }

  /** The transaction is committed. */
  settle(): void {
    this.storedCounts = this.latestCounts;
  }

  /** Forgets the ring positions: no successor will need them. Inside the open transaction. */
  end(): void {
    if (this.positionsMinuteUs !== null) this.forgetPositions.run(this.sessionId, this.positionsMinuteUs);
  }

  /** What the drops rose by, added to those of the minute, which are a JSON object. */
  private addDrops(text: string): string {
    const drops = parseStored<DropCounts>(text);
    for (const [name, count] of Object.entries(this.latestCounts.drops)) {
      const delta = count - (this.storedCounts.drops[name] ?? 0);
      if (delta !== 0) drops[name] = (drops[name] ?? 0) + delta;
    }
    return JSON.stringify(drops);
  }
}

/** JSON that this process has stored. Throws `SQLITE_CORRUPT` when it is not that any more. */
function parseStored<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw damaged('the ledger');
  }
}
