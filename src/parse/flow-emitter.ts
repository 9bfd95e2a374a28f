import { detailsOffset } from '../ring/flow-slots.js';
import { RecordKind, Slot, Table } from '../ring/layout.js';
import type { RingProducer } from '../ring/ring.js';
import { Cell, type ThreadBlock } from '../ring/thread-block.js';
import type { RecordSink } from './app/record-sink.js';

/** How long one wait for the writer lasts before the heartbeat is renewed. */
const WAIT_MS = 100;

/**
 * Hands records to the writer. A full ring makes the worker wait, however long: nothing is lost here; the loss, if there is one,
 * is counted at the capture. The writer is woken when `wakeBytes` wait for it; it looks by itself from time to time.
 */
export class FlowEmitter implements RecordSink {
  private readonly words: Int32Array;
  private readonly floats: Float64Array;
  private readonly slotCount: number;
  private readonly ringFloats: Float64Array;

  /** `table` is the flow table's memory, `block` the worker's. */
  constructor(
    private readonly ring: RingProducer,
    private readonly wakeBytes: number,
    table: SharedArrayBuffer,
    private readonly block: ThreadBlock,
  ) {
    this.words = new Int32Array(table);
    this.floats = new Float64Array(table);
    this.slotCount = this.words[Table.SlotCount] as number;
    this.ringFloats = new Float64Array(ring.words.buffer);
  }

  /** Ring position at which the next record starts; grows only when a record is published. */
  get position(): number {
    return this.ring.position;
  }

  /** Publishes a flow: its slot and its details. Allocates nothing. */
  emitFlow(slot: number): void {
    const { words } = this;
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    const detailWords = ((words[word + Slot.DetailBytes] as number) + 3) >> 2;
    const payload = this.push(RecordKind.Flow, Slot.RecordBytes + detailWords * 4);
    const target = this.ring.words;
    const start = payload >> 2;
    for (let i = 0; i < Slot.RecordBytes >> 2; i++) target[start + i] = words[word + i] as number;
    if (detailWords > 0) {
      const details = detailsOffset(this.slotCount, slot) >> 2;
      const behind = start + (Slot.RecordBytes >> 2);
      for (let i = 0; i < detailWords; i++) target[behind + i] = words[details + i] as number;
    }
    this.publish();
  }

  emit(kind: RecordKind, words: Int32Array, bytes: number): void {
    const payload = this.push(kind, bytes);
    const start = payload >> 2;
    const count = (bytes + 3) >> 2;
    for (let i = 2; i < count; i++) this.ring.words[start + i] = words[i] as number;
    this.ringFloats[payload >> 3] = this.floats[Table.ClockF64] as number;
    this.publish();
  }

  private push(kind: RecordKind, bytes: number): number {
    let payload = this.ring.tryPush(kind, bytes);
    while (payload < 0) {
      const { cells } = this.block;
      cells[Cell.WriterRingFull] = (cells[Cell.WriterRingFull] as number) + 1;
      this.block.beat();
      this.ring.publish();
      this.ring.waitForSpace(WAIT_MS);
      payload = this.ring.tryPush(kind, bytes);
    }
    return payload;
  }

  private publish(): void {
    if (this.ring.usedBytes >= this.wakeBytes) this.ring.publish();
    else this.ring.publishQuietly();
  }
}
