import { describe, expect, it } from 'vitest';
import { Doorbell } from '../../src/ring/doorbell.js';
import { Thread } from '../../src/ring/layout.js';
import { createThreadBlock } from '../../src/ring/thread-block.js';

/** No wait in this file may end by its time limit: a missed wake-up must show as a test that does not end. */
const FOREVER_MS = Number.POSITIVE_INFINITY;

function createDoorbell(): { doorbell: Doorbell; words: Int32Array } {
  const block = createThreadBlock();
  return { doorbell: new Doorbell(block), words: new Int32Array(block) };
}

describe('Doorbell', () => {
  it('costs a producer no wake-up while the consumer is awake', () => {
    const { doorbell, words } = createDoorbell();
    doorbell.ring();
    expect(words[Thread.Sequence]).toBe(0);
  });

  it('announces the sleep before it looks for work, and takes the announcement back', async () => {
    const { doorbell, words } = createDoorbell();
    const seen: number[] = [];
    const isEmpty = (): boolean => {
      seen.push(words[Thread.Sleeping] as number);
      return false;
    };
    doorbell.wait(FOREVER_MS, isEmpty);
    expect(words[Thread.Sleeping]).toBe(0);
    await doorbell.waitAsync(FOREVER_MS, isEmpty);
    expect(words[Thread.Sleeping]).toBe(0);
    expect(seen).toEqual([1, 1]);
  });

  it('does not sleep when a producer rang while the consumer looked for work', async () => {
    const { doorbell } = createDoorbell();
    const isEmpty = (): boolean => {
      // The record comes right after the consumer has found nothing.
      doorbell.ring();
      return true;
    };
    doorbell.wait(FOREVER_MS, isEmpty);
    await doorbell.waitAsync(FOREVER_MS, isEmpty);
  });

  it('wakes an asynchronous wait', async () => {
    const { doorbell, words } = createDoorbell();
    const waiting = doorbell.waitAsync(60_000, () => true);
    expect(words[Thread.Sleeping]).toBe(1);
    doorbell.ring();
    await waiting;
    expect(words[Thread.Sleeping]).toBe(0);
  });

  it('wakes for control although no sleep is announced', async () => {
    const { doorbell, words } = createDoorbell();
    const waiting = doorbell.waitAsync(60_000, () => {
      words[Thread.Sleeping] = 0;
      return true;
    });
    doorbell.wake();
    await waiting;
    expect(words[Thread.Sequence]).toBe(1);
  });

  it('ends the wait at its time limit when nobody rings', async () => {
    const { doorbell, words } = createDoorbell();
    doorbell.wait(1, () => true);
    await doorbell.waitAsync(1, () => true);
    expect(words[Thread.Sequence]).toBe(0);
    expect(words[Thread.Sleeping]).toBe(0);
  });
});
