import type { Database, Statement } from 'better-sqlite3';
import type { PipelineMemory, Session } from '../messages.js';
import { InterfaceTable } from '../ring/interface-table.js';
import { Cell, ThreadBlock } from '../ring/thread-block.js';
import type { Shedder } from './budget/shedder.js';
import { WriteTotals } from './budget/write-totals.js';
import type { Counts } from './counters.js';
import { shedOldest } from './faults/shed.js';
import { Unwritten } from './faults/unwritten.js';
import type { FlowRings } from './flow-rings.js';
import { HostSamples } from './host-samples/host-samples.js';
import { LedgerTable } from './ledger-table.js';
import type { LiveRun } from './lookup/live-run.js';
import { Losses } from './losses.js';
import { type RecordOptions, RecordRows } from './record-rows.js';
import type { Rollups } from './rollup/rollups.js';
import { closeSession, openSession, type SessionOpened } from './sessions.js';

/**
 * Moves records of all kinds from the rings into the database, exactly once: rows, ledger and ring positions are one transaction, and
 * the rings are released behind it. Where the outcome is in doubt (a failed write, a dead predecessor), the stored positions decide.
 */
export class FlowStore {
  readonly session: SessionOpened;
  private readonly ledger: LedgerTable;
  private readonly losses: Losses;
  /** Bytes written to disks, which are stored with the batches. */
  readonly totals: WriteTotals;
  readonly rows: RecordRows;
  private readonly unwritten: Unwritten;
  private readonly hostSamples: HostSamples;
  private readonly beginStatement: Statement<[]>;
  private readonly commitStatement: Statement<[]>;
  private readonly rollbackStatement: Statement<[]>;
  private readonly block: ThreadBlock;
  private readonly beat = (): void => this.block.beat();
  private isInDoubt = true;

  constructor(
    private readonly db: Database,
    private readonly rings: FlowRings,
    memory: PipelineMemory,
    session: Session,
    config: RecordOptions,
  ) {
    this.block = new ThreadBlock(memory.writer);
    this.session = openSession(db, session);
    this.ledger = new LedgerTable(db, this.session.id, memory);
    this.losses = new Losses(db, this.session.id, memory);
    this.totals = new WriteTotals(db);
    this.rows = new RecordRows(db, new InterfaceTable(memory.interfaces), config, session.mode === 'live');
    this.unwritten = new Unwritten(db, this.session.id, this.block);
    this.hostSamples = new HostSamples(db, memory.host);
    this.beginStatement = db.prepare('BEGIN IMMEDIATE');
    this.commitStatement = db.prepare('COMMIT');
    this.rollbackStatement = db.prepare('ROLLBACK');
    this.settleDoubt();
  }

  /** The session's counts as they are committed. */
  get counts(): Counts {
    return this.ledger.stored;
  }

  /** Decides what of the next batch is left out. */
  get shedder(): Shedder {
    return this.rows.shedder;
  }

  /** The rollups by minute, which go with the rows. */
  get rollups(): Rollups {
    return this.rows.rollups;
  }

  /** What rows can be looked up by, as far as it is not in the database yet. */
  get lookups(): readonly LiveRun[] {
    return this.rows.lookups;
  }

  /** Whether counters have moved, losses come to light, or rows wait to be rolled up, since the last commit. */
  hasLedgerChanged(): boolean {
    this.rows.begin();
    const hasLost = this.losses.hasChanged() || this.unwritten.hasChanged();
    return this.ledger.hasChanged(this.rows.sums) || hasLost || this.rollups.hasPending || this.hostSamples.isPressing;
  }

  /**
   * Commits at most `recordsMax` records and the ledger under the minute `minuteUs`, and returns the number of records. With 0 of them
   * the minute is over: its rollups are flushed. Throws what SQLite throws; the records are then still in the rings.
   */
  write(minuteUs: number, recordsMax: number): number {
    let records = 0;
    this.transact(() => {
      records = this.rings.take(recordsMax, this.rows, this.beat);
      this.rows.finish(recordsMax === 0);
      this.ledger.write(minuteUs, this.rows.sums, records, this.positions);
      this.losses.write(minuteUs);
      this.unwritten.write(minuteUs);
      this.hostSamples.write();
      this.totals.write(minuteUs);
    });
    return records;
  }

  /** Writes the final ledger and closes the session. The rings are empty, the caller sees to that. */
  end(minuteUs: number, endedUs: number): void {
    this.transact(() => {
      this.rollups.end();
      this.ledger.write(minuteUs, this.rows.sums, 0, this.positions);
      this.losses.write(minuteUs);
      this.unwritten.write(minuteUs);
      this.hostSamples.write();
      this.totals.writeAll(minuteUs);
      this.ledger.end();
      closeSession(this.db, this.session.id, endedUs, this.ledger.latest);
    });
  }

  /** Counts in the writer's block what happened in the last `write`, which was committed. */
  countInto(block: ThreadBlock): void {
    this.rows.settle(block);
  }

  /**
   * Drops the oldest records of rings that are nearly full, and counts them as lost. Throws what SQLite throws when it cannot be read
   * either: as long as it is in doubt whether they are stored, they stay.
   */
  shed(): void {
    if (this.isInDoubt) this.settleDoubt();
    shedOldest(this.rings, this.block);
  }

  /** Where each ring has been read to, and the number under which these positions hold. */
  private get positions(): number[] {
    return [...this.rings.positions, this.unwritten.rounds];
  }

  private transact(work: () => void): void {
    if (this.isInDoubt) this.settleDoubt();
    this.beginStatement.run();
    this.rows.begin();
    try {
      work();
      this.commit();
    } catch (error) {
      this.revert();
      throw error;
    }
    this.rings.release();
    this.ledger.settle();
    this.losses.settle();
    this.unwritten.settle();
    this.hostSamples.settle();
    this.totals.settle();
  }

  /**
   * From time to time a commit moves the write-ahead log into the database and waits for the card: 16 MiB in single pages, which takes
   * a worn card minutes. Nobody can end a thread in there, so it is no use to find it silent.
   */
  private commit(): void {
    this.block.cells[Cell.Blocked] = 1;
    try {
      this.commitStatement.run();
    } finally {
      this.block.beat();
      this.block.cells[Cell.Blocked] = 0;
    }
  }

  private revert(): void {
    this.isInDoubt = true;
    this.rings.rewind();
    if (this.db.inTransaction) this.rollbackStatement.run();
  }

  /** Makes the database's word count: what it holds is not taken from the rings again, what it lacks is. */
  private settleDoubt(): void {
    if (this.db.inTransaction) this.rollbackStatement.run();
    this.rows.revert();
    const positions = this.ledger.resume();
    this.losses.resume();
    this.hostSamples.revert();
    this.unwritten.resume(this.ledger.stored.columns);
    const rounds = positions?.pop();
    if (positions && rounds === this.unwritten.rounds) this.rings.skipTo(positions);
    this.isInDoubt = false;
  }
}
