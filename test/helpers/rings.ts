import { Doorbell } from '../../src/ring/doorbell.js';
import { RecordKind, Ring } from '../../src/ring/layout.js';
import { createRing, ResumeAt, RingConsumer, RingProducer } from '../../src/ring/ring.js';
import { createThreadBlock } from '../../src/ring/thread-block.js';

/** Allocates a ring whose positions are at `position`, a multiple of 8, as if so many bytes had gone through it. */
export function createRingAt(capacityBytes: number, position: number): SharedArrayBuffer {
  const memory = createRing(capacityBytes);
  const words = new Int32Array(memory);
  words[Ring.Produced] = position;
  words[Ring.Consumed] = position;
  words[Ring.Cursor] = position;
  words[Ring.Committed] = position;
  return memory;
}

/** Both ends of a ring in one thread. */
export class RingPair {
  readonly memory: SharedArrayBuffer;
  /** Thread block of the consumer, which the producer's doorbell rings. */
  readonly block = createThreadBlock();
  readonly doorbell = new Doorbell(this.block);
  producer: RingProducer;
  consumer: RingConsumer;

  constructor(capacityBytes: number, position = 0, resumeAt = ResumeAt.Cursor) {
    this.memory = createRingAt(capacityBytes, position);
    this.producer = new RingProducer(this.memory, this.doorbell);
    this.consumer = new RingConsumer(this.memory, resumeAt);
  }

  /** Pushes `payloadBytes` bytes that follow from `seed`; false when the ring is full. */
  push(payloadBytes: number, seed: number, kind = RecordKind.Frame): boolean {
    const offset = this.producer.tryPush(kind, payloadBytes);
    if (offset < 0) return false;
    payloadBytesOf(this.producer.view, offset, payloadBytes).set(pattern(payloadBytes, seed));
    return true;
  }

  /** Payload under the cursor, as far as `payloadBytes` bytes, or null when nothing is there. */
  peek(payloadBytes: number): Uint8Array | null {
    const offset = this.consumer.peek();
    return offset < 0 ? null : payloadBytesOf(this.consumer.view, offset, payloadBytes).slice();
  }

  /** Takes the record under the cursor. */
  take(payloadBytes: number): Uint8Array | null {
    const payload = this.peek(payloadBytes);
    if (payload) this.consumer.advance();
    return payload;
  }

  /** Lets another consumer go on where this one is, as after the death of its thread. */
  replaceConsumer(resumeAt: ResumeAt): void {
    this.consumer = new RingConsumer(this.memory, resumeAt);
  }

  /** The same for the producer. */
  replaceProducer(): void {
    this.producer = new RingProducer(this.memory, this.doorbell);
  }
}

function payloadBytesOf(view: DataView, offset: number, payloadBytes: number): Uint8Array {
  return new Uint8Array(view.buffer, offset, payloadBytes);
}

/** `payloadBytes` bytes that differ from one seed to the next and from one byte to the next. */
export function pattern(payloadBytes: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(payloadBytes);
  for (let index = 0; index < payloadBytes; index++) bytes[index] = seed * 31 + index * 7;
  return bytes;
}

/** Whether `bytes` is `pattern(payloadBytes, seed)`; much faster than `toEqual`. */
export function isPattern(bytes: Uint8Array | null, payloadBytes: number, seed: number): boolean {
  return bytes !== null && Buffer.compare(bytes, pattern(payloadBytes, seed)) === 0;
}
