import { join } from 'node:path';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { allocateMemory } from '../../src/memory.js';
import type { PipelineMemory, Session } from '../../src/messages.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { InterfaceTable } from '../../src/ring/interface-table.js';
import { RecordKind, Slot } from '../../src/ring/layout.js';
import { RingProducer } from '../../src/ring/ring.js';
import { Cell, ThreadBlock } from '../../src/ring/thread-block.js';
import { IoMeter } from '../../src/store/budget/io-meter.js';
import { Writer } from '../../src/store/writer.js';
import { HOUSEHOLD_RECORD_BYTES_MAX, Household, type RecordTarget } from './household.js';

const LINKTYPE_ETHERNET = 1;
/** One DNS transaction for so many flows. */
const FLOWS_PER_DNS = 4;
const FLOWS_PER_SIGHTING = 50;
const DEVICES = 30;

/** What a rig is made with. */
export interface RigSetup {
  readonly directory: string;
  readonly options?: OptionValues;
  readonly startMs: number;
  /** `live` goes by the write budget. */
  readonly mode: Session['mode'];
  /** Other records than those of flows as well. */
  readonly isMixed?: boolean;
}

/** A writer on a database of its own, and somebody who emits what a household would; the clock is the caller's. */
export class StoreRig {
  readonly path: string;
  readonly memory: PipelineMemory;
  private readonly writer: Writer;
  /** Flows emitted. */
  flows = 0;
  /** DNS transactions emitted; each is a row as well. */
  transactions = 0;
  /** Time that the writer took, without that of making records up, ms. */
  writerMs = 0;
  private readonly meter: IoMeter;
  private readonly bytesBefore: number | null;
  private readonly producer: RingProducer;
  private readonly ring: RecordTarget;
  private readonly scratch: RecordTarget;
  private readonly household = new Household();
  private readonly parse: ThreadBlock;
  private readonly capture: ThreadBlock;
  private readonly isMixed: boolean;
  private readonly failures: string[] = [];

  constructor({ directory, options = {}, startMs, mode, isMixed = true }: RigSetup) {
    this.path = join(directory, 'flowberry.db');
    const config = resolveConfig({ 'ring.flow-bytes': 8_388_608, 'store.profile': 'sd', 'db.path': this.path, ...options });
    this.memory = allocateMemory(config, 1);
    new InterfaceTable(this.memory.interfaces).indexOf('bench0', LINKTYPE_ETHERNET);
    const session: Session = { key: '0000000000000001', mode, source: 'bench', startedUs: startMs * 1000, startedMonotonicMs: 0 };
    this.writer = Writer.open(
      { config, memory: this.memory, session },
      (level, message) => level === 'error' && this.failures.push(message),
      startMs,
    );
    this.meter = new IoMeter(this.path);
    this.bytesBefore = this.meter.processBytes();
    const ring = this.memory.flowRings[0] as SharedArrayBuffer;
    this.producer = new RingProducer(ring, new Doorbell(this.memory.writer));
    this.ring = viewsOf(ring);
    this.scratch = viewsOf(new ArrayBuffer(HOUSEHOLD_RECORD_BYTES_MAX));
    this.parse = new ThreadBlock(this.memory.parse[0] as SharedArrayBuffer);
    this.capture = new ThreadBlock(this.memory.capture);
    this.isMixed = isMixed;
  }

  /** Emits a flow, now and then with a DNS transaction and the sighting of a device; false when the ring is full. */
  emit(emittedUs: number): boolean {
    const { household, scratch } = this;
    if (this.isMixed && this.flows % FLOWS_PER_DNS === 0) {
      if (this.push(RecordKind.Dns, household.putDns(scratch, 0, emittedUs))) this.transactions++;
    }
    if (this.isMixed && this.flows % FLOWS_PER_SIGHTING === 0)
      this.push(RecordKind.Device, household.putDevice(scratch, 0, emittedUs, (this.flows / FLOWS_PER_SIGHTING) % DEVICES));
    if (!this.push(RecordKind.Flow, household.putFlow(scratch, 0, emittedUs))) return false;
    this.flows++;
    const packets = (scratch.doubles[Slot.Packets0F64] as number) * 2;
    add(this.capture, Cell.FramesReceived, packets);
    add(this.parse, Cell.PacketsInFlows, packets);
    add(this.parse, Cell.FlowsEmitted, 1);
    return true;
  }

  publish(): void {
    this.producer.publish();
  }

  /** One step of the writer. */
  step(nowMs: number, isEnding = false): boolean {
    const startMs = performance.now();
    const hasDone = this.writer.step(nowMs, isEnding);
    this.writerMs += performance.now() - startMs;
    return hasDone;
  }

  /** Writes whatever waits, as a stop does. */
  drain(nowMs: number): void {
    for (let ms = nowMs; this.step(ms, true); ms++);
    if (!this.writer.isEmpty) throw new Error(`bench: the database refused rows: ${this.failures.join('; ')}`);
  }

  /** Ends the session; what is written now is all. */
  close(nowMs: number): void {
    this.drain(nowMs);
    this.writer.close(nowMs);
  }

  /** Bytes that the process has written since the rig was made; null where the kernel does not tell. */
  get bytesWritten(): number | null {
    const bytes = this.meter.processBytes();
    return bytes === null || this.bytesBefore === null ? null : bytes - this.bytesBefore;
  }

  /** Flows that were counted and not written as rows. */
  get flowsShed(): number {
    return new ThreadBlock(this.memory.writer).cell(Cell.FlowsShed);
  }

  private push(kind: RecordKind, length: number): boolean {
    const payload = this.producer.tryPush(kind, length);
    if (payload < 0) return false;
    this.ring.bytes.set(this.scratch.bytes.subarray(0, length), payload);
    return true;
  }
}

function viewsOf(memory: ArrayBuffer | SharedArrayBuffer): RecordTarget {
  return { words: new Int32Array(memory), doubles: new Float64Array(memory), bytes: Buffer.from(memory) };
}

function add(block: ThreadBlock, cell: Cell, by: number): void {
  block.cells[cell] = block.cell(cell) + by;
}
