import assert from 'node:assert/strict';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import type { DeviceNoteResult, DeviceNoteUpdate, PipelineMemory, Session, WriterOpened } from '../messages.js';
import { Cell, ThreadBlock } from '../ring/thread-block.js';
import { acknowledgeAlert } from './alerts/alert-book.js';
import { ConditionWatch } from './alerts/condition-watch.js';
import { OpenScans } from './alerts/open-scans.js';
import { QuotaWatch } from './alerts/quota-watch.js';
import { type BatchLimits, BatchPolicy } from './batch.js';
import type { IoMeter } from './budget/io-meter.js';
import { withProfile } from './budget/profiles.js';
import { WriteBudget } from './budget/write-budget.js';
import type { Chore } from './chore.js';
import { Chores } from './chores.js';
import { DeviceNotes } from './device-notes.js';
import type { FileEvent } from './faults/file-event.js';
import { FlowRings } from './flow-rings.js';
import { FlowStore } from './flow-store.js';
import { HostOrders } from './host-samples/host-orders.js';
import { minuteUsOf } from './ledger-table.js';
import { LookupChore } from './lookup/lookup-chore.js';
import { closeDatabase, openForWriting, type WritableDatabase } from './open-database.js';
import { CatchUp } from './rollup/catch-up.js';
import { Folding } from './rollup/folding.js';
import { isSqliteError, openError, type SqliteError } from './sqlite-error.js';
import { type Log, Trouble } from './trouble.js';
import { Upkeep } from './upkeep/upkeep.js';

/**
 * Longest wait for another process inside one attempt. The thread is blocked meanwhile and shows no sign of life, so it is
 * short; the attempts go on for as long as it takes.
 */
const BUSY_SLICE_MS = 200;
const CLOSE_BUSY_MS_MAX = 2000;

/** What a writer needs to know; a `WriterStart` has all of it but the log. */
export interface WriterSetup {
  readonly config: Config;
  readonly memory: PipelineMemory;
  readonly session: Session;
  /** The program of scans of the whole file, where it is not beside the writer's own. */
  readonly scanFile?: URL;
  /** The kernel's counters of bytes written; those of the database's disk where it is not given. */
  readonly meter?: IoMeter;
}

/**
 * Writes what the parse workers emit into the database. All times are the session's clock in ms since 1970. Everything happens inside the calls:
 * the thread and the tests drive it alike.
 */
export class Writer {
  readonly opened: WriterOpened;
  private readonly block: ThreadBlock;
  private readonly parse: readonly ThreadBlock[];
  private readonly rings: FlowRings;
  private readonly policy: BatchPolicy;
  private readonly store: FlowStore;
  private readonly trouble: Trouble;
  private readonly upkeep: Upkeep;
  private readonly choreList: readonly Chore[];
  private readonly chores: Chores;
  private readonly orders: HostOrders;
  private readonly budget: WriteBudget;
  private minuteUs: number;
  private notes: DeviceNotes | undefined;

