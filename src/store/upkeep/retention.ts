import { Cell, RetentionTrouble, type ThreadBlock } from '../../ring/thread-block.js';
import type { Chore } from '../chore.js';
import type { Prunable } from '../prunable.js';
import type { Log } from '../trouble.js';
import type { AgeGuard } from './age-guard.js';
import type { FileRoom } from './file-room.js';
import { DAY_US } from './fold-ledger.js';
import { removeOldest } from './oldest-first.js';
import type { Slices } from './slices.js';

/** Rows that go when they are so old. */
interface AgedRows {
  readonly rows: Prunable;
  /** 0: never. */
  readonly daysMax: number;
  /** There are so many of them that they are looked at each minute, others each hour. */
  readonly isMany: boolean;
}

/** What may be deleted. */
export interface RetentionRows {
  readonly aged: readonly AgedRows[];
  /** What goes for want of room, one group after the other: the oldest rows of a group first, a later group when the earlier is empty. */
  readonly byRoom: readonly (readonly Prunable[])[];
}

/** How often the room is looked at, ms. */
const ROOM_MS = 10_000;
/**
 * How often the ages are: pages that become free are written once more, unless new rows have taken them before the write-ahead log is
 * moved into the file. Measured at 50 flows/s, bytes to disk per flow: 650 when flows go every minute, 679 every five, 788 every hour,
 * and 438 while none go.
 */
const AGE_MS = 60_000;
const ALL_AGES_MS = 3_600_000;
/** A start has other things to do. */
const AGE_AFTER_START_MS = 300_000;
/** Slices between two batches when there is no room: the largest batch has as many rows as these delete. */
const URGENT_SLICES = 10;
/** So far the wall clock may be from the clock of the run before ages are in doubt. */
const OFFSET_MS_MAX = 86_400_000;

/** Deletes what is older than it may be, and the oldest where there is no room for more; in slices, between batches. */
export class Retention implements Chore {
  readonly name = 'retention';
  dueMs: number;
  /** Whether room was short when it was looked at last, and there is something that may go. */
  isUrgent = false;
  /** Whether more than single flows had to go for want of room. */
  private hasTakenSums = false;
  private ageDueMs: number;
  private allAgesDueMs: number;
  /** Whether the round is over all kinds of rows, or those that are many. */
  private isFullRound = false;
  /** Rows whose ages are being looked at; the first `index` are done. */
  private index: number;
  /** Whether rows are deleted for want of room. */
  private isMakingRoom = false;
  /** Whether the last attempt to make room found nothing that may go. */
  private isStuck = false;
  private isDoubtful = false;

  /** Ages are never looked at without `ages`, as in a replay. `clockOffsetMs`: how far the wall clock is from that of the run. */
  constructor(
    private rows: RetentionRows,
    private readonly room: FileRoom,
    private readonly slices: Slices,
    private readonly ages: { readonly guard: AgeGuard; readonly clockOffsetMs: () => number } | null,
    private readonly block: ThreadBlock,
    private readonly log: Log,
    nowMs: number,
  ) {
    this.dueMs = nowMs + ROOM_MS;
    this.ageDueMs = nowMs + AGE_AFTER_START_MS;
    this.allAgesDueMs = this.ageDueMs;
    this.index = rows.aged.length;
  }

  /** Looks at the room anew, since its limits have changed; `rows`: goes by other ages as well. Both at once. */
  adjust(rows: RetentionRows | null): void {
    this.dueMs = Number.NEGATIVE_INFINITY;
    if (rows === null) return;
    this.rows = rows;
    this.index = rows.aged.length;
    this.ageDueMs = Number.NEGATIVE_INFINITY;
    this.allAgesDueMs = Number.NEGATIVE_INFINITY;
  }

  step(nowMs: number, budgetMs: number): void {
    // A clock that was set back must not make the pauses longer.
    if (this.ageDueMs - nowMs > ALL_AGES_MS) this.ageDueMs = nowMs;
    if (this.allAgesDueMs - nowMs > ALL_AGES_MS) this.allAgesDueMs = nowMs;
    this.dueMs = nowMs + ROOM_MS;
    const removed = this.makeRoom(budgetMs) || this.deleteOld(nowMs, budgetMs);
    this.count(removed);
    if (this.isMakingRoom || this.index < this.rows.aged.length) this.dueMs = nowMs;
    this.tell();
  }

