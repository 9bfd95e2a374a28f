import assert from 'node:assert/strict';
import { existsSync, realpathSync } from 'node:fs';
import type { Config } from '../../config.js';
import { AppError } from '../../errors.js';
import type { WriterOpened } from '../../messages.js';
import { Cell, ThreadBlock } from '../../ring/thread-block.js';
import { WriteFault } from '../../ring/write-fault.js';
import { FlowRings } from '../flow-rings.js';
import { isSqliteError, type SqliteError } from '../sqlite-error.js';
import type { Log } from '../trouble.js';
import { Writer, type WriterSetup } from '../writer.js';
import { AsideLimit, moveAside } from './aside.js';
import { faultOf, faultOfOpening, isFileDamaged } from './fault-kind.js';
import type { FileEvent } from './file-event.js';
import { type FileFate, FileWatch, fingerprintOf } from './file-identity.js';
import { leaveLog } from './set-aside.js';
import { shedOldest } from './shed.js';

/** How often the name of the database is looked up, and a database that cannot be opened is tried again. */
const LOOK_MS = 1_000;
/** A write that fails so long for want of neither room nor patience is tried on a new connection. */
const REOPEN_MS = 5_000;
/** Damage that is found twice within this time is no accident of one connection. */
const SUSPECT_MS = 3_600_000;
/** Reading a whole file takes minutes on a card, so it is done only so often. */
const CHECK_MS = 600_000;

/**
 * A writer that goes on whatever becomes of its file. A new one begins where another ends, as when the thread is replaced: when the
 * file is removed or replaced, when it is damaged (then it is moved aside first), and when the disk answers with errors. What waits in
 * the rings longer than they can hold it is dropped and counted.
 *
 * Only a live capture is kept so: a replay waits, or says what is wrong. Times are those of `Writer`.
 */
export class KeptWriter {
  private readonly block: ThreadBlock;
  private readonly isLive: boolean;
  private readonly asides = new AsideLimit();
  private writer: Writer | null = null;
  private watch: FileWatch | null = null;
  /** The rings, while no writer reads them. */
  private rings: FlowRings | null = null;
  /** Whether rows that wait may be stored in a file that cannot be read now. */
  private isDoubtful = false;
  /** Whether somebody may be busy putting a file in place, and what its name led to at the last look. */
  private isSettling = false;
  /** A damaged file that may not be moved yet. */
  private spurned = '';
  private mayNotMove = false;
  private seen = '';
  private reason = '';
  private event: FileEvent | null = null;
  private lookedMs = Number.NEGATIVE_INFINITY;
  private retryAtMs = Number.NEGATIVE_INFINITY;
  private soundMs = Number.NEGATIVE_INFINITY;
  private checkedMs = Number.NEGATIVE_INFINITY;
  private suspectUntilMs = Number.NEGATIVE_INFINITY;

  private constructor(
    private setup: WriterSetup,
    private readonly log: Log,
  ) {
    this.block = new ThreadBlock(setup.memory.writer);
    this.isLive = setup.session.mode === 'live';
  }

  /**
   * Opens the database as `Writer.open` does, and throws what that throws, but sets a damaged file aside. A successor of a thread that died
   * does not throw: it waits until the database can be opened.
   */
  static open(setup: WriterSetup, log: Log, nowMs: number): KeptWriter {
    const kept = new KeptWriter(setup, log);
    try {
      kept.attach(kept.openOrSetAside(nowMs), nowMs);
    } catch (error) {
      const isSuccessor = kept.isLive && kept.block.cell(Cell.Starts) > 1;
      if (!isSuccessor || !(error instanceof AppError)) throw error;
      kept.detach(true);
      kept.wait(error, nowMs);
    }
    return kept;
  }

  /** Goes by other limits from now on, in this file and in those that come after it. */
  reconfigure(config: Config, nowMs: number): void {
    this.setup = { ...this.setup, config };
    this.writer?.reconfigure(config, nowMs);
  }

  /** The writer of the file that is open now; null while none is. */
  get current(): Writer | null {
    return this.writer;
  }

  get opened(): WriterOpened {
    return this.writer?.opened ?? { uncleanSessions: 0, journalMode: 'none' };
  }

  /** Whether every published record is written; never while no database is open. */
  get isEmpty(): boolean {
    return this.writer?.isEmpty ?? false;
  }

  get isBatchNear(): boolean {
    return this.writer?.isBatchNear ?? (this.rings?.recordsWaiting ?? 0) >= this.setup.config.batchRowsMin;
  }

  /** Flows that the parse workers have emitted and that are neither committed nor counted as lost or left out. */
  get flowsUnwritten(): number {
    const emitted = this.setup.memory.parse.reduce((sum, block) => sum + new ThreadBlock(block).cell(Cell.FlowsEmitted), 0);
    const { block } = this;
    return emitted - block.cell(Cell.FlowsWritten) - block.cell(Cell.FlowsLost) - block.cell(Cell.FlowsShed);
  }

