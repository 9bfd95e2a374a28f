import { Worker } from 'node:worker_threads';
import { Doorbell } from '../../src/ring/doorbell.js';
import { createRing, ResumeAt, RingConsumer } from '../../src/ring/ring.js';
import { createThreadBlock } from '../../src/ring/thread-block.js';
import type { MicroCase, PreparedCase } from '../micro.js';
import { resultHash } from '../result-hash.js';
import { Gate, type RingProducerStart } from './ring-gate.js';

interface Values extends Record<string, number> {
  /** Records of one batch. */
  readonly records: number;
  readonly payloadBytes: number;
  readonly recordsPerPublish: number;
  readonly ringBytes: number;
}

/** The consumer sleeps at most so long; the producer wakes it. */
const WAIT_MS = 100;

/** One ring, its ends in two threads: the consumer is measured from the start of a batch to its last record. */
export const ringThreadsCase: MicroCase<Values> = {
  name: 'ring-threads',
  operation: 'record',
  smoke: { records: 20_000, payloadBytes: 96, recordsPerPublish: 64, ringBytes: 65_536 },
  full: { records: 400_000, payloadBytes: 96, recordsPerPublish: 64, ringBytes: 4_194_304 },
  unavailable: () => (import.meta.url.endsWith('.ts') ? 'threads run only from the build' : null),
  prepare(values: Values): PreparedCase {
    const { records } = values;
    const start: RingProducerStart = {
      ring: createRing(values.ringBytes),
      consumerBlock: createThreadBlock(),
      gate: new SharedArrayBuffer(8),
      records,
      payloadBytes: values.payloadBytes,
      recordsPerPublish: values.recordsPerPublish,
    };
    const worker = new Worker(new URL('./ring-producer.js', import.meta.url), { workerData: start });
    const gate = new Int32Array(start.gate);
    const doorbell = new Doorbell(start.consumerBlock);
    const consumer = new RingConsumer(start.ring, ResumeAt.Cursor);
    const isEmpty = (): boolean => consumer.peek() < 0;
    let sum = 0;
    const runBatch = (): void => {
      sum = 0;
      Atomics.add(gate, Gate.Batch, 1);
      Atomics.notify(gate, Gate.Batch);
      for (let taken = 0; taken < records; ) {
        const payload = consumer.peek();
        if (payload < 0) {
          consumer.release();
          doorbell.wait(WAIT_MS, isEmpty);
          continue;
        }
        sum = (Math.imul(sum, 31) + (consumer.words[payload >> 2] as number)) | 0;
        consumer.advance();
        if ((++taken & 63) === 0) consumer.release();
      }
      consumer.release();
    };
    return {
      operationsPerBatch: records,
      runBatch,
      resultHash: () => {
        runBatch();
        return resultHash([records, sum]);
      },
      close: () => {
        Atomics.store(gate, Gate.Ended, 1);
        Atomics.add(gate, Gate.Batch, 1);
        Atomics.notify(gate, Gate.Batch);
        worker.unref();
      },
    };
  },
};
