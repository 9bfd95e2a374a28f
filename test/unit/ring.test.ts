import { describe, expect, it } from 'vitest';
import { Record, RecordKind, Ring, Thread } from '../../src/ring/layout.js';
import {
  createRing,
  ResumeAt,
  RING_BYTES_MAX,
  RING_BYTES_MIN,
  RingConsumer,
  ringCapacityBytes,
  ringUsedBytes,
} from '../../src/ring/ring.js';
import { isPattern, pattern, RingPair } from '../helpers/rings.js';

const CAPACITY = 4096;
const PAYLOAD_MAX = CAPACITY / 2 - Record.HeaderBytes;

/** Moves both ends of an empty ring to `offset` in its data. */
function moveTo(pair: RingPair, offset: number): void {
  while (pair.producer.position < offset) {
    const payloadBytes = Math.min(offset - pair.producer.position - Record.HeaderBytes, PAYLOAD_MAX);
    expect(pair.push(payloadBytes, 0)).toBe(true);
    pair.producer.publish();
    pair.take(0);
    pair.consumer.release();
  }
}

describe('createRing', () => {
  it.each([0, -4096, 1, RING_BYTES_MIN / 2, 5000, 4096.5, Number.NaN, RING_BYTES_MAX * 2])('refuses %d bytes', (bytes) => {
    expect(() => createRing(bytes)).toThrow(RangeError);
  });

  it.each([RING_BYTES_MIN, 65_536, 4_194_304])('makes an empty ring of %d bytes', (bytes) => {
    const memory = createRing(bytes);
    expect(ringCapacityBytes(memory)).toBe(bytes);
    expect(ringUsedBytes(memory)).toBe(0);
    expect(new RingConsumer(memory, ResumeAt.Cursor).peek()).toBe(-1);
  });

  it('gives memory that is refused once its layout version is another', () => {
    const pair = new RingPair(CAPACITY);
    new Int32Array(pair.memory)[Ring.Version] = 99;
    expect(() => pair.replaceConsumer(ResumeAt.Cursor)).toThrow(/layout version/);
    expect(() => pair.replaceProducer()).toThrow(/layout version/);
  });
});

