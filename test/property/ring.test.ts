import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Record, RecordKind } from '../../src/ring/layout.js';
import { ResumeAt, ringUsedBytes } from '../../src/ring/ring.js';
import { isPattern, RingPair } from '../helpers/rings.js';

const CAPACITY = 4096;
const PAYLOAD_MAX = CAPACITY / 2 - Record.HeaderBytes;
const POSITIONS = 2 ** 32;

interface ModelRecord {
  readonly payloadBytes: number;
  readonly seed: number;
  /** Position of the padding before the record, of the record, and behind it; these count on beyond 2^32. */
  readonly paddedStart: number;
  readonly start: number;
  readonly end: number;
}

/**
 * What a ring promises, told with arrays and with positions that never wrap. `records` is everything that was pushed and that
 * some consumer may still see; `first`, `cursor` and `published` are indexes into it.
 */
class Model {
  records: ModelRecord[] = [];
  /** The first record that is not released. */
  first = 0;
  cursor = 0;
  published = 0;
  consumed: number;
  /** Whether the consumer has stepped over the padding before the record under the cursor. */
  isPeeked = false;

  constructor(start: number) {
    this.consumed = start;
  }

  get head(): number {
    return this.records.at(-1)?.end ?? this.consumed;
  }

  get cursorPosition(): number {
    const record = this.records[this.cursor];
    if (record && this.cursor < this.published) return this.isPeeked ? record.start : record.paddedStart;
    return this.records[this.cursor - 1]?.end ?? this.consumed;
  }

  /** The record that a push of so many bytes makes, or null where it does not fit. */
  place(payloadBytes: number, seed: number): ModelRecord | null {
    const length = Math.ceil((Record.HeaderBytes + payloadBytes) / 8) * 8;
    const paddedStart = this.head;
    const isSplit = Math.floor(paddedStart / CAPACITY) !== Math.floor((paddedStart + length - 1) / CAPACITY);
    const start = isSplit ? Math.ceil(paddedStart / CAPACITY) * CAPACITY : paddedStart;
    const end = start + length;
    return end - this.consumed > CAPACITY ? null : { payloadBytes, seed, paddedStart, start, end };
  }

  rewind(): void {
    this.cursor = this.first;
    this.isPeeked = this.consumed === this.records[this.first]?.start;
  }

  release(): void {
    this.consumed = this.cursorPosition;
    this.first = this.cursor;
  }
}