  /** Why rows wait although they are due; null while the database takes them. */
  get failure(): string | null {
    return this.writer ? this.writer.failure : this.reason;
  }

  /** As `Writer.step`; sees to the file as well. */
  step(nowMs: number, isEnding: boolean): boolean {
    this.look(nowMs);
    if (!this.writer) this.reopen(nowMs);
    if (!this.writer) {
      if (this.rings && !this.isDoubtful) shedOldest(this.rings, this.block);
      return false;
    }
    const hasWorked = this.writer.step(nowMs, isEnding);
    if (this.isLive) this.mend(this.writer, nowMs);
    return hasWorked;
  }

  /** As `Writer.close`. */
  close(nowMs: number): void {
    assert(this.writer, 'writer: closed while no database is open');
    this.writer.close(nowMs);
  }

  /** As `Writer.abandon`. */
  abandon(): void {
    this.reason = this.failure ?? '';
    this.writer?.abandon();
    this.writer = null;
  }

  /** Finds out whether the open file still has its name, and lets go of it if not. */
  private look(nowMs: number): void {
    const { writer, watch } = this;
    if (!writer || !watch || !this.isLive || nowMs - this.lookedMs < LOOK_MS) return;
    this.lookedMs = nowMs;
    const fate = watch.look();
    if (fate !== 'same') this.letGo(writer, watch, fate, nowMs);
  }

  private letGo(writer: Writer, watch: FileWatch, fate: Exclude<FileFate, 'same'>, nowMs: number): void {
    const { path } = writer;
    const flows = this.block.cell(Cell.FlowsWritten);
    // What is committed belongs to the old file. Left beside the name, its log would be taken for that of the next file.
    const isFolded = this.blocking(() => writer.foldLog());
    writer.abandon();
    if (watch.isLogOurs) leaveLog(path, isFolded, fate, nowMs);
    this.block.cells[Cell.FilesReplaced] = this.block.cell(Cell.FilesReplaced) + 1;
    const detail = `the file was ${fate} while it was open, with ${flows} flows of this run`;
    this.log('error', `database ${path}: ${detail}; flowberry goes on in the file that is under that name`, {
      code: 'DATABASE_REPLACED',
      flows,
    });
    this.lostFile({ event: fate, detail });
    this.isSettling = true;
    this.seen = fingerprintOf(path);
    this.retryAtMs = nowMs + LOOK_MS;
    this.reason = detail;
    this.block.cells[Cell.WriteFailing] = 1;
    this.block.cells[Cell.WriteFault] = WriteFault.Other;
  }

  /** Sees to what the database refused. */
  private mend(writer: Writer, nowMs: number): void {
    const { refusal } = writer;
    if (refusal === null) this.soundMs = nowMs;
    else if (faultOf(refusal.code) === WriteFault.Damaged) this.mendDamage(writer, refusal, nowMs);
    else if (writer.failure !== null) this.mendFailure(writer, refusal, nowMs);
  }

  private mendFailure(writer: Writer, refusal: SqliteError, nowMs: number): void {
    const isCertain = writer.shed();
    const fault = faultOf(refusal.code);
    if (fault === WriteFault.Busy || fault === WriteFault.DiskFull || nowMs - this.soundMs < REOPEN_MS) return;
    if (fault === WriteFault.Other && !this.isSoundStill(writer.path, nowMs)) {
      this.suspectUntilMs = nowMs + SUSPECT_MS;
      this.mendDamage(writer, refusal, nowMs);
      return;
    }
    this.soundMs = nowMs;
    this.blocking(() => writer.abandon());
    this.detach(!isCertain);
    this.reopen(nowMs, refusal);
  }

  /** The first finding may be an accident of this connection; the second one is not. */
  private mendDamage(writer: Writer, refusal: SqliteError, nowMs: number): void {
    if (nowMs > this.suspectUntilMs) {
      this.suspectUntilMs = nowMs + SUSPECT_MS;
      this.log('warn', `database ${writer.path}: ${refusal.message}; it is opened once more`, { sqlite: refusal.code });
      this.blocking(() => writer.abandon());
      this.detach(true);
      this.reopen(nowMs);
    } else if (this.asides.mayMove(nowMs)) {
      const { path } = writer;
      const error = this.moveAside(path, refusal.message, nowMs, () => writer.abandon());
      if (error === null) this.reopen(nowMs);
      else if (!this.mayNotMove) this.log('error', `${error.message}; it cannot be moved aside`, { code: error.code });
      this.mayNotMove = error !== null;
    } else this.giveUp(writer, refusal, nowMs);
  }

  /** Too many files were moved aside: this one stays until another lies in its place, or its time has come. */
  private giveUp(writer: Writer, refusal: SqliteError, nowMs: number): void {
    this.blocking(() => writer.abandon());
    this.lostFile(null);
    const what = `database ${writer.path}: the file is damaged (${refusal.message})`;
    this.wait(new AppError('DATABASE_DAMAGED', `${what}, and so were three before it`), nowMs);
    this.spurned = fingerprintOf(writer.path);
  }