describe('RingProducer', () => {
  it('shows nothing before it publishes, and then everything', () => {
    const pair = new RingPair(CAPACITY);
    pair.push(10, 1);
    pair.push(20, 2);
    expect(pair.consumer.peek()).toBe(-1);
    expect(pair.producer.unpublishedBytes).toBe(24 + 32);
    pair.producer.publish();
    expect(pair.producer.unpublishedBytes).toBe(0);
    expect(pair.take(10)).toEqual(pattern(10, 1));
    expect(pair.take(20)).toEqual(pattern(20, 2));
    expect(pair.consumer.peek()).toBe(-1);
  });

  it('puts every payload at a multiple of 8, with its kind before it', () => {
    const pair = new RingPair(CAPACITY);
    for (const [payloadBytes, kind] of [
      [1, RecordKind.Frame],
      [13, RecordKind.Flow],
      [0, RecordKind.Frame],
    ] as const) {
      expect(pair.producer.tryPush(kind, payloadBytes) % 8).toBe(0);
      pair.producer.publish();
      expect(pair.consumer.kindAt(pair.consumer.peek())).toBe(kind);
      pair.consumer.advance();
    }
  });

  it('answers -1 when the ring is full, writes nothing, and goes on after a release', () => {
    const pair = new RingPair(CAPACITY);
    const payloadBytes = 56;
    const countMax = CAPACITY / 64;
    for (let seed = 0; seed < countMax; seed++) expect(pair.push(payloadBytes, seed)).toBe(true);
    expect(pair.push(0, 0)).toBe(false);
    expect(pair.producer.usedBytes).toBe(CAPACITY);
    pair.producer.publish();
    expect(ringUsedBytes(pair.memory)).toBe(CAPACITY);
    expect(pair.take(payloadBytes)).toEqual(pattern(payloadBytes, 0));
    expect(pair.push(payloadBytes, 99), 'taken and not released').toBe(false);
    pair.consumer.release();
    expect(pair.push(payloadBytes, countMax)).toBe(true);
    pair.producer.publish();
    for (let seed = 1; seed <= countMax; seed++) expect(pair.take(payloadBytes)).toEqual(pattern(payloadBytes, seed));
    expect(pair.consumer.peek()).toBe(-1);
  });

  it('takes the largest payload wherever an empty ring happens to stand', () => {
    for (let offset = 0; offset < CAPACITY; offset += 8) {
      const pair = new RingPair(CAPACITY);
      moveTo(pair, offset);
      expect(pair.producer.payloadBytesMax).toBe(PAYLOAD_MAX);
      expect(pair.push(PAYLOAD_MAX, offset), `at ${offset}`).toBe(true);
      pair.producer.publish();
      expect(isPattern(pair.take(PAYLOAD_MAX), PAYLOAD_MAX, offset)).toBe(true);
    }
  });

  it('wakes the consumer with publish and lets it sleep with publishQuietly', () => {
    const pair = new RingPair(CAPACITY);
    const words = new Int32Array(pair.block);
    words[Thread.Sleeping] = 1;
    pair.push(8, 1);
    pair.producer.publishQuietly();
    expect(words[Thread.Sequence]).toBe(0);
    expect(pair.peek(8)).toEqual(pattern(8, 1));
    pair.producer.publish();
    expect(words[Thread.Sequence]).toBe(1);
    words[Thread.Sleeping] = 0;
    pair.push(8, 2);
    pair.producer.publish();
    expect(words[Thread.Sequence], 'nobody sleeps').toBe(1);
  });

  it('loses only what was not published when another takes its place', () => {
    const pair = new RingPair(CAPACITY);
    pair.push(8, 1);
    pair.producer.publish();
    pair.push(8, 2);
    pair.replaceProducer();
    pair.push(8, 3);
    pair.producer.publish();
    expect(pair.take(8)).toEqual(pattern(8, 1));
    expect(pair.take(8)).toEqual(pattern(8, 3));
    expect(pair.consumer.peek()).toBe(-1);
  });

  it('does not wait for space that is there already', () => {
    const pair = new RingPair(CAPACITY);
    while (pair.push(504, 0)) pair.producer.publish();
    pair.take(504);
    pair.consumer.release();
    // Without a time limit: a wait that missed the release would not end.
    pair.producer.waitForSpace(Number.POSITIVE_INFINITY);
    expect(pair.push(504, 0)).toBe(true);
    expect(new Int32Array(pair.memory)[Ring.ProducerWaiting]).toBe(0);
  });
});

