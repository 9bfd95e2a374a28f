import { setTimeout } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { QUERIES_MIN, type ReaderStart } from './readers.js';

const PAUSE_MS = 5;

const { path, isOver } = workerData as ReaderStart;
const over = new Int32Array(isOver);
const db = new Database(path, { readonly: true, timeout: 5000 });
const queries = [
  db.prepare<[], unknown>('SELECT * FROM flow_view ORDER BY id DESC LIMIT 50'),
  db.prepare<[], unknown>('SELECT sum(src_bytes), count(*) FROM flows WHERE id > (SELECT max(id) FROM flows) - 60000000'),
  db.prepare<[], unknown>('SELECT * FROM ledger ORDER BY minute_us DESC LIMIT 10'),
];
const latencies: number[] = [];
for (let asked = 0; Atomics.load(over, 0) === 0 || asked < QUERIES_MIN; asked++) {
  const startedMs = performance.now();
  queries[asked % queries.length]?.all();
  latencies.push(performance.now() - startedMs);
  await setTimeout(PAUSE_MS);
}
db.close();
parentPort?.postMessage(latencies);
