import { Doorbell } from '../../src/ring/doorbell.js';
import { RecordKind } from '../../src/ring/layout.js';
import { createRing, ResumeAt, RingConsumer, RingProducer } from '../../src/ring/ring.js';
import { createThreadBlock } from '../../src/ring/thread-block.js';
import type { MicroCase, PreparedCase } from '../micro.js';
import { resultHash } from '../result-hash.js';

interface Values extends Record<string, number> {
  /** Records of one batch, a multiple of `recordsPerPublish`. */
  readonly records: number;
  readonly payloadBytes: number;
  readonly recordsPerPublish: number;
  readonly ringBytes: number;
}

/** One ring, both ends in one thread: push, publish, peek, advance, release. */
export const ringCase: MicroCase<Values> = {
  name: 'ring',
  operation: 'record',
  smoke: { records: 2_560, payloadBytes: 96, recordsPerPublish: 64, ringBytes: 65_536 },
  full: { records: 25_600, payloadBytes: 96, recordsPerPublish: 64, ringBytes: 4_194_304 },
  prepare(values: Values): PreparedCase {
    const memory = createRing(values.ringBytes);
    const producer = new RingProducer(memory, new Doorbell(createThreadBlock()));
    const consumer = new RingConsumer(memory, ResumeAt.Cursor);
    const { records, payloadBytes, recordsPerPublish } = values;
    let sum = 0;
    const runBatch = (): void => {
      sum = 0;
      for (let record = 0; record < records; record += recordsPerPublish) {
        for (let i = 0; i < recordsPerPublish; i++)
          producer.words[producer.tryPush(RecordKind.Frame, payloadBytes) >> 2] = record + i;
        producer.publish();
        for (let i = 0; i < recordsPerPublish; i++) {
          sum = (Math.imul(sum, 31) + (consumer.words[consumer.peek() >> 2] as number)) | 0;
          consumer.advance();
        }
        consumer.release();
      }
    };
    return {
      operationsPerBatch: records,
      runBatch,
      resultHash: () => {
        runBatch();
        return resultHash([records, sum]);
      },
      close: () => undefined,
    };
  },
};
