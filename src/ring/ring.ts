import type { Doorbell } from './doorbell.js';
import { LAYOUT_VERSION, Record, RecordKind, Ring } from './layout.js';

/** Smallest and largest capacity of a ring. Positions are 32-bit and count modulo 2^32, so 2^30 leaves room to compare. */
export const RING_BYTES_MIN = 4096;
export const RING_BYTES_MAX = 2 ** 30;

const VIEW_MISMATCH = 'ring: not a ring of this layout version';

/** Allocates a ring of `capacityBytes`, a power of two within the limits above; throws `RangeError` otherwise. */
export function createRing(capacityBytes: number): SharedArrayBuffer {
  const isPowerOfTwo = Number.isInteger(capacityBytes) && 2 ** Math.round(Math.log2(capacityBytes)) === capacityBytes;
  if (!isPowerOfTwo || capacityBytes < RING_BYTES_MIN || capacityBytes > RING_BYTES_MAX)
    throw new RangeError(`ring: capacity ${capacityBytes} is no power of two from ${RING_BYTES_MIN} to ${RING_BYTES_MAX}`);
  const memory = new SharedArrayBuffer(Ring.DataBytes + capacityBytes);
  const words = new Int32Array(memory);
  words[Ring.Version] = LAYOUT_VERSION;
  words[Ring.CapacityBytes] = capacityBytes;
  return memory;
}

/** How many bytes of the ring are in use, headers and padding included; another thread's answer may be one batch old. */
export function ringUsedBytes(memory: SharedArrayBuffer): number {
  const words = new Int32Array(memory);
  // The consumer's end first: it can only be overtaken by the producer's, so the difference is never negative.
  const consumed = Atomics.load(words, Ring.Consumed);
  return (Atomics.load(words, Ring.Produced) - consumed) | 0;
}

/** Records that the producer has dropped since the ring was full, modulo 2^32. */
export function ringRefusedCount(memory: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(memory), Ring.Refused) >>> 0;
}

/** The ring's capacity in bytes. */
export function ringCapacityBytes(memory: SharedArrayBuffer): number {
  const words = new Int32Array(memory);
  if (words[Ring.Version] !== LAYOUT_VERSION) throw new Error(VIEW_MISMATCH);
  return words[Ring.CapacityBytes] as number;
}

/**
 * The writing end of a single-producer single-consumer ring of variable-length records.
 *
 * `tryPush` reserves a record, the caller writes its payload, and `publish` makes all of them visible. A record is never split. Nothing here allocates, apart from the constructor.
 */
export class RingProducer {
  readonly words: Int32Array;
  /** Byte offset of the ring's data in the buffer is included in what `tryPush` returns. */
  readonly view: DataView;
  private readonly capacityBytes: number;
  private readonly mask: number;
  /** Next position to write; runs ahead of the published one. */
  private head: number;
  private published: number;
  /** Last seen consumer position: refreshed only when the ring looks full, so that a push reads no foreign cache line. */
  private consumedSeen: number;
  private recordCount = 0;
  /** The note that holds; the next count goes into the other one. */
  private note = Ring.CountNote0;

  /** Goes on at the published position: of a predecessor's, what it had not published is lost, unless `recover` is called next. */
  constructor(
    memory: SharedArrayBuffer,
    private readonly doorbell: Doorbell,
  ) {
    this.capacityBytes = ringCapacityBytes(memory);
    this.words = new Int32Array(memory);
    this.view = new DataView(memory);
    this.mask = this.capacityBytes - 1;
    this.head = Atomics.load(this.words, Ring.Produced);
    this.published = this.head;
    this.consumedSeen = Atomics.load(this.words, Ring.Consumed);
    if (this.words[Ring.CountNote1] === this.head) this.note = Ring.CountNote1;
    if (this.words[this.note] === this.head) this.recordCount = this.words[this.note + 1] as number;
  }

  /** Position at which the next record will start, unless padding comes first. */
  get position(): number {
    return this.head;
  }

  /** The largest payload that a push can ever take: half of the ring, since padding may need the other half. */
  get payloadBytesMax(): number {
    return this.capacityBytes / 2 - Record.HeaderBytes;
  }

