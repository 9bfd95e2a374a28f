import { join } from 'node:path';
import Database from 'better-sqlite3';
import { resolveConfig } from '../../src/config.js';
import { allocateMemory } from '../../src/memory.js';
import type { Session } from '../../src/messages.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { InterfaceTable } from '../../src/ring/interface-table.js';
import { RecordKind, Slot } from '../../src/ring/layout.js';
import { RingProducer } from '../../src/ring/ring.js';
import { Writer } from '../../src/store/writer.js';
import { FlowRig } from '../flow-records.js';
import { generateFrames } from '../frames.js';
import type { MicroCase, PreparedCase } from '../micro.js';
import { resultHash } from '../result-hash.js';
import { makeRunDirectory, removeRunDirectory } from '../temporary.js';

interface Values extends Record<string, number> {
  readonly packets: number;
  readonly flows: number;
  readonly seed: number;
  /** Rows that gather in the ring before the writer takes them, as under load. */
  readonly rowsPerCommit: number;
}

/** The times of a record, which move on from batch to batch. */
const TIME_FIELDS = [Slot.StartUsF64, Slot.EndUsF64, Slot.TouchedUsF64, Slot.SegmentUsF64, Slot.EmittedUsF64] as const;
const LINKTYPE_ETHERNET = 1;
const BATCH_PAUSE_US = 1e6;

/** Flow records of a generated capture with their details, each laid out as 64-bit words. */
function flowRecords(values: Values): Float64Array[] {
  const records: Float64Array[] = [];
  const rig = new FlowRig(generateFrames(values), values.flows);
  rig.run((words, word) => {
    const bytes = (Slot.RecordBytes + (words[word + Slot.DetailBytes] as number) + 7) & -8;
    records.push(new Float64Array(new Float64Array(words.buffer, word * 4, bytes / 8)));
  });
  return records;
}

/** Sums of the stored rows by protocol. */
function storedSums(path: string): number[] {
  const database = new Database(path, { readonly: true });
  try {
    const sums = database.prepare<[], number[]>(
      `SELECT protocol, count(*), sum(src_packets + dst_packets), sum(src_bytes + dst_bytes), sum(src_payload_bytes)
       FROM flow_view GROUP BY protocol ORDER BY protocol`,
    );
    return sums.raw().all().flat();
  } finally {
    database.close();
  }
}

/** Rows from a flow ring into a database file, committed, in one thread. */
export const writerCase: MicroCase<Values> = {
  name: 'writer',
  operation: 'row',
  smoke: { packets: 5_000, flows: 500, seed: 1, rowsPerCommit: 100 },
  full: { packets: 200_000, flows: 20_000, seed: 1, rowsPerCommit: 5_000 },
  prepare(values: Values): PreparedCase {
    const records = flowRecords(values);
    const directory = makeRunDirectory();
    const path = join(directory, 'flows.db');
    const config = resolveConfig({ 'db.path': path });
    const memory = allocateMemory(config, 1);
    new InterfaceTable(memory.interfaces).indexOf('bench0', LINKTYPE_ETHERNET);
    const session: Session = { key: '0000000000000001', mode: 'replay', source: 'bench', startedUs: 0, startedMonotonicMs: 0 };
    let nowMs = Date.now();
    const failures: string[] = [];
    const writer = Writer.open({ config, memory, session }, (_, message) => failures.push(message), nowMs);
    const ring = memory.flowRings[0] as SharedArrayBuffer;
    const producer = new RingProducer(ring, new Doorbell(memory.writer));
    const floats = new Float64Array(ring);
    const emittedUs = records.map((record) => record[Slot.EmittedUsF64] as number);
    const batchUs = Math.max(...emittedUs) - Math.min(...emittedUs) + BATCH_PAUSE_US;
    let shiftUs = 0;

    const commit = (): void => {
      while (writer.step(nowMs, true)) nowMs++;
      if (writer.isEmpty) return;
      throw new Error(`bench case writer: the database refused rows: ${failures.join('; ')}`);
    };
    const runBatch = (): void => {
      for (let index = 0; index < records.length; index++) {
        const record = records[index] as Float64Array;
        const payload = producer.tryPush(RecordKind.Flow, record.byteLength);
        if (payload < 0) throw new Error('bench case writer: rowsPerCommit is more than the ring takes');
        const start = payload >> 3;
        floats.set(record, start);
        for (const field of TIME_FIELDS) floats[start + field] = (floats[start + field] as number) + shiftUs;
        if ((index + 1) % values.rowsPerCommit !== 0) continue;
        producer.publish();
        commit();
      }
      producer.publish();
      commit();
      shiftUs += batchUs;
    };
    return {
      operationsPerBatch: records.length,
      runBatch,
      resultHash: () => {
        runBatch();
        return resultHash(storedSums(path));
      },
      close: () => {
        writer.abandon();
        removeRunDirectory(directory);
      },
    };
  },
};
