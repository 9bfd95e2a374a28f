import type { Database } from 'better-sqlite3';
import type { Config } from '../../config.js';
import { BUDGET_STEPS, BudgetStep, LARGER_BATCH_AGE_MS } from '../../ring/budget-step.js';
import { Cell, type ThreadBlock } from '../../ring/thread-block.js';
import type { BatchLimits } from '../batch.js';
import type { Log } from '../trouble.js';
import type { DetailLevel } from './detail-level.js';
import { IoMeter } from './io-meter.js';
import { IoRecord } from './io-record.js';
import type { Shedder } from './shedder.js';
import { walPagesPending } from './wal-pending.js';
import { WriteGovernor } from './write-governor.js';
import type { WriteTotals } from './write-totals.js';

/** How often steps are judged and the counters shown. */
const LOOK_MS = 5_000;
/** Rows wait in the rings up to this part of them; then they are left out. */
const SHED_FILL = 0.25;
/** So full, nothing is waited for. */
const URGENT_FILL = 0.5;
/** A batch that is smaller than what waits has so many rows, or comes so long after the one before. */
const PART_ROWS_MIN = 1_000;
const PART_PAUSE_MS = 5_000;
/** Batches that leave rows out come this far apart, unless the rings press. */
const SHED_PAUSE_MS = 1_000;
/** What a batch takes that writes no row at all: some pages of the ledger, and the same in a checkpoint. */
const COMMIT_BYTES = 32_768;
/** Cost of a row before anything is known, and least cost. */
const ROW_BYTES_FIRST = 600;
const ROW_BYTES_MIN = 80;
/** Batches of fewer rows say more of what a batch costs than of a row. */
const MEASURED_ROWS_MIN = 50;
/** Weight of the past in the cost of a row. */
const PAST_WEIGHT = 0.9;
/** Chores rest when less than this part of the hard limit is left. */
const CHORE_ROOM_RATIO = 0.1;

export interface BudgetSetup {
  readonly config: Config;
  readonly db: Database;
  readonly block: ThreadBlock;
  readonly shedder: Shedder;
  readonly totals: WriteTotals;
  readonly log: Log;
  /** False: everything is measured and nothing is held back, as in a replay. */
  readonly isLimited: boolean;
  /** Null: that of the database's disk. */
  readonly meter: IoMeter | null;
}

/** What the rings hold for the next batch. */
export interface Waiting {
  readonly records: number;
  /** Of the fullest ring, 0 to 1. */
  readonly fill: number;
}

/** Keeps what is written within the limits: measures it, shows it, and tells the writer how much the next batch may take. */
export class WriteBudget implements DetailLevel {
  private readonly governor: WriteGovernor;
  private readonly meter: IoMeter;
  private readonly record: IoRecord;
  private readonly isLimited: boolean;
  private readonly pageBytes: number;
  private readonly hardBytes: number;
  private limitsUsual: BatchLimits;
  private limitsLarger: BatchLimits;
  private processBytes: number;
  private rowBytes = ROW_BYTES_FIRST;
  private checkpointPages = 0;
  /** What the size of the file allows. */
  private checkpointPagesMax: number;
  private lookMs = Number.NEGATIVE_INFINITY;
  private batchMs: number;
  private isHeld = false;
  private heldMs = 0;

  constructor(
    private readonly setup: BudgetSetup,
    nowMs: number,
  ) {
    const { config, db, block } = setup;
    this.meter = setup.meter ?? new IoMeter(db.name);
    this.hardBytes = config.storeWriteBytesPerMinuteHard;
    this.governor = new WriteGovernor({ softBytes: config.storeWriteBytesPerMinuteSoft, hardBytes: this.hardBytes });
    const bytes = this.meter.processBytes();
    this.isLimited = setup.isLimited && bytes !== null;
    this.processBytes = bytes ?? 0;
    this.record = new IoRecord(block, setup.totals, this.meter, nowMs);
    this.pageBytes = db.pragma('page_size', { simple: true }) as number;
    this.checkpointPagesMax = db.pragma('wal_autocheckpoint', { simple: true }) as number;
    const { batchRowsMin: rowsMin, batchAgeMsMax: ageMsMax, batchRowsMax: rowsMax } = config;
    this.limitsUsual = { rowsMin, ageMsMax, rowsMax };
    this.limitsLarger = largerOf(this.limitsUsual);
    this.batchMs = nowMs - PART_PAUSE_MS;
    block.cells[Cell.BudgetStep] = BudgetStep.None;
  }