  /**
   * Reserves a record and returns the byte offset of its payload in the buffer (a multiple of 8), or -1 when the ring is
   * full: an answer, not an error. `payloadBytes` must be from 0 to `payloadBytesMax`; the caller guarantees it.
   */
  tryPush(kind: RecordKind, payloadBytes: number): number {
    const lengthBytes = (Record.HeaderBytes + payloadBytes + 7) & -8;
    const offset = this.head & this.mask;
    const toEndBytes = this.capacityBytes - offset;
    const neededBytes = lengthBytes <= toEndBytes ? lengthBytes : toEndBytes + lengthBytes;
    if (((this.head - this.consumedSeen) | 0) + neededBytes > this.capacityBytes) {
      this.consumedSeen = Atomics.load(this.words, Ring.Consumed);
      if (((this.head - this.consumedSeen) | 0) + neededBytes > this.capacityBytes) return -1;
    }
    let word = (Ring.DataBytes + offset) >> 2;
    if (neededBytes !== lengthBytes) {
      this.words[word + Record.LengthBytes] = toEndBytes;
      this.words[word + Record.Kind] = RecordKind.Padding;
      word = Ring.DataBytes >> 2;
    }
    this.words[word + Record.LengthBytes] = lengthBytes;
    this.words[word + Record.Kind] = kind;
    this.head = (this.head + neededBytes) | 0;
    return (word << 2) + Record.HeaderBytes;
  }

  /** Counts a record that is dropped since the ring is full. */
  countRefused(): void {
    this.words[Ring.Refused] = ((this.words[Ring.Refused] as number) + 1) | 0;
  }

  /** Notes that the last record is written: a successor finds it with `recover`, published or not. */
  commit(): void {
    this.words[Ring.Committed] = this.head;
  }

  /** Goes on behind what a predecessor had committed and not published, and publishes that. Before the first push. */
  recover(): void {
    const committed = this.words[Ring.Committed] as number;
    let records = 0;
    while (((committed - this.head) | 0) > 0) {
      const word = (Ring.DataBytes + (this.head & this.mask)) >> 2;
      if (this.words[word + Record.Kind] !== RecordKind.Padding) records++;
      this.head = (this.head + (this.words[word + Record.LengthBytes] as number)) | 0;
    }
    this.publishCounted(records);
  }

  /** Bytes pushed and not yet published. */
  get unpublishedBytes(): number {
    return (this.head - this.published) | 0;
  }

  /** Bytes in use, as far as this end knows: the consumer may have released more since it was last asked. */
  get usedBytes(): number {
    return (this.head - this.consumedSeen) | 0;
  }

  /** Makes every pushed record visible to the consumer and wakes it if it sleeps. Two atomic operations. */
  publish(): void {
    this.publishQuietly();
    this.doorbell.ring();
  }

  /**
   * As `publish`, of `count` records. The count is noted together with the position, so that a successor knows exactly how many
   * records its predecessor has published, at whatever point that was ended.
   */
  publishCounted(count: number): void {
    if (this.head === this.published) return;
    this.recordCount = (this.recordCount + count) | 0;
    this.note = this.note === Ring.CountNote0 ? Ring.CountNote1 : Ring.CountNote0;
    this.words[this.note] = this.head;
    this.words[this.note + 1] = this.recordCount;
    this.publish();
  }

  /** Records published with `publishCounted` by this producer and its predecessors, modulo 2^32. */
  get publishedCount(): number {
    return this.recordCount;
  }

  /** Makes every pushed record visible and lets the consumer sleep on, if it sleeps with a timeout. */
  publishQuietly(): void {
    if (this.head === this.published) return;
    this.published = this.head;
    Atomics.store(this.words, Ring.Produced, this.head);
  }

  /**
   * Blocks until the consumer has released something since the last failed `tryPush`, at most `timeoutMs`. Publish first,
   * or the consumer may have nothing to release. May return early; call `tryPush` again.
   */
  waitForSpace(timeoutMs: number): void {
    Atomics.store(this.words, Ring.ProducerWaiting, 1);
    Atomics.wait(this.words, Ring.Consumed, this.consumedSeen, timeoutMs);
    Atomics.store(this.words, Ring.ProducerWaiting, 0);
  }
}

