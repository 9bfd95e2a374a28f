import type { Database } from 'better-sqlite3';
import { Cell, type ThreadBlock } from '../../ring/thread-block.js';
import type { Chore } from '../chore.js';
import { walBytes } from './file-room.js';
import type { Slices } from './slices.js';

/** How often the log's length is looked at. */
const LOOK_MS = 10_000;
/** An idle writer gives back the room of a log that is longer than this, or than half of what it may have. */
const IDLE_BYTES_MAX = 4 * 2 ** 20;
/** So long nothing must have been written. */
const IDLE_MS = 60_000;

interface Checkpoint {
  readonly busy: number;
  /** Pages in the log, and those of them that are in the file now. */
  readonly log: number;
  readonly checkpointed: number;
}

/**
 * Moves the write-ahead log into the file: every so often, and when it has grown although commits move it too; gives its room back
 * when nothing is written. A log that readers hold cannot be begun anew; the block says how long it has become.
 */
export class Checkpoints implements Chore {
  readonly name = 'checkpoint';
  dueMs: number;
  private lastMs: number;
  private batches = 0;
  private batchesMoved = 0;
  private busyMs: number;

  /**
   * The log is moved every `everyMs`. One that is longer than `bytesMax` is held by readers: then it is waited for them, a fifth of a
   * second each time.
   */
  constructor(
    private readonly db: Database,
    private everyMs: number,
    private bytesMax: number,
    private readonly slices: Slices,
    private readonly block: ThreadBlock,
    nowMs: number,
  ) {
    this.dueMs = nowMs + LOOK_MS;
    this.lastMs = nowMs;
    this.busyMs = nowMs;
  }

  /** Goes by another time and another length from now on. */
  adjust(everyMs: number, bytesMax: number): void {
    this.everyMs = everyMs;
    this.bytesMax = bytesMax;
  }

  step(nowMs: number): void {
    this.dueMs = nowMs + LOOK_MS;
    const batches = this.block.cell(Cell.BatchesWritten);
    if (batches !== this.batches || nowMs < this.busyMs) this.busyMs = nowMs;
    this.batches = batches;
    const bytes = walBytes(this.db.name);
    if (bytes > this.bytesMax || (bytes > Math.min(IDLE_BYTES_MAX, this.bytesMax / 2) && nowMs - this.busyMs >= IDLE_MS)) {
      this.move('TRUNCATE');
    } else {
      const isDue = (nowMs - this.lastMs >= this.everyMs || nowMs < this.lastMs) && batches !== this.batchesMoved;
      if (isDue || bytes > this.bytesMax / 2) {
        const { log, checkpointed } = this.move('PASSIVE');
        if (log === checkpointed) this.batchesMoved = batches;
        this.lastMs = nowMs;
      }
    }
    this.block.cells[Cell.WalHeldBytes] = bytes > this.bytesMax ? walBytes(this.db.name) : 0;
  }

  /** Moves all of the log and gives its room back, now: waits for readers as long as the connection does. False: they hold it still. */
  truncate(): boolean {
    return this.move('TRUNCATE').busy === 0;
  }

  private move(kind: 'PASSIVE' | 'TRUNCATE'): Checkpoint {
    return this.slices.blocking(() => (this.db.pragma(`wal_checkpoint(${kind})`) as [Checkpoint])[0]);
  }
}
