import assert from 'node:assert/strict';
import { Record, RecordKind, Ring, Slot } from '../ring/layout.js';
import { ResumeAt, RingConsumer, ringCapacityBytes } from '../ring/ring.js';

const RECORD_BYTES = Record.HeaderBytes + Slot.RecordBytes;
/** On a card, each row of a batch may have to wait for pages that are read from it. */
const ROWS_PER_BEAT_MASK = 255;
/** No record is under the cursor. */
const EMPTY = Number.POSITIVE_INFINITY;

/** One parse worker's ring, as the writer reads it. */
class FlowRing {
  readonly consumer: RingConsumer;
  /** The same memory as `consumer.words`, in 64-bit words. */
  readonly doubles: Float64Array;
  private readonly halfBytes: number;
  /** Time of emission of the record under the cursor, or `EMPTY`. */
  headUs = EMPTY;
  /** Byte offset of that record. */
  payload = -1;

  constructor(memory: SharedArrayBuffer) {
    this.consumer = new RingConsumer(memory, ResumeAt.Released);
    this.doubles = new Float64Array(memory);
    this.halfBytes = ringCapacityBytes(memory) / 2;
  }

  get waitingBytes(): number {
    return (Atomics.load(this.consumer.words, Ring.Produced) - this.consumer.position) | 0;
  }

  get isHalfFull(): boolean {
    return this.waitingBytes >= this.halfBytes;
  }

  look(): void {
    this.payload = this.consumer.peek();
    if (this.payload < 0) {
      this.headUs = EMPTY;
      return;
    }
    assert.equal(this.consumer.kindAt(this.payload), RecordKind.Flow, 'flow ring: record of another kind');
    this.headUs = this.doubles[(this.payload >> 3) + Slot.EmittedUsF64] as number;
  }
}

/** Takes one flow record: byte offset `payload` in memory that is seen as 32-bit and as 64-bit words. */
export interface FlowSink {
  add(words: Int32Array, doubles: Float64Array, payload: number): void;
}

/** The rings of all parse workers, read as one: the row that was emitted first comes first. */
export class FlowRings {
  private readonly rings: readonly FlowRing[];

  constructor(memories: readonly SharedArrayBuffer[]) {
    this.rings = memories.map((memory) => new FlowRing(memory));
  }

  /** Rows published and not yet taken; exact but for the padding at a ring's end, which is less than a row. */
  get rowsWaiting(): number {
    let rows = 0;
    for (const ring of this.rings) rows += Math.floor(ring.waitingBytes / RECORD_BYTES);
    return rows;
  }

  /** Whether a worker will soon have to wait. */
  get isHalfFull(): boolean {
    return this.rings.some((ring) => ring.isHalfFull);
  }

  /** Where each ring has been read to. */
  get positions(): number[] {
    return this.rings.map((ring) => ring.consumer.position);
  }

  /**
   * Hands at most `rowsMax` rows to `sink` and returns their number. They stay in the rings until `release`. `beat` is called every
   * few hundred rows.
   */
  take(rowsMax: number, sink: FlowSink, beat: () => void): number {
    for (const ring of this.rings) ring.look();
    for (let rows = 0; rows < rowsMax; rows++) {
      if ((rows & ROWS_PER_BEAT_MASK) === ROWS_PER_BEAT_MASK) beat();
      let first = this.rings[0] as FlowRing;
      for (let index = 1; index < this.rings.length; index++) {
        const ring = this.rings[index] as FlowRing;
        if (ring.headUs < first.headUs) first = ring;
      }
      if (first.headUs === EMPTY) return rows;
      sink.add(first.consumer.words, first.doubles, first.payload);
      first.consumer.advance();
      first.look();
    }
    return rowsMax;
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