  /** Whether nothing is wrong with the file itself, as far as is known; it is read only from time to time. */
  private isSoundStill(path: string, nowMs: number): boolean {
    if (nowMs - this.checkedMs < CHECK_MS) return true;
    this.checkedMs = nowMs;
    return this.blocking(() => !isFileDamaged(path, null));
  }

  /** Opens the database again if it is time. `failed`: what the one before refused with, which is not over before a write succeeds. */
  private reopen(nowMs: number, failed?: SqliteError): void {
    if (nowMs < this.retryAtMs) return;
    const { dbPath } = this.setup.config;
    if (this.spurned !== '' && !this.asides.mayMove(nowMs) && fingerprintOf(dbPath) === this.spurned) return;
    this.spurned = '';
    if (this.isSettling) {
      const seen = fingerprintOf(dbPath);
      const isAtRest = seen === this.seen;
      this.seen = seen;
      this.retryAtMs = nowMs + LOOK_MS;
      if (!isAtRest) return;
    }
    const { reason } = this;
    try {
      const writer = this.blocking(() => this.openOrSetAside(nowMs));
      if (failed) writer.inherit(failed, nowMs);
      this.attach(writer, nowMs);
      if (reason !== '') this.log('info', `database ${dbPath} is open again`);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // Whatever is in that file will not be found again.
      if (error.code === 'DATABASE_DAMAGED') this.lostFile(null);
      this.wait(error, nowMs);
    }
  }

  private openOrSetAside(nowMs: number): Writer {
    try {
      return Writer.open(this.setup, this.log, nowMs);
    } catch (error) {
      const path = existsSync(this.setup.config.dbPath) ? realpathSync(this.setup.config.dbPath) : '';
      const mayMove = this.isLive && path !== '' && this.asides.mayMove(nowMs);
      if (!mayMove || !isFileDamaged(path, error)) throw error;
      const failure = this.moveAside(path, (error as Error).message, nowMs, null);
      if (failure) throw failure;
      return Writer.open(this.setup, this.log, nowMs);
    }
  }

  /** Moves a damaged file out of the way; `release` lets go of it. Gives back why that cannot be. */
  private moveAside(path: string, why: string, nowMs: number, release: (() => void) | null): AppError | null {
    const aside = this.blocking(() => moveAside(path, nowMs, release));
    if (aside instanceof AppError) return aside;
    this.asides.moved(nowMs);
    this.block.cells[Cell.FilesSetAside] = this.block.cell(Cell.FilesSetAside) + 1;
    this.log('error', `database ${path} is damaged (${why}); it was moved to ${aside}, and a new one is begun`, {
      code: 'DATABASE_SET_ASIDE',
      file: aside,
      flows: this.block.cell(Cell.FlowsWritten),
    });
    this.lostFile({ event: 'set_aside', detail: `${aside}: ${why}` });
    return null;
  }

  /** The file that was open will not come back: whatever is in the rings is in no file. */
  private lostFile(event: FileEvent | null): void {
    if (this.block.cell(Cell.FileInode) !== 0) this.block.cells[Cell.FileInode] = -1;
    this.event = event ?? this.event;
    this.detach(false);
  }

  private attach(writer: Writer, nowMs: number): void {
    this.writer = writer;
    this.watch = new FileWatch(writer.path);
    this.rings = null;
    this.isSettling = false;
    this.isDoubtful = false;
    this.reason = '';
    this.soundMs = nowMs;
    if (this.event === null) return;
    try {
      writer.noteEvent(this.event, nowMs);
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      this.log('warn', `database ${writer.path}: no note of ${this.event.detail}: ${error.message}`);
    }
    this.event = null;
  }

  private detach(isDoubtful: boolean): void {
    this.writer = null;
    this.watch = null;
    this.isDoubtful = isDoubtful;
    this.rings ??= new FlowRings(this.setup.memory.flowRings);
    this.retryAtMs = Number.NEGATIVE_INFINITY;
  }

  /** The database cannot be opened now. */
  private wait(error: AppError, nowMs: number): void {
    this.block.cells[Cell.WriteFailing] = 1;
    this.block.cells[Cell.WriteFault] = faultOfOpening(error);
    this.retryAtMs = nowMs + LOOK_MS;
    if (this.reason === error.message) return;
    this.reason = error.message;
    this.log('error', `${error.message}; the rows wait in memory`, { code: error.code });
  }

  /** Work that may take long and that nobody can interrupt. */
  private blocking<T>(work: () => T): T {
    this.block.cells[Cell.Blocked] = 1;
    try {
      return work();
    } finally {
      this.block.beat();
      this.block.cells[Cell.Blocked] = 0;
    }
  }
}
