import type { LogLevel } from '../messages.js';
import { Cell, type ThreadBlock } from '../ring/thread-block.js';
import { WriteFault } from '../ring/write-fault.js';
import { faultOf } from './faults/fault-kind.js';
import { isBusy, type SqliteError } from './sqlite-error.js';

/** Sends one line to the log. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, string | number | boolean>>) => void;

const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 1000;

/**
 * What the writer does when the database refuses: tries again, later each time, says once that it fails and once that it has
 * recovered. A database that another process holds counts as failing after `busyMsMax` only.
 */
export class Trouble {
  /** Message of the last refusal. */
  reason = '';
  /** The last refusal, if nothing was written since. */
  error: SqliteError | null = null;
  private attempts = 0;
  private sinceMs = 0;
  private retryAtMs = 0;
  private backoffMs = BACKOFF_MS_MIN;

  constructor(
    private readonly path: string,
    private readonly busyMsMax: number,
    private readonly block: ThreadBlock,
    private readonly log: Log,
  ) {
    // A predecessor may have died while it failed; this writer has not failed yet.
    block.cells[Cell.WriteFailing] = 0;
    block.cells[Cell.WriteFault] = WriteFault.None;
  }

  get isFailing(): boolean {
    return this.block.cell(Cell.WriteFailing) === 1;
  }

  /** Whether it is too early for the next attempt. A clock that was set back does not make the pause longer. */
  isPausing(nowMs: number): boolean {
    const remainingMs = this.retryAtMs - nowMs;
    return remainingMs > 0 && remainingMs <= BACKOFF_MS_MAX;
  }

  /** The database has refused a write. */
  refused(nowMs: number, error: SqliteError): void {
    const busy = isBusy(error);
    const cell = busy ? Cell.BusyRetries : Cell.WriteErrors;
    this.block.cells[cell] = this.block.cell(cell) + 1;
    this.reason = error.message;
    this.error = error;
    this.block.cells[Cell.WriteFault] = faultOf(error.code);
    if (this.attempts++ === 0) this.sinceMs = nowMs;
    this.retryAtMs = nowMs + this.backoffMs;
    this.backoffMs = busy ? BACKOFF_MS_MIN : Math.min(this.backoffMs * 2, BACKOFF_MS_MAX);
    if (this.isFailing || (busy && nowMs - this.sinceMs < this.busyMsMax)) return;
    this.block.cells[Cell.WriteFailing] = 1;
    this.log('error', `database ${this.path} cannot be written: ${error.message}; the rows wait in memory`, {
      code: 'DATABASE_WRITE_FAILED',
      sqlite: error.code,
    });
  }

  /** A predecessor has failed on the same file, and said so: nothing is better before a write succeeds. */
  inherit(nowMs: number, error: SqliteError): void {
    this.attempts = 1;
    this.sinceMs = nowMs;
    this.reason = error.message;
    this.error = error;
    this.block.cells[Cell.WriteFailing] = 1;
    this.block.cells[Cell.WriteFault] = faultOf(error.code);
  }

  /** A write has succeeded. */
  over(): void {
    if (this.attempts === 0) return;
    this.error = null;
    this.block.cells[Cell.WriteFault] = WriteFault.None;
    if (this.isFailing) this.log('info', `database ${this.path} is written again`, { attempts: this.attempts });
    this.block.cells[Cell.WriteFailing] = 0;
    this.attempts = 0;
    this.retryAtMs = 0;
    this.backoffMs = BACKOFF_MS_MIN;
  }
}
