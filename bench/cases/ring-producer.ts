import { workerData } from 'node:worker_threads';
import { Doorbell } from '../../src/ring/doorbell.js';
import { RecordKind } from '../../src/ring/layout.js';
import { RingProducer } from '../../src/ring/ring.js';
import { Gate, type RingProducerStart } from './ring-gate.js';

const WAIT_MS = 100;

function runBatch(producer: RingProducer, start: RingProducerStart): void {
  for (let record = 0; record < start.records; record++) {
    let payload = producer.tryPush(RecordKind.Frame, start.payloadBytes);
    while (payload < 0) {
      producer.publish();
      producer.waitForSpace(WAIT_MS);
      payload = producer.tryPush(RecordKind.Frame, start.payloadBytes);
    }
    producer.words[payload >> 2] = record;
    if (record % start.recordsPerPublish === 0) producer.publish();
  }
  producer.publish();
}

/** Thread of the case `ring-threads`: pushes one batch whenever the gate opens. */
function run(start: RingProducerStart): void {
  const gate = new Int32Array(start.gate);
  const producer = new RingProducer(start.ring, new Doorbell(start.consumerBlock));
  for (let batches = 0; ; batches++) {
    Atomics.wait(gate, Gate.Batch, batches);
    if (Atomics.load(gate, Gate.Ended) === 1) return;
    runBatch(producer, start);
  }
}

run(workerData as RingProducerStart);