  /** Goes by other knobs of a batch, and another limit of the write-ahead log, from now on. */
  reconfigure(limits: BatchLimits, checkpointPagesMax: number): void {
    this.limitsUsual = limits;
    this.limitsLarger = largerOf(limits);
    if (checkpointPagesMax === this.checkpointPagesMax) return;
    this.checkpointPagesMax = checkpointPagesMax;
    this.checkpointPages = checkpointPagesMax;
    this.setup.db.pragma(`wal_autocheckpoint = ${checkpointPagesMax}`);
  }

  get isCoarse(): boolean {
    return this.governor.step >= BudgetStep.CoarserRollups;
  }

  /** Knobs of a batch, as the step wants them. */
  get batchLimits(): BatchLimits {
    return this.governor.step >= BudgetStep.LargerBatches ? this.limitsLarger : this.limitsUsual;
  }

  /** To be called often: every few seconds it judges and shows. True when the step has changed. */
  look(nowMs: number): boolean {
    if (nowMs >= this.lookMs && nowMs - this.lookMs < LOOK_MS) return false;
    this.lookMs = nowMs;
    this.countOthers(nowMs);
    this.record.look(nowMs);
    if (!this.isLimited) return false;
    if (this.isHeld && nowMs - this.heldMs > 60_000) {
      this.isHeld = false;
      this.setup.log('info', 'what is written is below the hard limit again');
    }
    const before = this.governor.step;
    if (!this.governor.judge(nowMs)) return false;
    this.say(before, this.governor.step);
    return true;
  }

  /** Whether chores may write. */
  hasRoomForChores(nowMs: number): boolean {
    return !this.isLimited || this.governor.roomBytes(nowMs, this.pendingBytes()) > this.hardBytes * CHORE_ROOM_RATIO;
  }

  /**
   * How many records the next batch may take, 0 for none yet, and tells the shedder what it may write. `isEnding`: everything is taken,
   * and what does not fit is left out. The batch that follows begins with `begin`.
   */
  plan(nowMs: number, { records, fill }: Waiting, isEnding: boolean): number {
    const { shedder } = this.setup;
    const { rowsMax } = this.limitsUsual;
    const { rowBytes } = this;
    if (!this.isLimited) {
      shedder.allow(Number.POSITIVE_INFINITY, 0);
      return rowsMax;
    }
    const pendingBytes = this.pendingBytes();
    const sinceMs = isEnding ? Number.POSITIVE_INFINITY : nowMs - this.batchMs;
    const creditBytes = this.governor.allowanceBytes(nowMs, pendingBytes, sinceMs) - COMMIT_BYTES;
    const rows = Math.max(0, Math.floor(creditBytes / rowBytes));
    if (records <= rows) {
      shedder.allow(creditBytes, rowBytes);
      return rowsMax;
    }
    this.hold(nowMs);
    if (isEnding) {
      shedder.shed(creditBytes, rowBytes, rows / records);
      return Math.max(records, rowsMax);
    }
    if (fill < SHED_FILL) {
      if (rows === 0 || (rows < PART_ROWS_MIN && sinceMs < PART_PAUSE_MS)) return this.wait();
      shedder.allow(creditBytes, rowBytes);
      return Math.min(rows, rowsMax);
    }
    if (fill < URGENT_FILL && sinceMs < SHED_PAUSE_MS) return this.wait();
    if (this.governor.roomBytes(nowMs, pendingBytes) < COMMIT_BYTES) return this.wait();
    const taken = fill < URGENT_FILL ? Math.max(rows, Math.ceil(records / 2)) : records;
    shedder.shed(creditBytes, rowBytes, rows / taken);
    return taken;
  }