  private constructor(
    setup: WriterSetup,
    private readonly database: WritableDatabase,
    private readonly log: Log,
    nowMs: number,
  ) {
    const { config, memory, session, scanFile, meter = null } = setup;
    this.block = new ThreadBlock(memory.writer);
    this.parse = memory.parse.map((block) => new ThreadBlock(block));
    this.rings = new FlowRings(memory.flowRings);
    this.policy = new BatchPolicy(batchLimitsOf(config));
    this.store = new FlowStore(database.db, this.rings, memory, session, config);
    this.trouble = new Trouble(config.dbPath, config.dbBusyTimeoutMs, this.block, log);
    const capture = new ThreadBlock(memory.capture);
    const { mode } = session;
    const upkeepSetup = { config, mode, writer: this.block, capture, records: this.store.rows, log, scanFile };
    this.upkeep = new Upkeep(database.db, upkeepSetup, nowMs);
    this.choreList = this.choresOf(setup, nowMs);
    this.chores = new Chores(database.db, this.choreList, log);
    this.orders = new HostOrders(memory.host, database.db);
    const { db } = database;
    const { shedder, totals } = this.store;
    const isLimited = session.mode === 'live';
    this.budget = new WriteBudget({ config, db, block: this.block, shedder, totals, log, isLimited, meter }, nowMs);
    this.store.rollups.follow(this.budget, this.orders);
    this.minuteUs = minuteUsOf(nowMs);
    this.showCounts();
    this.store.countInto(this.block);
    const { uncleanSessions, packetsUnwritten } = this.store.session;
    this.block.cells[Cell.UncleanSessions] = this.block.cell(Cell.UncleanSessions) + uncleanSessions;
    this.block.cells[Cell.PacketsUnwritten] = this.block.cell(Cell.PacketsUnwritten) + packetsUnwritten;
    this.opened = { uncleanSessions, journalMode: database.journalMode };
    if (uncleanSessions > 0)
      log('warn', `${uncleanSessions} earlier runs did not end: flowberry was killed, or the power failed`, {
        uncleanSessions,
        packetsUnwritten,
      });
    database.db.pragma(`busy_timeout = ${Math.min(config.dbBusyTimeoutMs, BUSY_SLICE_MS)}`);
  }

  /**
   * Opens or creates the database, and takes up the session where it is: new, or as a writer left it that died. Throws what
   * `openForWriting` throws.
   */
  static open(setup: WriterSetup, log: Log, nowMs: number): Writer {
    const config = withProfile(setup.config);
    const database = openForWriting(config, nowMs * 1000);
    try {
      return new Writer({ ...setup, config }, database, log, nowMs);
    } catch (error) {
      closeDatabase(database);
      throw openError(database.db.name, error);
    }
  }

  /** Goes by another config from now on, as far as that is possible at run time. Between two steps. */
  reconfigure(given: Config, nowMs: number): void {
    const config = withProfile(given);
    this.upkeep.reconfigure(config, nowMs);
    this.store.rows.alerts.reconfigure(config);
    for (const chore of this.choreList) chore.reconfigure?.(config);
    this.budget.reconfigure(batchLimitsOf(config), this.upkeep.checkpointPages);
    this.policy.adjust(this.budget.batchLimits);
  }

  /** Whether every published record is written. */
  get isEmpty(): boolean {
    return this.rings.isEmpty;
  }

  /** Flows that the parse workers have emitted, and that are neither committed nor left out. */
  get flowsUnwritten(): number {
    const { block } = this;
    const settled = block.cell(Cell.FlowsWritten) + block.cell(Cell.FlowsLost) + block.cell(Cell.FlowsShed);
    return this.parse.reduce((sum, block) => sum + block.cell(Cell.FlowsEmitted), -settled);
  }

  /** Whether so much waits that the next batch may be due without anything further. */
  get isBatchNear(): boolean {
    return this.policy.isNear(this.rings.recordsWaiting);
  }

  /** Why rows wait although they are due; null while the database takes them. */
  get failure(): string | null {
    return this.trouble.isFailing ? this.trouble.reason : null;
  }

  /** What SQLite said last, if nothing was written since, or what a chore found wrong with the file. */
  get refusal(): SqliteError | null {
    return this.trouble.error ?? this.chores.damage;
  }

  /** Goes on failing where a writer on the same file has failed, until a write succeeds. */
  inherit(refusal: SqliteError, nowMs: number): void {
    this.trouble.inherit(nowMs, refusal);
  }

  /** The name of the open file, without links. */
  get path(): string {
    return this.database.db.name;
  }

  /**
   * Makes room in rings that are nearly full, at the price of their oldest records. False when that must not be, since nobody can
   * tell whether those are stored.
   */
  shed(): boolean {
    try {
      this.store.shed();
      return true;
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      return false;
    }
  }

  /** Moves all of the write-ahead log into the open file, wherever that is now; false when it cannot be done. */
  foldLog(): boolean {
    try {
      const [checkpoint] = this.database.db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
      return checkpoint?.busy === 0;
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      return false;
    }
  }

