import { Thread } from './layout.js';

/**
 * Wakes one consumer thread that any number of producers serve.
 *
 * The consumer announces its sleep, looks once more for work, and sleeps only if no producer rang in between; a producer
 * publishes first and then looks for the announcement. Both use sequentially consistent atomics, so one of the two always
 * sees the other and no wake-up is lost. A producer pays one atomic load while the consumer is awake.
 */
export class Doorbell {
  private readonly words: Int32Array;

  /** `block` is the thread block of the consumer. */
  constructor(block: SharedArrayBuffer) {
    this.words = new Int32Array(block);
  }

  /** Producer: call after publishing. */
  ring(): void {
    if (Atomics.load(this.words, Thread.Sleeping) === 0) return;
    this.wake();
  }

  /** Wakes the consumer whether it announced its sleep or not; for control, not for every record. */
  wake(): void {
    Atomics.add(this.words, Thread.Sequence, 1);
    Atomics.notify(this.words, Thread.Sequence);
  }

  /**
   * Consumer: blocks the thread until a producer rings, at most `timeoutMs`. `isEmpty` is asked once after the sleep is
   * announced; when it answers false, the call returns at once.
   */
  wait(timeoutMs: number, isEmpty: () => boolean): void {
    const sequence = Atomics.load(this.words, Thread.Sequence);
    Atomics.store(this.words, Thread.Sleeping, 1);
    if (isEmpty()) Atomics.wait(this.words, Thread.Sequence, sequence, timeoutMs);
    Atomics.store(this.words, Thread.Sleeping, 0);
  }

  /** As `wait`, but leaves the thread's event loop free, for threads that answer control calls. */
  async waitAsync(timeoutMs: number, isEmpty: () => boolean): Promise<void> {
    const sequence = Atomics.load(this.words, Thread.Sequence);
    Atomics.store(this.words, Thread.Sleeping, 1);
    if (isEmpty()) {
      const waiting = Atomics.waitAsync(this.words, Thread.Sequence, sequence, timeoutMs);
      if (waiting.async) await waiting.value;
    }
    Atomics.store(this.words, Thread.Sleeping, 0);
  }
}