  /** Deletes the oldest rows, if there is no room for the next batches: what a large batch needs takes several slices. */
  makeRoomNow(budgetMs: number): void {
    const endMs = performance.now() + budgetMs * URGENT_SLICES;
    do {
      this.isUrgent = this.room.isShort;
      if (!this.isUrgent) return;
      this.count(this.makeRoom(budgetMs));
    } while (!this.isStuck && performance.now() < endMs);
    this.isUrgent = !this.isStuck && this.room.isShort;
  }

  /** Whether more than single flows had to go for want of room since the last call: then whatever nobody needs is to go as well. */
  takeNeed(): boolean {
    const hasTaken = this.hasTakenSums;
    this.hasTakenSums = false;
    return hasTaken;
  }

  /** Whether there is no room for the next batches, and nothing that may go. */
  get isFull(): boolean {
    return this.isStuck && this.room.isShort;
  }

  private count(removed: number): void {
    if (removed > 0) this.block.cells[Cell.RowsPruned] = this.block.cell(Cell.RowsPruned) + removed;
  }

  /** One slice of the oldest rows, if room is short; 0 when there is room, or nothing that may go. */
  private makeRoom(budgetMs: number): number {
    const isDiskShort = this.room.isDiskShort();
    if (!this.isMakingRoom && !this.room.isShort && !isDiskShort) {
      this.isStuck = false;
      return 0;
    }
    this.isMakingRoom = !this.room.isAmple || isDiskShort;
    if (!this.isMakingRoom) return 0;
    const removed = this.slices.run(budgetMs, (rowsMax) => {
      const slice = removeOldest(this.rows.byRoom, rowsMax);
      if (slice === null || slice.group > 0) this.hasTakenSums = true;
      return slice?.rows ?? 0;
    });
    this.isStuck = removed === 0;
    if (this.isStuck) this.isMakingRoom = false;
    return removed;
  }

  /** One slice of what is too old; a round over what is many each minute, over all kinds of rows each hour. */
  private deleteOld(nowMs: number, budgetMs: number): number {
    const { aged } = this.rows;
    if (!this.ages) return 0;
    if (this.index === aged.length) {
      if (nowMs < this.ageDueMs) return 0;
      this.ageDueMs = nowMs + AGE_MS;
      this.isFullRound = nowMs >= this.allAgesDueMs;
      if (this.isFullRound) this.allAgesDueMs = nowMs + ALL_AGES_MS;
      const { guard, clockOffsetMs } = this.ages;
      this.slices.run(budgetMs, () => {
        this.isDoubtful = !guard.look(nowMs * 1000) || Math.abs(clockOffsetMs()) > OFFSET_MS_MAX;
        return 0;
      });
      if (this.isDoubtful) return 0;
      this.index = 0;
    }
    const { rows, daysMax, isMany } = aged[this.index] as AgedRows;
    const beforeUs = nowMs * 1000 - daysMax * DAY_US;
    const isKept = daysMax === 0 || beforeUs <= 0 || !(isMany || this.isFullRound);
    const removed = isKept ? 0 : this.slices.run(budgetMs, (rowsMax) => rows.prune(beforeUs, rowsMax));
    if (removed === 0) this.index++;
    return removed;
  }

  /** Says in the block what keeps it from its work, and in the log when that changes. */
  private tell(): void {
    const isOver = this.isStuck && this.room.isOver;
    const trouble = isOver
      ? RetentionTrouble.FileOverLimit
      : this.isDoubtful
        ? RetentionTrouble.ClockInDoubt
        : RetentionTrouble.None;
    if (trouble === this.block.cell(Cell.RetentionTrouble)) return;
    this.block.cells[Cell.RetentionTrouble] = trouble;
    if (trouble === RetentionTrouble.FileOverLimit)
      this.log('warn', 'the database holds more than retention.file-bytes-max allows, and nothing is left that may go');
    if (trouble === RetentionTrouble.ClockInDoubt)
      this.log('warn', 'the clock has leapt: nothing is deleted for its age until a day and a thousand flows have gone by');
  }
}