type Action =
  | { readonly type: 'push'; readonly payloadBytes: number }
  | { readonly type: 'publish' | 'peek' | 'take' | 'release' | 'rewind' | 'skip' }
  | { readonly type: 'producerDies' | 'consumerDies' };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('push' as const), payloadBytes: fc.integer({ min: 0, max: 300 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('push' as const), payloadBytes: fc.integer({ min: 0, max: PAYLOAD_MAX }) }),
  },
  { weight: 4, arbitrary: fc.constant({ type: 'publish' as const }) },
  { weight: 6, arbitrary: fc.constant({ type: 'take' as const }) },
  { weight: 2, arbitrary: fc.constant({ type: 'peek' as const }) },
  { weight: 3, arbitrary: fc.constant({ type: 'release' as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Action>({ type: 'rewind' }, { type: 'skip' }, { type: 'producerDies' }, { type: 'consumerDies' }),
  },
);

const actions = fc.array(action, { minLength: 1, maxLength: 400, size: 'max' });

/** Does `step` to ring and model, and compares what they answer. */
function apply(pair: RingPair, model: Model, step: Action, seed: number, resumeAt: ResumeAt): void {
  switch (step.type) {
    case 'push': {
      const record = model.place(step.payloadBytes, seed);
      expect(pair.push(step.payloadBytes, seed, RecordKind.Flow)).toBe(record !== null);
      if (record) model.records.push(record);
      return;
    }
    case 'publish':
      pair.producer.publish();
      model.published = model.records.length;
      return;
    case 'peek':
    case 'take': {
      const record = model.cursor < model.published ? model.records[model.cursor] : undefined;
      const bytes = pair.peek(record?.payloadBytes ?? 0);
      expect(bytes === null, 'nothing to read').toBe(record === undefined);
      if (!record) return;
      expect(isPattern(bytes, record.payloadBytes, record.seed), `record ${record.seed}`).toBe(true);
      expect(pair.consumer.kindAt(pair.consumer.peek())).toBe(RecordKind.Flow);
      model.isPeeked = true;
      if (step.type === 'peek') return;
      pair.consumer.advance();
      model.cursor++;
      model.isPeeked = false;
      return;
    }
    case 'release':
      pair.consumer.release();
      model.release();
      return;
    case 'rewind':
      pair.consumer.rewind();
      model.rewind();
      return;
    case 'skip': {
      // What a writer's successor does: the position comes from a database, the consumer from the ring.
      const { position } = pair.consumer;
      pair.replaceConsumer(ResumeAt.Released);
      pair.consumer.skipTo(position);
      model.release();
      return;
    }
    case 'producerDies':
      pair.replaceProducer();
      model.records.length = model.published;
      // The record under the cursor may have gone with the producer; what comes in its place has not been looked at.
      if (model.cursor === model.published) model.isPeeked = false;
      return;
    case 'consumerDies':
      pair.replaceConsumer(resumeAt);
      if (resumeAt === ResumeAt.Released) model.rewind();
      return;
  }
}

function compare(pair: RingPair, model: Model): void {
  const publishedEnd = model.records[model.published - 1]?.end ?? model.consumed;
  expect(pair.producer.position).toBe((model.head % POSITIONS) | 0);
  expect(pair.consumer.position).toBe((model.cursorPosition % POSITIONS) | 0);
  expect(ringUsedBytes(pair.memory)).toBe(publishedEnd - model.consumed);
  expect(pair.producer.unpublishedBytes).toBe(model.head - publishedEnd);
  expect(pair.consumer.unreleasedBytes).toBe(model.cursorPosition - model.consumed);
}

/** Starts anywhere, often shortly before positions pass 2^31 or 2^32. */
const startPosition = fc
  .oneof(fc.integer({ min: 0, max: 2 ** 29 - 1 }), fc.constantFrom(2 ** 28 - 150, 2 ** 29 - 150, 2 ** 29 - 1))
  .map((words) => words * 8);

describe('a ring behaves like an array', () => {
  it('whatever producer and consumer do, and whoever takes their place', () => {
    fc.assert(
      fc.property(startPosition, fc.constantFrom(ResumeAt.Cursor, ResumeAt.Released), actions, (start, resumeAt, steps) => {
        const pair = new RingPair(CAPACITY, start | 0, resumeAt);
        const model = new Model(start);
        for (const [seed, step] of steps.entries()) {
          apply(pair, model, step, seed, resumeAt);
          compare(pair, model);
        }
      }),
      {
        numRuns: 300,
        examples: [
          [
            2 ** 31 - 1200,
            ResumeAt.Cursor,
            [
              { type: 'push', payloadBytes: 0 },
              { type: 'rewind' },
              { type: 'producerDies' },
              { type: 'push', payloadBytes: 1193 },
              { type: 'publish' },
            ],
          ],
        ],
      },
    );
  });

  it('and hands over everything that was pushed, in order, however much goes through', () => {
    const burst = fc.array(fc.integer({ min: 0, max: PAYLOAD_MAX }), { minLength: 1, maxLength: 300, size: 'max' });
    fc.assert(
      fc.property(startPosition, burst, fc.integer({ min: 1, max: 7 }), (start, sizes, releaseEvery) => {
        const pair = new RingPair(CAPACITY, start | 0);
        let taken = 0;
        const drain = (): void => {
          pair.producer.publish();
          while (pair.consumer.peek() >= 0) {
            expect(isPattern(pair.take(sizes[taken] as number), sizes[taken] as number, taken)).toBe(true);
            if (++taken % releaseEvery === 0) pair.consumer.release();
          }
          pair.consumer.release();
        };
        for (const [seed, payloadBytes] of sizes.entries()) {
          if (pair.push(payloadBytes, seed)) continue;
          drain();
          expect(pair.push(payloadBytes, seed), 'an empty ring takes every size').toBe(true);
        }
        drain();
        expect(taken).toBe(sizes.length);
        expect(ringUsedBytes(pair.memory)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