/** Where a consumer that takes over from another goes on. */
export const enum ResumeAt {
  /** At the record that the predecessor had in hand: for consumers whose effects are lasting record by record. */
  Cursor = 0,
  /** Behind the last released record: for consumers whose effects are lasting only at `release`. */
  Released = 1,
}

/**
 * The reading end. `peek` shows the record under the cursor, `advance` moves the cursor behind it, `release` gives
 * everything before the cursor back to the producer. Nothing here allocates, apart from the constructor.
 */
export class RingConsumer {
  readonly words: Int32Array;
  readonly view: DataView;
  private readonly mask: number;
  private cursor: number;
  private released: number;
  private producedSeen: number;

  constructor(memory: SharedArrayBuffer, resumeAt: ResumeAt) {
    const capacityBytes = ringCapacityBytes(memory);
    this.words = new Int32Array(memory);
    this.view = new DataView(memory);
    this.mask = capacityBytes - 1;
    this.released = Atomics.load(this.words, Ring.Consumed);
    this.cursor = resumeAt === ResumeAt.Cursor ? Atomics.load(this.words, Ring.Cursor) : this.released;
    this.producedSeen = this.cursor;
  }

  /** Position of the record under the cursor. */
  get position(): number {
    return this.cursor;
  }

  /** Bytes read and not yet released. */
  get unreleasedBytes(): number {
    return (this.cursor - this.released) | 0;
  }

  /**
   * Byte offset in the buffer of the payload under the cursor, or -1 when nothing more is published. The answer is fresh:
   * the producer's position is read again whenever the known records are used up.
   */
  peek(): number {
    for (;;) {
      if (this.cursor === this.producedSeen) {
        this.producedSeen = Atomics.load(this.words, Ring.Produced);
        if (this.cursor === this.producedSeen) return -1;
      }
      const word = (Ring.DataBytes + (this.cursor & this.mask)) >> 2;
      if (this.words[word + Record.Kind] !== RecordKind.Padding) return (word << 2) + Record.HeaderBytes;
      this.cursor = (this.cursor + (this.words[word + Record.LengthBytes] as number)) | 0;
      // A release may follow before the next `advance`: a successor must not start in space that is given back.
      this.words[Ring.Cursor] = this.cursor;
    }
  }

  /** Kind of the record whose payload is at `payloadOffset`. */
  kindAt(payloadOffset: number): number {
    return this.words[((payloadOffset - Record.HeaderBytes) >> 2) + Record.Kind] as number;
  }

  /** Moves the cursor behind the record that `peek` showed. A successor starts here (`ResumeAt.Cursor`). */
  advance(): void {
    const word = (Ring.DataBytes + (this.cursor & this.mask)) >> 2;
    this.cursor = (this.cursor + (this.words[word + Record.LengthBytes] as number)) | 0;
    this.words[Ring.Cursor] = this.cursor;
  }

  /** Moves the cursor back behind the last released record: what was read since is read again. */
  rewind(): void {
    this.cursor = this.released;
    this.producedSeen = this.cursor;
    this.words[Ring.Cursor] = this.cursor;
  }

  /** Moves on to `position`, which a predecessor had made lasting, and releases everything before it. */
  skipTo(position: number): void {
    this.cursor = position;
    this.producedSeen = position;
    this.words[Ring.Cursor] = position;
    this.release();
  }

  /**
   * Gives all that was read back to the producer. A producer that waits for space is woken when half of the ring is free, so
   * that it does not wake for a few records, fill them and sleep again. The ring runs empty if nothing more comes, so the wake-up
   * always does.
   */
  release(): void {
    if (this.cursor === this.released) return;
    this.released = this.cursor;
    Atomics.store(this.words, Ring.Consumed, this.cursor);
    if (Atomics.load(this.words, Ring.ProducerWaiting) === 0) return;
    const usedBytes = (Atomics.load(this.words, Ring.Produced) - this.cursor) | 0;
    if (usedBytes <= (this.mask + 1) >> 1) Atomics.notify(this.words, Ring.Consumed);
  }
}