describe('RingConsumer', () => {
  function published(count: number, position = 0, resumeAt = ResumeAt.Cursor): RingPair {
    const pair = new RingPair(CAPACITY, position, resumeAt);
    for (let seed = 0; seed < count; seed++) pair.push(8, seed);
    pair.producer.publish();
    return pair;
  }

  it('shows the same record until it advances', () => {
    const pair = published(2);
    expect(pair.peek(8)).toEqual(pattern(8, 0));
    expect(pair.peek(8)).toEqual(pattern(8, 0));
    pair.consumer.advance();
    expect(pair.peek(8)).toEqual(pattern(8, 1));
    expect(pair.consumer.unreleasedBytes).toBe(16);
    pair.consumer.release();
    expect(pair.consumer.unreleasedBytes).toBe(0);
  });

  it('reads again after a rewind what it has not released', () => {
    const pair = published(4);
    pair.take(8);
    pair.consumer.release();
    pair.take(8);
    pair.take(8);
    pair.consumer.rewind();
    expect(pair.take(8)).toEqual(pattern(8, 1));
    pair.replaceConsumer(ResumeAt.Cursor);
    expect(pair.take(8)).toEqual(pattern(8, 2));
  });

  it('hands the record in hand to a successor at the cursor, and all that is not released to one behind it', () => {
    const pair = published(4);
    pair.take(8);
    pair.consumer.release();
    pair.take(8);
    pair.peek(8);
    pair.replaceConsumer(ResumeAt.Cursor);
    expect(pair.peek(8)).toEqual(pattern(8, 2));
    pair.replaceConsumer(ResumeAt.Released);
    expect(pair.peek(8)).toEqual(pattern(8, 1));
  });

  it('skips to where a predecessor had come and gives back what lies before', () => {
    const pair = published(4);
    pair.take(8);
    pair.take(8);
    const { position } = pair.consumer;
    pair.replaceConsumer(ResumeAt.Released);
    pair.consumer.skipTo(position);
    expect(ringUsedBytes(pair.memory)).toBe(32);
    expect(pair.take(8)).toEqual(pattern(8, 2));
    pair.replaceConsumer(ResumeAt.Cursor);
    expect(pair.take(8)).toEqual(pattern(8, 3));
  });

  it('never leaves its cursor in space that it has given back', () => {
    const pair = new RingPair(CAPACITY);
    moveTo(pair, CAPACITY - 64);
    pair.push(120, 1);
    pair.producer.publish();
    // The record lies behind padding: peek steps over it, and release gives the padding back.
    expect(pair.peek(120)).toEqual(pattern(120, 1));
    pair.consumer.release();
    // The producer writes over the padding, since it may.
    for (let seed = 2; pair.push(120, seed); seed++) pair.producer.publish();
    pair.replaceConsumer(ResumeAt.Cursor);
    expect(pair.take(120)).toEqual(pattern(120, 1));
    expect(pair.take(120)).toEqual(pattern(120, 2));
  });

  it.each([2 ** 32 - 1024, 2 ** 31 - 1024])('goes on when positions pass %d and wrap', (position) => {
    const pair = new RingPair(CAPACITY, position | 0);
    for (let seed = 0; seed < 1000; seed++) {
      expect(pair.push(200, seed)).toBe(true);
      expect(pair.push(100, seed + 1)).toBe(true);
      pair.producer.publish();
      expect(ringUsedBytes(pair.memory)).toBeGreaterThan(0);
      expect(isPattern(pair.take(200), 200, seed)).toBe(true);
      expect(isPattern(pair.take(100), 100, seed + 1)).toBe(true);
      expect(pair.consumer.peek()).toBe(-1);
      pair.consumer.release();
      expect(ringUsedBytes(pair.memory)).toBe(0);
    }
  });

  it('tells a replaced producer exactly what was published, at whatever point its predecessor was ended', () => {
    const pair = new RingPair(4096);
    const publish = (records: number): void => {
      for (let seed = 0; seed < records; seed++) expect(pair.push(8, seed)).toBe(true);
      pair.producer.publishCounted(records);
    };
    publish(3);
    publish(4);
    expect(pair.push(8, 0)).toBe(true);
    pair.replaceProducer();
    expect(pair.producer.publishedCount).toBe(7);
    publish(2);
    // Ended before the position moved on: the note of the next count is there, and does not hold.
    const words = new Int32Array(pair.memory);
    const produced = words[Ring.Produced] as number;
    publish(5);
    words[Ring.Produced] = produced;
    pair.replaceProducer();
    expect(pair.producer.publishedCount).toBe(9);
    publish(1);
    pair.replaceProducer();
    expect(pair.producer.publishedCount).toBe(10);
  });

  it.each([0, 2 ** 31 - 1024, 2 ** 32 - 1024])(
    'lets a producer publish what its predecessor had committed, from position %d',
    (position) => {
      const pair = new RingPair(CAPACITY, position | 0);
      for (let round = 0; round < 100; round++) {
        const published = pair.producer.publishedCount;
        for (const seed of [1, 2, 3]) {
          expect(pair.push(100, round + seed)).toBe(true);
          pair.producer.commit();
        }
        // Its predecessor died with this one in hand.
        expect(pair.push(100, round)).toBe(true);
        expect(pair.consumer.peek()).toBe(-1);
        pair.replaceProducer();
        pair.producer.recover();
        expect(pair.producer.publishedCount).toBe(published + 3);
        for (const seed of [1, 2, 3]) expect(isPattern(pair.take(100), 100, round + seed)).toBe(true);
        expect(pair.consumer.peek()).toBe(-1);
        pair.consumer.release();
      }
    },
  );
});
