import assert from 'node:assert/strict';
import { Record, RecordKind, Ring, Slot } from '../ring/layout.js';
import { Device, Dns } from '../ring/name-records.js';
import { ResumeAt, RingConsumer, ringCapacityBytes } from '../ring/ring.js';

/** Parts of half a ring: so full is nearly full, and so much is kept when the oldest records give way. */
const NEARLY_FULL = 1.75;
const KEPT = 1.5;
/** What a flow record without details takes. */
const RECORD_BYTES = Record.HeaderBytes + Slot.RecordBytes;
/** On a card, each record of a batch may have to wait for pages that are read from it. */
const RECORDS_PER_BEAT_MASK = 255;
/** No record is under the cursor. */
const EMPTY = Number.POSITIVE_INFINITY;

/** The memory of one ring, seen as 32-bit words, as 64-bit words, and as bytes. */
export interface RecordMemory {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Buffer;
}

/** Takes the records of the rings, one call for each: its payload starts at byte offset `payload` of `memory`. */
export interface RingSink {
  flow(memory: RecordMemory, payload: number): void;
  dns(memory: RecordMemory, payload: number): void;
  device(memory: RecordMemory, payload: number): void;
  /** Whether it takes no more: the batch ends. */
  readonly isFull: boolean;
}

/** One parse worker's ring, as the writer reads it. */
class FlowRing implements RecordMemory {
  readonly consumer: RingConsumer;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Buffer;
  private readonly halfBytes: number;
  /** Time of emission of the record under the cursor, or `EMPTY`. */
  headUs = EMPTY;
  private kind: RecordKind = RecordKind.Padding;
  /** Byte offset of that record. */
  private payload = -1;

  constructor(memory: SharedArrayBuffer) {
    this.consumer = new RingConsumer(memory, ResumeAt.Released);
    this.words = this.consumer.words;
    this.doubles = new Float64Array(memory);
    this.bytes = Buffer.from(memory);
    this.halfBytes = ringCapacityBytes(memory) / 2;
  }

  /** 0 only when no record waits: padding is published together with the record behind it. */
  get waitingBytes(): number {
    return (Atomics.load(this.words, Ring.Produced) - this.consumer.position) | 0;
  }

  get isHalfFull(): boolean {
    return this.waitingBytes >= this.halfBytes;
  }

  get fill(): number {
    return this.waitingBytes / (2 * this.halfBytes);
  }

  look(): void {
    this.payload = this.consumer.peek();
    if (this.payload < 0) {
      this.headUs = EMPTY;
      return;
    }
    this.kind = this.consumer.kindAt(this.payload);
    this.headUs = this.doubles[(this.payload >> 3) + emittedUsOf(this.kind)] as number;
  }

  get isNearlyFull(): boolean {
    return this.waitingBytes >= this.halfBytes * NEARLY_FULL;
  }

  /** Drops the oldest records; nothing has been taken since the last release. They stay until `release`. */
  drop(lost: LostRecords): void {
    const isProducerWaiting = Atomics.load(this.words, Ring.ProducerWaiting) === 1;
    // A producer that waits is woken when half of the ring is free.
    const keptBytes = isProducerWaiting ? this.halfBytes : this.halfBytes * KEPT;
    for (this.look(); this.headUs !== EMPTY && this.waitingBytes > keptBytes; this.look()) {
      if (this.kind === RecordKind.Flow) addLost(lost, this.doubles, this.payload >> 3);
      else lost.names++;
      this.consumer.advance();
    }
    this.headUs = EMPTY;
  }

  /** Hands the record under the cursor to `sink` and goes on to the next one. */
  take(sink: RingSink): void {
    if (this.kind === RecordKind.Flow) sink.flow(this, this.payload);
    else if (this.kind === RecordKind.Dns) sink.dns(this, this.payload);
    else sink.device(this, this.payload);
    this.consumer.advance();
    this.look();
  }
}

