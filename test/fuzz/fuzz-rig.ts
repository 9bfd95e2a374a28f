import { FrameWriter } from '../../src/capture/frame-writer.js';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { allocateMemory } from '../../src/memory.js';
import type { ParseStart, PipelineMemory } from '../../src/messages.js';
import { finalReason, ParseWorker } from '../../src/parse/worker.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { ledgerDifference, readLedger } from '../../src/ring/ledger.js';
import { ResumeAt, RingConsumer, RingProducer } from '../../src/ring/ring.js';
import { Cell, ThreadBlock } from '../../src/ring/thread-block.js';
import { viewOf } from '../helpers/frame-bytes.js';
import type { FuzzFrame } from './conversations.js';
import { type RecordSums, recordProblem } from './record-check.js';

/**
 * Rings of a size at which nothing ever waits, as there is nobody to wait for: the flow ring holds every flow of the table with all
 * its details, and every DNS transaction that may be open.
 */
const RINGS: OptionValues = { 'ring.frame-bytes': 1_048_576, 'ring.flow-bytes': 16_777_216 };

/** A port at whose other end nobody is; the worker itself has nothing to tell. */
const EVENTS = new MessageChannel().port1 as unknown as ParseStart['events'];

/** The real parse worker between real rings, in one thread, with everything looked at that comes out. */
export class FuzzRig {
  readonly sums: RecordSums = { packets: 0, ipBytes: 0, wireBytes: 0, flows: 0, dns: 0, devices: 0, flowsWithDetails: 0 };
  private readonly memory: PipelineMemory;
  private readonly capture: ThreadBlock;
  private readonly parse: ThreadBlock;
  private readonly frames: FrameWriter;
  private readonly records: RingConsumer;
  private readonly worker: ParseWorker;

  /** `flowsMax` flows in the table, and other options by name. */
  constructor(flowsMax: number, options: OptionValues) {
    const config = resolveConfig({ ...RINGS, 'flow.active-max': flowsMax, ...options });
    this.memory = allocateMemory(config, 1);
    const { frameRings, flowRings, parse, capture } = this.memory;
    this.capture = new ThreadBlock(capture);
    this.parse = new ThreadBlock(parse[0] as SharedArrayBuffer);
    const ring = new RingProducer(frameRings[0] as SharedArrayBuffer, new Doorbell(this.parse.memory));
    this.frames = new FrameWriter([ring], this.capture, true);
    this.records = new RingConsumer(flowRings[0] as SharedArrayBuffer, ResumeAt.Released);
    this.worker = new ParseWorker({
      config,
      memory: this.memory,
      session: { key: 'fuzz', mode: 'replay', source: 'fuzz', startedUs: 0, startedMonotonicMs: 0 },
      cpu: null,
      events: EVENTS,
      index: 0,
      hashSeed: 2 ** 40 + 12_345,
    });
  }

  /** Hands over one frame, seen at `us`, lets the worker take it, and returns what went wrong, or null. */
  feed({ bytes, linkType, wireBytes }: FuzzFrame, us: number): string | null {
    return this.guarded(() => {
      this.frames.frame(viewOf(bytes), 0, bytes.length, wireBytes, Math.floor(us / 1e6), (us % 1e6) * 1000, 0, linkType);
      this.frames.flush();
      this.worker.step(us);
    });
  }

  /** Ends the run: every flow is written. Returns what went wrong, or null. */
  finish(): string | null {
    const problem = this.guarded(() => this.worker.finish(finalReason('replay')));
    if (problem !== null) return problem;
    const { inFlows, ipBytes, wireBytes } = readLedger(this.memory);
    const { sums } = this;
    const isEqual = sums.packets === inFlows && sums.ipBytes === ipBytes && sums.wireBytes === wireBytes;
    return isEqual
      ? null
      : `${sums.packets} packets, ${sums.ipBytes} and ${sums.wireBytes} bytes in records; the ledger has ${inFlows}, ${ipBytes}, ${wireBytes}`;
  }

  /** Drops by reason so far. */
  get dropped(): Readonly<Record<string, number>> {
    return readLedger(this.memory).dropped;
  }

  private guarded(work: () => void): string | null {
    try {
      work();
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    return this.checkRecords() ?? this.checkLedger();
  }

  private checkRecords(): string | null {
    const { records } = this;
    for (let payload = records.peek(); payload >= 0; payload = records.peek()) {
      const problem = recordProblem(records, payload, this.sums);
      if (problem !== null) return problem;
      records.advance();
    }
    records.release();
    return null;
  }

  private checkLedger(): string | null {
    if (this.parse.cell(Cell.FramesTaken) !== this.capture.cell(Cell.FramesReceived))
      return 'a frame that the worker did not take';
    const difference = ledgerDifference(readLedger(this.memory));
    return difference === 0 ? null : `${difference} packets that are in no counter`;
  }
}
