import { AppError } from '../errors.js';
import { type CaptureControl, type CaptureEnd, type CaptureStart, done, type Outcome } from '../messages.js';
import { Doorbell } from '../ring/doorbell.js';
import { InterfaceTable } from '../ring/interface-table.js';
import { Command, ThreadState } from '../ring/layout.js';
import { RingProducer } from '../ring/ring.js';
import { Cell, ThreadBlock } from '../ring/thread-block.js';
import { createSource } from './create-source.js';
import { FrameWriter } from './frame-writer.js';
import { type PacketSource, Step } from './source.js';

/** How long a live source may wait for frames before heartbeat and command are looked at. Each look costs an idle machine. */
const WAIT_MS = 250;
/** How long the kernel may take to hand over its last block. */
const DRAIN_WAIT_MS = 100;
/** Steps between two turns of the event loop, on which control calls and streams depend. */
const STEPS_PER_TURN = 16;

const turnOfEventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Everything that the capture does, in whichever thread it runs: `cap` works in the main thread only. */
export class Capture implements CaptureControl {
  private readonly block: ThreadBlock;
  private readonly writer: FrameWriter;
  private source: PacketSource | null = null;
  /** Counts of the kernel before this source was opened: a replaced source starts at 0 again. */
  private readonly kernelPacketsBefore: number;
  private readonly kernelDroppedBefore: number;

  constructor(private readonly start: CaptureStart) {
    const { memory } = start;
    this.block = new ThreadBlock(memory.capture);
    const rings = memory.frameRings.map((ring, index) => {
      return new RingProducer(ring, new Doorbell(memory.parse[index] as SharedArrayBuffer));
    });
    this.writer = new FrameWriter(rings, this.block, start.session.mode === 'live');
    this.kernelPacketsBefore = this.block.cell(Cell.KernelPackets);
    this.kernelDroppedBefore = this.block.cell(Cell.KernelDropped);
  }

  async open(): Promise<Outcome> {
    try {
      const source = await createSource(this.start.source, this.start.config);
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
      failure = AppError.from(error);
    }
    this.writer.flush();
    this.countKernel(source);
    source.close();
    this.block.state = ThreadState.Ended;
    return { ok: true, value: { error: failure ? failure.toData() : null } };
  }

  private async runSource(source: PacketSource): Promise<void> {
    for (let steps = 1; this.block.command === Command.Run; steps++) {
      this.block.beat();
      const stepping = source.step(WAIT_MS);
      const step = typeof stepping === 'number' ? stepping : await stepping;
      this.writer.flush();
      this.countKernel(source);
      if (step === Step.End) return;
      if (step === Step.Idle || steps % STEPS_PER_TURN === 0) await turnOfEventLoop();
    }
    if (source.stopIntake) await this.drainKernel(source);
  }

  /** Takes what the kernel has counted and not handed over, so that its count and ours agree at the end. */
  private async drainKernel(source: PacketSource): Promise<void> {
    source.stopIntake?.();
    while ((await source.step(DRAIN_WAIT_MS)) === Step.More) this.block.beat();
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
