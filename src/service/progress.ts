import type { Config } from '../config.js';
import type { PipelineMemory } from '../messages.js';
import { BudgetStep, LARGER_BATCH_AGE_MS } from '../ring/budget-step.js';
import { Command, ThreadState } from '../ring/layout.js';
import { ringUsedBytes } from '../ring/ring.js';
import { Cell, ThreadBlock } from '../ring/thread-block.js';

/** The threads beat at least once a second when nothing holds them up; a loaded machine may be late by as much. */
const SILENCE_MS_MIN = 2_000;

interface Watched {
  readonly name: string;
  readonly block: ThreadBlock;
}

/**
 * Tells from the shared counters whether every thread moves: the capture has polled, the parse workers have gone round, and the writer
 * has committed or had nothing to commit. Asks no thread, so a thread that stands still cannot hold up the answer.
 */
export class Progress {
  private readonly threads: readonly Watched[];
  private readonly writer: ThreadBlock;
  private readonly flowRings: readonly SharedArrayBuffer[];
  private readonly batchAgeMsMax: number;
  /** Commits, refusals of the database and holds of the budget, and since when there have been none although rows wait. */
  private attempts = -1;
  private idleSinceMs: number;

  /**
   * A thread that is silent for `silenceMsMax` (2 s at least) does not move. `nowMs` is the monotonic clock, as in `look`.
   */
  constructor(
    memory: PipelineMemory,
    config: Config,
    private readonly silenceMsMax: number,
    nowMs: number,
  ) {
    this.silenceMsMax = Math.max(silenceMsMax, SILENCE_MS_MIN);
    this.writer = new ThreadBlock(memory.writer);
    this.flowRings = memory.flowRings;
    this.batchAgeMsMax = config.batchAgeMsMax;
    this.idleSinceMs = nowMs;
    this.threads = [
      { name: 'capture', block: new ThreadBlock(memory.capture) },
      ...memory.parse.map((block, index) => ({ name: `parse-${index}`, block: new ThreadBlock(block) })),
      { name: 'writer', block: this.writer },
      { name: 'api', block: new ThreadBlock(memory.api) },
    ];
  }

  /** Whether every thread has got as far as its work. */
  get areAllRunning(): boolean {
    return this.threads.every(({ block }) => block.state === ThreadState.Running);
  }

  /** Names a thread that stands still and says how that shows; null while all move. To be called regularly. */
  look(nowMs: number): string | null {
    const stalledWriter = this.lookAtWriter(nowMs);
    for (const { name, block } of this.threads) {
      if (block.state === ThreadState.Ended) {
        // At a stop the threads end one after the other.
        if (this.isStopping) continue;
        return `${name} has ended`;
      }
      const silenceMs = nowMs - block.cell(Cell.HeartbeatMs);
      if (silenceMs > this.silenceMsMax) return `${name} gave no sign of life for ${(silenceMs / 1000).toFixed(1)} s`;
    }
    return stalledWriter;
  }

  /** The capture ends first. Main gives it the command. */
  private get isStopping(): boolean {
    return this.threads[0]?.block.command === Command.Drain;
  }

  /**
   * Rows may wait for the age of a batch. A database that refuses (the disk is full, another process holds it) is asked again and
   * again, and that is movement: a new process would meet the same refusal, without the rows that wait in memory. So it is with rows
   * that wait since too much was written.
   */
  private lookAtWriter(nowMs: number): string | null {
    const { writer } = this;
    const refusals = writer.cell(Cell.BusyRetries) + writer.cell(Cell.WriteErrors);
    const attempts = writer.cell(Cell.BatchesWritten) + refusals + writer.cell(Cell.BatchesHeld);
    const isEmpty = this.flowRings.every((ring) => ringUsedBytes(ring) === 0);
    if (isEmpty || attempts !== this.attempts) this.idleSinceMs = nowMs;
    this.attempts = attempts;
    const idleMs = nowMs - this.idleSinceMs;
    const hasLargerBatches = writer.cell(Cell.BudgetStep) >= BudgetStep.LargerBatches;
    const ageMsMax = hasLargerBatches ? Math.max(this.batchAgeMsMax, LARGER_BATCH_AGE_MS) : this.batchAgeMsMax;
    if (idleMs <= ageMsMax + this.silenceMsMax) return null;
    return `writer has committed nothing for ${(idleMs / 1000).toFixed(1)} s although rows wait`;
  }
}
