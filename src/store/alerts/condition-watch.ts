import type { Database } from 'better-sqlite3';
import type { PipelineMemory } from '../../messages.js';
import { Drop } from '../../ring/drop-reason.js';
import { Cell, ThreadBlock } from '../../ring/thread-block.js';
import type { Chore } from '../chore.js';
import type { AlertBook } from './alert-book.js';
import { AlertKind } from './alert-kind.js';

const EVERY_MS = 10_000;

/** A counter that should stay as it is, and what its rise by so much means. */
interface Condition {
  readonly kind: AlertKind;
  readonly subject: string;
  readonly read: () => number;
  readonly tell: (rise: number) => string;
}

/** Looks at the counters of the threads, and raises an alert where one has risen that should not. In transactions of its own. */
export class ConditionWatch implements Chore {
  readonly name = 'alerts';
  dueMs: number;
  private readonly conditions: readonly Condition[];
  /** What each counter was when it was looked at last. */
  private readonly seen: number[];

  constructor(
    private readonly db: Database,
    private readonly book: AlertBook,
    memory: PipelineMemory,
    nowMs: number,
  ) {
    const capture = new ThreadBlock(memory.capture);
    const writer = new ThreadBlock(memory.writer);
    const blocks = [capture, ...memory.parse.map((block) => new ThreadBlock(block))];
    const drops = (...reasons: Drop[]): number =>
      blocks.reduce((sum, block) => sum + reasons.reduce((of, reason) => of + block.cell(Cell.Drops + reason), 0), 0);
    this.conditions = [
      {
        kind: AlertKind.CaptureLoss,
        subject: 'kernel',
        read: () => capture.cell(Cell.KernelDropped),
        tell: (rise) => `The kernel dropped ${rise} packets: its buffer (capture.buffer-bytes) was full.`,
      },
      {
        kind: AlertKind.CaptureLoss,
        subject: 'rings',
        read: () => drops(Drop.RingFull),
        tell: (rise) => `${rise} packets were dropped: the ring of a parse worker was full.`,
      },
      {
        kind: AlertKind.CaptureLoss,
        subject: 'threads',
        read: () => drops(Drop.WorkerCrash, Drop.CaptureCrash),
        tell: (rise) => `${rise} packets were lost with a thread that died; the log says why.`,
      },
      {
        kind: AlertKind.Disk,
        subject: 'rows',
        read: () => writer.cell(Cell.FlowsLost),
        tell: (rise) => `${rise} flows are in no row: the database could not be written, or its file was lost.`,
      },
      {
        kind: AlertKind.Disk,
        subject: 'file',
        read: () => writer.cell(Cell.FilesSetAside),
        tell: () => 'The database was damaged and moved aside; the log says where to.',
      },
      {
        kind: AlertKind.Clock,
        subject: 'wall clock',
        read: () => capture.cell(Cell.ClockSteps),
        tell: () =>
          `The wall clock was set; it is ${Math.round(capture.cell(Cell.ClockOffsetMs) / 1000)} s from that of the run.`,
      },
    ];
    this.seen = this.conditions.map(({ read }) => read());
    this.dueMs = nowMs + EVERY_MS;
  }

  step(nowMs: number): void {
    this.dueMs = nowMs + EVERY_MS;
    const risen = this.conditions
      .map((condition, index) => ({ condition, now: condition.read(), before: this.seen[index] as number }))
      .filter(({ now, before }) => now > before);
    if (risen.length === 0) return;
    this.db
      .transaction(() => {
        for (const { condition, now, before } of risen)
          this.book.raise(condition.kind, condition.subject, condition.tell(now - before), nowMs * 1000);
      })
      .immediate();
    for (const [index, { read }] of this.conditions.entries()) this.seen[index] = read();
  }
}