  /** No batch yet. It is counted, so that nobody takes the writer for one that stands still. */
  private wait(): number {
    const { block } = this.setup;
    block.cells[Cell.BatchesHeld] = block.cell(Cell.BatchesHeld) + 1;
    return 0;
  }

  /** Something is about to be written by the writer itself. */
  begin(nowMs: number): void {
    this.countOthers(nowMs);
  }

  /** It was written: a batch with `rows` rows of flows, and `shed` that were left out; a chore has none. */
  end(nowMs: number, rows: number, shed: number, isBatch: boolean): void {
    this.setup.shedder.end();
    const bytes = this.readProcess();
    if (isBatch) {
      this.batchMs = nowMs;
      this.record.wroteFlows(rows);
      const cost = rows >= MEASURED_ROWS_MIN ? Math.max(ROW_BYTES_MIN, bytes / rows) : ROW_BYTES_FIRST;
      this.rowBytes = this.rowBytes * PAST_WEIGHT + cost * (1 - PAST_WEIGHT);
    }
    this.governor.wrote(nowMs, bytes, shed * this.rowBytes);
    if (this.isLimited) this.setCheckpoint(nowMs);
  }

  /** The last words of a session: everything counted so far is stored with the transaction that follows. */
  finish(nowMs: number): void {
    this.countOthers(nowMs);
    this.record.look(nowMs);
  }

  private pendingBytes(): number {
    return walPagesPending(this.setup.db) * this.pageBytes;
  }

  private countOthers(nowMs: number): void {
    this.governor.othersWrote(nowMs, this.readProcess());
  }

  /** What the process has written since the last call. */
  private readProcess(): number {
    const bytes = this.meter.processBytes();
    if (bytes === null) return 0;
    const more = Math.max(0, bytes - this.processBytes);
    this.processBytes = bytes;
    return more;
  }

  private setCheckpoint(nowMs: number): void {
    const bytes = Math.min(this.setup.config.storeCheckpointBytes, this.governor.checkpointBytes(nowMs));
    const pages = Math.min(Math.max(1, Math.floor(bytes / this.pageBytes)), this.checkpointPagesMax);
    if (Math.abs(pages - this.checkpointPages) < this.checkpointPages / 8) return;
    this.setup.db.pragma(`wal_autocheckpoint = ${pages}`);
    this.checkpointPages = pages;
  }

  /** The hard limit, or the soft one while rows are shed, makes rows wait. */
  private hold(nowMs: number): void {
    this.heldMs = nowMs;
    if (this.isHeld || this.governor.step === BudgetStep.Shedding) return;
    this.isHeld = true;
    const { block, log } = this.setup;
    block.cells[Cell.BudgetHardStops] = block.cell(Cell.BudgetHardStops) + 1;
    log(
      'warn',
      `the hard limit of ${this.hardBytes} bytes written per minute is reached: rows wait, and are left out and counted`,
    );
  }

  private say(before: BudgetStep, step: BudgetStep): void {
    const { block, log, config } = this.setup;
    block.cells[Cell.BudgetStep] = step;
    const limit = `${config.storeWriteBytesPerMinuteSoft} bytes written per minute`;
    const fields = { step: BUDGET_STEPS[step] as string };
    if (step < before) {
      log('info', `well below the soft limit of ${limit} again: ${UNDONE[before]}`, fields);
      return;
    }
    const cell = Cell.BudgetStepsLargerBatches + step - 1;
    block.cells[cell] = block.cell(cell) + 1;
    log(step === BudgetStep.Shedding ? 'warn' : 'info', `above the soft limit of ${limit}: ${TAKEN[step]}`, fields);
  }
}

/** What the log says of each step, when it is taken and when it is undone. */
const TAKEN = ['', 'batches are larger', 'rollups are coarser', 'rows of flows are left out and counted'] as const;
const UNDONE = ['', 'batches are as usual', 'rollups are as usual', 'every flow has its row'] as const;

function largerOf({ ageMsMax, rowsMax }: BatchLimits): BatchLimits {
  return { rowsMin: rowsMax, ageMsMax: Math.max(ageMsMax, LARGER_BATCH_AGE_MS), rowsMax };
}
