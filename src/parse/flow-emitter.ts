import { RecordKind, Slot } from '../ring/layout.js';
import type { RingProducer } from '../ring/ring.js';
import { Cell, type ThreadBlock } from '../ring/thread-block.js';

/** How long one wait for the writer lasts before the heartbeat is renewed. */
const WAIT_MS = 100;

/**
 * Hands flow records to the writer. A full ring makes the worker wait, however long: flows are never lost here; the loss, if
 * there is one, is counted at the capture. The writer is woken when `wakeBytes` wait for it; it looks by itself from time to time.
 */
export class FlowEmitter {
  constructor(
    private readonly ring: RingProducer,
    private readonly wakeBytes: number,
  ) {}

  /** Ring position at which the next record starts; grows only when a record is published. */
  get position(): number {
    return this.ring.position;
  }

  /** Publishes the slot that starts at `word` of `words`. Allocates nothing. */
  emit(words: Int32Array, word: number, block: ThreadBlock): void {
    let payload = this.ring.tryPush(RecordKind.Flow, Slot.RecordBytes);
    while (payload < 0) {
      block.cells[Cell.WriterRingFull] = (block.cells[Cell.WriterRingFull] as number) + 1;
      block.beat();
      this.ring.publish();
      this.ring.waitForSpace(WAIT_MS);
      payload = this.ring.tryPush(RecordKind.Flow, Slot.RecordBytes);
    }
    const target = this.ring.words;
    const start = payload >> 2;
    for (let i = 0; i < Slot.RecordBytes >> 2; i++) target[start + i] = words[word + i] as number;
    if (this.ring.usedBytes >= this.wakeBytes) this.ring.publish();
    else this.ring.publishQuietly();
  }
}