  /** Notes in the file why it was begun, or taken up. Throws what SQLite throws. */
  noteEvent(event: FileEvent, nowMs: number): void {
    this.database.db
      .prepare('INSERT INTO file_events (at_us, event, detail) VALUES (?, ?, ?)')
      .run(nowMs * 1000, event.event, event.detail);
  }

  /**
   * Writes one batch if it is due; when the writer is to end, whatever waits. Then one slice of a chore, unless rows press and there is
   * room for them. Tells whether it has done anything, so that there may be more to do.
   */
  step(nowMs: number, isEnding: boolean): boolean {
    const hasDone = this.writeOrChore(nowMs, isEnding);
    if (hasDone && !this.trouble.isFailing) this.chores.stepOf(this.upkeep.clearingLog, nowMs);
    return hasDone;
  }

  private writeOrChore(nowMs: number, isEnding: boolean): boolean {
    this.orders.obey();
    if (this.trouble.isPausing(nowMs)) return false;
    if (!this.lookAtBudget(nowMs)) return false;
    const hasWritten = this.writeIfDue(nowMs, isEnding);
    if (this.trouble.isFailing) return hasWritten;
    if (hasWritten || this.upkeep.isRoomShort) this.measured(nowMs, () => this.chores.stepOf(this.upkeep.makingRoom, nowMs));
    if (isEnding || this.rings.isHalfFull) return hasWritten;
    if (!this.choreList.some(({ dueMs }) => dueMs <= nowMs) || !this.budget.hasRoomForChores(nowMs)) return hasWritten;
    if (!this.orders.mayChore(nowMs)) return hasWritten;
    const hasWorked = this.measured(nowMs, () => this.chores.step(nowMs));
    if (hasWorked) this.orders.chored(nowMs);
    return hasWorked || hasWritten;
  }

  /** Judges what has been written. False: the database cannot even be read. */
  private lookAtBudget(nowMs: number): boolean {
    try {
      if (this.budget.look(nowMs)) this.policy.adjust(this.budget.batchLimits);
      return true;
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      this.trouble.refused(nowMs, error);
      return false;
    }
  }

  /** Work that writes, and that the budget is told of. */
  private measured<T>(nowMs: number, work: () => T): T {
    this.budget.begin(nowMs);
    const result = work();
    this.budget.end(nowMs, 0, 0, false);
    return result;
  }

  private writeIfDue(nowMs: number, isEnding: boolean): boolean {
    const minuteUs = minuteUsOf(nowMs);
    if (minuteUs !== this.minuteUs) {
      if (this.store.hasLedgerChanged() && !this.write(nowMs, 0)) return false;
      this.minuteUs = minuteUs;
    }
    const isPressing = isEnding || this.rings.isHalfFull;
    if (!this.policy.isDue(nowMs, this.rings.recordsWaiting, isPressing)) return false;
    const { recordsWaiting: records, fill } = this.rings;
    const rowsMax = this.budget.plan(nowMs, { records, fill }, isEnding);
    return rowsMax > 0 && this.write(nowMs, rowsMax);
  }

  /** Changes what people say of a device. Throws `DATABASE_WRITE_FAILED` when the database refuses; nothing has changed then. */
  noteDevice(update: DeviceNoteUpdate): DeviceNoteResult {
    return this.change((db) => {
      this.notes ??= new DeviceNotes(db);
      return this.notes.update(update);
    });
  }

  /** Marks an alert as seen at `us`, or as open with null; false: there is none. Throws as `noteDevice` does. */
  acknowledgeAlert(id: number, us: number | null): boolean {
    return this.change((db) => acknowledgeAlert(db, id, us));
  }

  /** A change of a person's, in a transaction of its own. */
  private change<T>(work: (db: WritableDatabase['db']) => T): T {
    try {
      return work(this.database.db);
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      throw new AppError('DATABASE_WRITE_FAILED', `database ${this.database.db.name}: ${error.message}`, { cause: error });
    }
  }

