import { isMainThread } from 'node:worker_threads';
import { dieOf } from '../control.js';
import { AppError } from '../errors.js';
import { LiveClock } from '../live-clock.js';
import { type CaptureControl, type CaptureEnd, type CaptureStart, done, type Outcome } from '../messages.js';
import { Doorbell } from '../ring/doorbell.js';
import { InterfaceTable } from '../ring/interface-table.js';
import { Command, ThreadState } from '../ring/layout.js';
import { LinkTable } from '../ring/link-table.js';
import { RingProducer } from '../ring/ring.js';
import { Cell, ThreadBlock } from '../ring/thread-block.js';
import { logFrom } from '../thread-start.js';
import { createSource } from './create-source.js';
import { FrameWriter } from './frame-writer.js';
import { LiveTime } from './live-time.js';
import { type PacketSource, Step } from './source.js';

/** How long a live source may wait for frames before heartbeat and command are looked at. Each look costs an idle machine. */
const WAIT_MS = 250;
/** How long the kernel may take to hand over its last block. */
const DRAIN_WAIT_MS = 250;
/** Two looks at the same clocks differ by less. */
const SAME_OFFSET_MS = 500;
/** Steps between two turns of the event loop, on which control calls and streams depend. */
const STEPS_PER_TURN = 16;

const turnOfEventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Everything that the capture does, in whichever thread it runs: `cap` works in the main thread only. */
export class Capture implements CaptureControl {
  private readonly block: ThreadBlock;
  private readonly apiBlock: ThreadBlock;
  private readonly writer: FrameWriter;
  private readonly time: LiveTime | null;
  private source: PacketSource | null = null;
  private readonly doorbell: Doorbell;
  private readonly isRunning = (): boolean => this.block.command === Command.Run;
  /** Counts of the kernel before this source was opened: a replaced source starts at 0 again. */
  private readonly kernelPacketsBefore: number;
  private readonly kernelDroppedBefore: number;

  constructor(private readonly start: CaptureStart) {
    const { memory } = start;
    this.block = new ThreadBlock(memory.capture);
    this.doorbell = new Doorbell(memory.capture);
    this.apiBlock = new ThreadBlock(memory.api);
    const rings = memory.frameRings.map((ring, index) => {
      return new RingProducer(ring, new Doorbell(memory.parse[index] as SharedArrayBuffer));
    });
    const { mode, startedUs, startedMonotonicMs } = start.session;
    const isLive = mode === 'live';
    const clock = new LiveClock(startedUs, startedMonotonicMs);
    this.time = isLive ? new LiveTime(clock, (offsetUs) => this.noteStep(offsetUs)) : null;
    this.writer = new FrameWriter(rings, this.block, isLive, this.time);
    // A predecessor may have died before it had shown what it had read from the kernel.
    const { packets, dropped } = new LinkTable(memory.links).kernelCounts;
    this.kernelPacketsBefore = Math.max(this.block.cell(Cell.KernelPackets), packets);
    this.kernelDroppedBefore = Math.max(this.block.cell(Cell.KernelDropped), dropped);
  }

  async open(): Promise<Outcome> {
    try {
      const source = await createSource(this.start);
      await source.open(this.writer, new InterfaceTable(this.start.memory.interfaces));
      this.source = source;
      return done;
    } catch (error) {
      return { ok: false, error: AppError.from(error).toData() };
    }
  }

  async run(): Promise<Outcome<CaptureEnd>> {
    const source = this.source;
    if (!source) return { ok: false, error: { code: 'INTERNAL', message: 'capture: run before open' } };
    let failure: AppError | null = null;
    this.block.state = ThreadState.Running;
    try {
      await this.runSource(source);
    } catch (error) {
      // A live capture that meets a defect is replaced, where it has a thread that can be; a replay tells of it.
      if (!isMainThread && this.start.session.mode === 'live' && !(error instanceof AppError)) return dieOf(error);
      failure = AppError.from(error);
    }
    this.writer.flush();
    this.countKernel(source);
    source.close();
    this.block.state = ThreadState.Ended;
    return { ok: true, value: { error: failure ? failure.toData() : null } };
  }

  private async runSource(source: PacketSource): Promise<void> {
    for (let steps = 1; this.isRunning(); steps++) {
      this.block.beat();
      this.time?.refresh();
      if (this.start.config.captureExcludeOwn) this.writer.ownPort = this.apiBlock.cell(Cell.ApiPort);
      const stepping = source.step(WAIT_MS);
      const step = typeof stepping === 'number' ? stepping : await stepping;
      this.writer.flush();
      this.countKernel(source);
      if (step === Step.End) return;
      if (step === Step.Idle || steps % STEPS_PER_TURN === 0) await turnOfEventLoop();
      this.rest(source);
    }
    if (source.stopIntake) await this.drainKernel(source);
  }

  /** Lets frames gather for as long as the source allows it. */
  private rest(source: PacketSource): void {
    for (;;) {
      const ms = source.restMs?.() ?? Number.POSITIVE_INFINITY;
      if (ms === 0 || ms === Number.POSITIVE_INFINITY || !this.isRunning()) return;
      this.doorbell.wait(ms, this.isRunning);
    }
  }

  /** Takes what the kernel has counted and not handed over, so that its count and ours agree at the end. */
  private async drainKernel(source: PacketSource): Promise<void> {
    source.stopIntake?.();
    while ((await source.step(DRAIN_WAIT_MS)) === Step.More) this.block.beat();
  }

  /** Says that the wall clock was set, and by how much. What the run goes by stays as it is. */
  private noteStep(offsetUs: number): void {
    const { block } = this;
    const stepMs = offsetUs / 1000 - block.cell(Cell.ClockOffsetMs);
    block.cells[Cell.ClockOffsetMs] = offsetUs / 1000;
    // What a predecessor has seen already is new to this thread, and to nobody else.
    if (Math.abs(stepMs) < SAME_OFFSET_MS) return;
    block.cells[Cell.ClockSteps] = block.cell(Cell.ClockSteps) + 1;
    const message = `the wall clock was set by ${(stepMs / 1000).toFixed(1)} s; times of this run go by the clock at its start`;
    logFrom(this.start, 'warn', message, { code: 'CLOCK_STEPPED', offsetMs: Math.round(offsetUs / 1000) });
  }

  private countKernel(source: PacketSource): void {
    const { cells } = this.block;
    const statistics = source.statistics();
    cells[Cell.KernelPackets] = this.kernelPacketsBefore + statistics.kernelPackets;
    cells[Cell.KernelDropped] = this.kernelDroppedBefore + statistics.kernelDropped;
    cells[Cell.InputBytesRead] = statistics.inputBytesRead;
    cells[Cell.InputBytesTotal] = statistics.inputBytesTotal;
  }
}
