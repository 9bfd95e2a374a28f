import { FrameWriter } from '../../src/capture/frame-writer.js';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { allocateMemory } from '../../src/memory.js';
import type { ParseStart, PipelineMemory } from '../../src/messages.js';
import { finalReason, ParseWorker } from '../../src/parse/worker.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { Frame, Ring, Record as RingRecord } from '../../src/ring/layout.js';
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

/** What lies behind a frame in its ring is filled anew for so many bytes, more than any parser would read by mistake. */
const BYTES_BEHIND = 2048;

/** The real parse worker between real rings, in one thread, with everything looked at that comes out. */
class WorkerRig {
  readonly sums: RecordSums = { packets: 0, ipBytes: 0, wireBytes: 0, flows: 0, dns: 0, devices: 0, flowsWithDetails: 0 };
  /** CPU time of the last packet and of the slowest one. */
  lastMs = 0;
  slowestMs = 0;
  /** Of every word of every record so far. */
  hash = 0;
  private readonly memory: PipelineMemory;
  private readonly frameRing: RingProducer;
  private readonly frameBytes: Uint8Array;
  private readonly capture: ThreadBlock;
  private readonly parse: ThreadBlock;
  private readonly frames: FrameWriter;
  private readonly records: RingConsumer;
  private readonly worker: ParseWorker;

  /** `flowsMax` flows in the table, and other options by name. Behind each frame stands the byte `behind`, again and again. */
  constructor(
    flowsMax: number,
    options: OptionValues,
    private readonly behind: number,
  ) {
    const config = resolveConfig({ ...RINGS, 'flow.active-max': flowsMax, ...options });
    this.memory = allocateMemory(config, 1);
    const { frameRings, flowRings, parse, capture } = this.memory;
    this.capture = new ThreadBlock(capture);
    this.parse = new ThreadBlock(parse[0] as SharedArrayBuffer);
    const ring = frameRings[0] as SharedArrayBuffer;
    this.frameBytes = new Uint8Array(ring, Ring.DataBytes);
    this.frameRing = new RingProducer(ring, new Doorbell(this.parse.memory));
    this.frames = new FrameWriter([this.frameRing], this.capture, true);
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
    const startMs = performance.now();
    const start = process.cpuUsage();
    const problem = this.guarded(() => {
      this.fillBehind(bytes.length);
      this.frames.frame(viewOf(bytes), 0, bytes.length, wireBytes, Math.floor(us / 1e6), (us % 1e6) * 1000, 0, linkType);
      this.frames.flush();
      this.worker.step(us);
    });
    // Neither more than by the clock, as there are other threads, nor more than the CPU did, as there are other programs.
    const { user, system } = process.cpuUsage(start);
    this.lastMs = Math.min((user + system) / 1000, performance.now() - startMs);
    this.slowestMs = Math.max(this.slowestMs, this.lastMs);
    return problem;
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

  /** Whether all counts of the parse worker are those of another one. */
  isCountedAs(other: WorkerRig): boolean {
    const counts = this.parse.cells.subarray(Cell.FramesTaken);
    return counts.every((count, index) => count === other.parse.cells[Cell.FramesTaken + index]);
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
      this.addToHash(payload);
      records.advance();
    }
    records.release();
    return null;
  }

  /** Where the next frame will lie, and behind it. */
  private fillBehind(frameBytes: number): void {
    const { frameRing, frameBytes: ring, behind } = this;
    const start = frameRing.position & (ring.length - 1);
    const end = start + RingRecord.HeaderBytes + Frame.HeaderBytes + frameBytes + BYTES_BEHIND;
    ring.fill(behind, start, end);
    // At the end of the ring, the frame goes to its start.
    if (end > ring.length) ring.fill(behind, 0, Math.min(end - start, start));
  }

  private addToHash(payload: number): void {
    const { words } = this.records;
    const end =
      (payload -
        RingRecord.HeaderBytes +
        (words[((payload - RingRecord.HeaderBytes) >> 2) + RingRecord.LengthBytes] as number)) >>
      2;
    for (let word = payload >> 2; word < end; word++) this.hash = (Math.imul(this.hash, 31) + (words[word] as number)) | 0;
  }

  private checkLedger(): string | null {
    if (this.parse.cell(Cell.FramesTaken) !== this.capture.cell(Cell.FramesReceived))
      return 'a frame that the worker did not take';
    const difference = ledgerDifference(readLedger(this.memory));
    return difference === 0 ? null : `${difference} packets that are in no counter`;
  }
}

/** Two of these side by side, whose frames have other bytes behind them: what comes out must be the same. */
export class FuzzRig {
  private readonly first: WorkerRig;
  private readonly second: WorkerRig;

  /** As for each of the two. */
  constructor(flowsMax: number, options: OptionValues) {
    this.first = new WorkerRig(flowsMax, options, 0x00);
    this.second = new WorkerRig(flowsMax, options, 0xc1);
  }

  /** Hands over one frame, seen at `us`, lets the workers take it, and returns what went wrong, or null. */
  feed(frame: FuzzFrame, us: number): string | null {
    return this.first.feed(frame, us) ?? this.second.feed(frame, us) ?? this.compare();
  }

  /** Ends the run: every flow is written. Returns what went wrong, or null. */
  finish(): string | null {
    return this.first.finish() ?? this.second.finish() ?? this.compare();
  }

  get sums(): Readonly<RecordSums> {
    return this.first.sums;
  }

  /** Drops by reason so far. */
  get dropped(): Readonly<Record<string, number>> {
    return this.first.dropped;
  }

  /** CPU time of the last packet and of the slowest one. */
  get lastMs(): number {
    return this.first.lastMs;
  }

  get slowestMs(): number {
    return this.first.slowestMs;
  }

  private compare(): string | null {
    if (this.first.hash !== this.second.hash) return 'a record that depends on what lies behind a frame';
    return this.first.isCountedAs(this.second) ? null : 'a count that depends on what lies behind a frame';
  }
}