  /**
   * Ends the session with every row written (the caller sees to that), moves the write-ahead log into the database and closes
   * it. Throws `DATABASE_WRITE_FAILED` when the end cannot be written: the session then stays open and counts as unclean.
   */
  close(nowMs: number): void {
    assert(this.isEmpty, 'writer: closed while records wait');
    const { db } = this.database;
    this.upkeep.stop();
    this.block.cells[Cell.Blocked] = 1;
    try {
      db.pragma(`busy_timeout = ${CLOSE_BUSY_MS_MAX}`);
      this.budget.finish(nowMs);
      this.store.end(minuteUsOf(nowMs), nowMs * 1000);
      this.showCounts();
      db.pragma('optimize');
      const [checkpoint] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
      if (checkpoint?.busy) this.log('info', 'a reader holds the write-ahead log; it is moved into the database later');
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      throw new AppError('DATABASE_WRITE_FAILED', `database ${db.name}: ${error.message}`, { cause: error });
    } finally {
      closeDatabase(this.database);
      this.block.cells[Cell.Blocked] = 0;
    }
  }

  /** Lets go of the database without a word, as the death of the thread does. */
  abandon(): void {
    this.upkeep.stop();
    closeDatabase(this.database);
  }

  /** One transaction. False: the database refused, and nothing has changed. */
  private write(nowMs: number, rowsMax: number): boolean {
    const { cells } = this.block;
    const startMs = performance.now();
    const { flows_written, flows_shed } = this.store.counts.columns;
    this.budget.begin(nowMs);
    try {
      if (this.store.write(this.minuteUs, rowsMax) > 0) {
        cells[Cell.BatchesWritten] = this.block.cell(Cell.BatchesWritten) + 1;
        this.policy.flushed(nowMs);
      }
      this.store.countInto(this.block);
      this.showCounts();
      this.trouble.over();
      return true;
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      this.trouble.refused(nowMs, error);
      return false;
    } finally {
      const { columns } = this.store.counts;
      this.budget.end(nowMs, columns.flows_written - flows_written, columns.flows_shed - flows_shed, true);
      cells[Cell.CommitMs] = this.block.cell(Cell.CommitMs) + performance.now() - startMs;
    }
  }

  /** What the writer does between batches. */
  private choresOf({ config, memory, session }: WriterSetup, nowMs: number): readonly Chore[] {
    const { db } = this.database;
    const { rows, rollups, lookups } = this.store;
    const { book } = rows.alerts;
    const watches =
      session.mode === 'live'
        ? [
            new ConditionWatch(db, book, memory, nowMs),
            new QuotaWatch(db, book, config, nowMs),
            new OpenScans(db, book, memory.flowTables, config, nowMs),
          ]
        : [];
    return [
      ...lookups.map((live) => new LookupChore(db, live, nowMs)),
      new CatchUp(rollups),
      new Folding(db, nowMs),
      ...this.upkeep.chores,
      ...watches,
    ];
  }

  /** Shows what is committed; the database knows it even where a dead predecessor did not get round to it. */
  private showCounts(): void {
    const { columns } = this.store.counts;
    const { cells } = this.block;
    cells[Cell.FlowsWritten] = columns.flows_written;
    cells[Cell.PacketsWritten] = columns.packets_written;
    cells[Cell.IpBytesWritten] = columns.ip_bytes_written;
    cells[Cell.WireBytesWritten] = columns.wire_bytes_written;
    cells[Cell.FlowsShed] = columns.flows_shed;
    cells[Cell.PacketsShed] = columns.packets_shed;
    cells[Cell.IpBytesShed] = columns.ip_bytes_shed;
    cells[Cell.WireBytesShed] = columns.wire_bytes_shed;
  }
}

function batchLimitsOf(config: Config): BatchLimits {
  return { rowsMin: config.batchRowsMin, ageMsMax: config.batchAgeMsMax, rowsMax: config.batchRowsMax };
}
