import type { Database } from 'better-sqlite3';
import type { PipelineMemory } from '../../messages.js';
import { Drop } from '../../ring/drop-reason.js';
import { HostBlock } from '../../ring/host-block.js';
import { HostField, isThrottled, isUnderVoltage, TEMPERATURE_HOT_C } from '../../ring/host-layout.js';
import { Cell, ThreadBlock } from '../../ring/thread-block.js';
import type { Chore } from '../chore.js';
import type { AlertBook } from './alert-book.js';
import { AlertKind } from './alert-kind.js';

const EVERY_MS = 10_000;
/** What lasts is told when it begins and then so often; what comes and goes is told no more often either. Each time is a write. */
const STATE_EVERY_MS = 600_000;

/** A counter that should stay as it is, and what its rise by so much means. */
interface Condition {
  readonly kind: AlertKind;
  readonly subject: string;
  readonly read: () => number;
  readonly tell: (rise: number) => string;
}

/** A state that should not be: a sentence about it while it holds, else null. */
interface State {
  readonly kind: AlertKind;
  readonly subject: string;
  readonly tell: () => string | null;
}

/**
 * Looks at the counters of the threads and at the machine, and raises an alert where a counter has risen that should not, or the machine is
 * not well. In transactions of its own.
 */
export class ConditionWatch implements Chore {
  readonly name = 'alerts';
  dueMs: number;
  private readonly conditions: readonly Condition[];
  /** What each counter was when it was looked at last. */
  private readonly seen: number[];
  private readonly states: readonly State[];
  /** When each state was told last. */
  private readonly toldMs: number[];

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
    this.states = statesOf(new HostBlock(memory.host));
    this.toldMs = this.states.map(() => Number.NEGATIVE_INFINITY);
    this.dueMs = nowMs + EVERY_MS;
  }

  step(nowMs: number): void {
    this.dueMs = nowMs + EVERY_MS;
    const risen = this.conditions
      .map((condition, index) => ({ condition, index, now: condition.read(), before: this.seen[index] as number }))
      .filter(({ now, before }) => now > before);
    const held = this.states
      .map(({ tell, ...state }, index) => ({ ...state, index, detail: this.isToldLately(index, nowMs) ? null : tell() }))
      .filter(({ detail }) => detail !== null);
    if (risen.length === 0 && held.length === 0) return;
    this.db
      .transaction(() => {
        for (const { condition, now, before } of risen)
          this.book.raise(condition.kind, condition.subject, condition.tell(now - before), nowMs * 1000);
        for (const { kind, subject, detail } of held) this.book.raise(kind, subject, detail as string, nowMs * 1000);
      })
      .immediate();
    for (const { index, now } of risen) this.seen[index] = now;
    for (const { index } of held) this.toldMs[index] = nowMs;
  }

  /** A clock that was set back keeps nothing from being told. */
  private isToldLately(index: number, nowMs: number): boolean {
    const sinceMs = nowMs - (this.toldMs[index] as number);
    return sinceMs >= 0 && sinceMs < STATE_EVERY_MS;
  }
}

/** What `/health` is degraded for; nothing is known of the machine, and so nothing holds, while main does not look at it. */
function statesOf(host: HostBlock): State[] {
  const field = (index: HostField): number => host.fields[index] as number;
  return [
    {
      kind: AlertKind.Temperature,
      subject: 'heat',
      tell: () => {
        const temperature = field(HostField.TemperatureC);
        if (!(temperature >= TEMPERATURE_HOT_C)) return null;
        return `The CPU has ${temperature.toFixed(1)} degrees Celsius; from ${TEMPERATURE_HOT_C} on it is slowed down.`;
      },
    },
    {
      kind: AlertKind.Temperature,
      subject: 'throttling',
      tell: () =>
        isThrottled(field(HostField.ThrottleBits)) ? 'The firmware slows the CPU down, for heat or want of voltage.' : null,
    },
    {
      kind: AlertKind.Temperature,
      subject: 'voltage',
      tell: () =>
        isUnderVoltage(field(HostField.ThrottleBits))
          ? 'The supply voltage is too low: another power supply or a shorter cable is needed.'
          : null,
    },
  ];
}
