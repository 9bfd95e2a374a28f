import { BudgetStep } from '../../ring/budget-step.js';
import { RateWindow } from './rate-window.js';

/** Bytes per minute. */
export interface WriteLimits {
  readonly softBytes: number;
  readonly hardBytes: number;
}

const MINUTE_S = 60;
/** What is judged for a step: long enough that a checkpoint, which writes megabytes at once, does not look like a load. */
const JUDGED_S = 600;
/** The next step waits until the last one can be seen. */
const STEP_PAUSE_MS = 300_000;
/** A step is undone below this part of the soft limit: without it twice as much may be written. */
const DOWN_RATIO = 0.5;
/** Over so long the room that is left is spread: writing all the time then uses up four fifths of it. */
const SPREAD_MS = 15_000;
/** What is left above this part of the hard limit may go at once, so that a burst finds its room. */
const SPREAD_BELOW_RATIO = 0.5;
/** What others of this process write counts up to this part of the hard limit, so that a backup cannot stop the capture. */
const OTHERS_RATIO_MAX = 0.5;
/**
 * What the next checkpoint moves counts up to this part of the hard limit, which is as long as the log becomes by itself. One that is longer
 * is held by a reader, such as a backup, for hours: no checkpoint can move it now, and rows must not wait for that. The checkpoint behind
 * the reader then writes more than the limit, once.
 */
const PENDING_RATIO_MAX = 0.6;
/** Part of the hard limit that is kept for what a batch takes beyond its estimate. */
const RESERVE_RATIO = 0.1;

/**
 * Decides how much may be written, from what has been written. Knows no database and no clock: times and amounts are told.
 *
 * The hard limit holds over any minute, since a batch gets only what the last 60 s and the pages that the next checkpoint moves have
 * left of it. The soft limit is an aim: when the mean of the last ten minutes is above it, a step is taken, and undone when it is well
 * below.
 */
export class WriteGovernor {
  private current: BudgetStep = BudgetStep.None;
  private readonly own = new RateWindow(MINUTE_S + 2);
  private readonly others = new RateWindow(MINUTE_S + 2);
  /** What would have been written without shedding. */
  private readonly wanted = new RateWindow(JUDGED_S + 2);
  private changedMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly limits: WriteLimits) {}

  get step(): BudgetStep {
    return this.current;
  }

  /** The writer has written `bytes`, and left out rows that would have taken about `shedBytes`. */
  wrote(nowMs: number, bytes: number, shedBytes: number): void {
    this.own.add(nowMs, bytes);
    this.wanted.add(nowMs, bytes + shedBytes);
  }

  /** Others in this process have written `bytes`. */
  othersWrote(nowMs: number, bytes: number): void {
    this.others.add(nowMs, bytes);
  }

  /** Bytes of the last minute that count. */
  usedBytes(nowMs: number): number {
    const { hardBytes } = this.limits;
    return this.own.sum(nowMs, MINUTE_S) + Math.min(this.others.sum(nowMs, MINUTE_S), hardBytes * OTHERS_RATIO_MAX);
  }

  /** What may still be written in this minute, when a checkpoint of `pendingBytes` may come at any time; negative when it is too much. */
  roomBytes(nowMs: number, pendingBytes: number): number {
    const { hardBytes } = this.limits;
    const movedBytes = Math.min(pendingBytes, hardBytes * PENDING_RATIO_MAX);
    return hardBytes * (1 - RESERVE_RATIO) - this.usedBytes(nowMs) - movedBytes;
  }

  /** Of that, what the next batch may take when the last one was `sinceMs` ago. */
  allowanceBytes(nowMs: number, pendingBytes: number, sinceMs: number): number {
    const { hardBytes, softBytes } = this.limits;
    const part = Math.min(1, Math.max(0, sinceMs) / SPREAD_MS);
    const roomBytes = Math.max(0, this.roomBytes(nowMs, pendingBytes));
    const allowed = Math.max(roomBytes * part, roomBytes - hardBytes * SPREAD_BELOW_RATIO);
    if (this.current < BudgetStep.Shedding) return allowed;
    return Math.min(allowed, Math.max(0, softBytes - this.usedBytes(nowMs)) * part);
  }

  /** How long the write-ahead log may become before it is moved: much while little is written, never more than leaves room for batches. */
  checkpointBytes(nowMs: number): number {
    const { hardBytes } = this.limits;
    return Math.max(hardBytes / 8, hardBytes * PENDING_RATIO_MAX - this.usedBytes(nowMs));
  }

  /** Takes or undoes a step, and tells whether it did. To be called every few seconds. */
  judge(nowMs: number): boolean {
    if (nowMs < this.changedMs) this.changedMs = nowMs;
    if (nowMs - this.changedMs < STEP_PAUSE_MS) return false;
    const perMinute = (this.wanted.sum(nowMs, JUDGED_S) * MINUTE_S) / JUDGED_S;
    const { softBytes } = this.limits;
    if (this.current < BudgetStep.Shedding && perMinute > softBytes) this.current++;
    else if (this.current > BudgetStep.None && perMinute < softBytes * DOWN_RATIO) this.current--;
    else return false;
    this.changedMs = nowMs;
    return true;
  }
}