/** 64-bit word of a record at which its time of emission stands. */
function emittedUsOf(kind: RecordKind): number {
  switch (kind) {
    case RecordKind.Flow:
      return Slot.EmittedUsF64;
    case RecordKind.Dns:
      return Dns.EmittedUsF64;
    case RecordKind.Device:
      return Device.EmittedUsF64;
    default:
      assert.fail(`flow ring: record of kind ${kind}`);
  }
}

/** What was dropped from the rings unwritten. */
export interface LostRecords {
  flows: number;
  packets: number;
  ipBytes: number;
  wireBytes: number;
  /** Records of other kinds. */
  names: number;
}

/** The rings of all parse workers, read as one: the record that was emitted first comes first. */
export class FlowRings {
  private readonly rings: readonly FlowRing[];

  constructor(memories: readonly SharedArrayBuffer[]) {
    this.rings = memories.map((memory) => new FlowRing(memory));
  }

  /** Whether every published record has been taken. */
  get isEmpty(): boolean {
    return this.rings.every((ring) => ring.waitingBytes === 0);
  }

  /**
   * About how many records are published and not yet taken: as if all were flows without details. Those with details are longer
   * and most others shorter. 0 only when there are none.
   */
  get recordsWaiting(): number {
    let records = 0;
    for (const ring of this.rings) records += Math.ceil(ring.waitingBytes / RECORD_BYTES);
    return records;
  }

  /** Whether a worker will soon have to wait. */
  get isHalfFull(): boolean {
    return this.rings.some((ring) => ring.isHalfFull);
  }

  /** Whether a worker has to wait, or soon will. */
  get isNearlyFull(): boolean {
    return this.rings.some((ring) => ring.isNearlyFull);
  }

  /** Drops the oldest records of the rings that are nearly full, until there is room again, and tells what they were. */
  dropOldest(): LostRecords {
    const lost: LostRecords = { flows: 0, packets: 0, ipBytes: 0, wireBytes: 0, names: 0 };
    for (const ring of this.rings) if (ring.isNearlyFull) ring.drop(lost);
    return lost;
  }

  /** How full the fullest ring is, 0 to 1. */
  get fill(): number {
    let fill = 0;
    for (const ring of this.rings) fill = Math.max(fill, ring.fill);
    return fill;
  }

  /** Where each ring has been read to. */
  get positions(): number[] {
    return this.rings.map((ring) => ring.consumer.position);
  }

  /**
   * Hands at most `recordsMax` records to `sink` and returns their number. They stay in the rings until `release`. `beat` is called
   * every few hundred records.
   */
  take(recordsMax: number, sink: RingSink, beat: () => void): number {
    for (const ring of this.rings) ring.look();
    for (let records = 0; records < recordsMax; records++) {
      if ((records & RECORDS_PER_BEAT_MASK) === RECORDS_PER_BEAT_MASK) beat();
      let first = this.rings[0] as FlowRing;
      for (let index = 1; index < this.rings.length; index++) {
        const ring = this.rings[index] as FlowRing;
        if (ring.headUs < first.headUs) first = ring;
      }
      if (first.headUs === EMPTY || sink.isFull) return records;
      first.take(sink);
    }
    return recordsMax;
  }

  /** What was taken is lasting: gives the space back. */
  release(): void {
    for (const ring of this.rings) ring.consumer.release();
  }

  /** What was taken is not lasting: it will be taken again. */
  rewind(): void {
    for (const ring of this.rings) ring.consumer.rewind();
  }

  /** Goes on behind what the database holds; `positions` has one entry per ring. */
  skipTo(positions: readonly number[]): void {
    assert.equal(positions.length, this.rings.length, 'stored ring positions: other number of rings');
    for (const [index, ring] of this.rings.entries()) ring.consumer.skipTo(positions[index] as number);
  }
}

function addLost(lost: LostRecords, doubles: Float64Array, double: number): void {
  const sum = (field: number): number => (doubles[double + field] as number) + (doubles[double + field + 1] as number);
  lost.flows++;
  lost.packets += sum(Slot.Packets0F64);
  lost.ipBytes += sum(Slot.IpBytes0F64);
  lost.wireBytes += sum(Slot.WireBytes0F64);
}
