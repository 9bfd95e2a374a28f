import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { StoreRig } from './store-rig.js';

const BATCH = 5_000;
/** Queries that each reader asks at least, however fast the writer is. */
export const QUERIES_MIN = 20;

/** What a reader is told, and what it gives back. */
export interface ReaderStart {
  readonly path: string;
  /** One word: not 0 once the writer has finished. */
  readonly isOver: SharedArrayBuffer;
}

export interface Beside {
  readonly latenciesMs: readonly number[];
  readonly rowsLost: number;
  readonly rowsPerS: number;
}

/** Writes flows while so many other connections ask for the newest rows and for sums of a minute. */
export async function readBeside(directory: string, startMs: number, flows: number, readers: number): Promise<Beside> {
  const rig = new StoreRig({ directory, startMs, mode: 'replay' });
  const isOver = new SharedArrayBuffer(4);
  const start: ReaderStart = { path: rig.path, isOver };
  const workers = Array.from(
    { length: readers },
    () => new Worker(new URL('./reader-thread.js', import.meta.url), { workerData: start }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'online')));
  const answers = workers.map((worker) => once(worker, 'message') as Promise<[number[]]>);
  let ms = startMs;
  for (let at = 0; at < flows; at += BATCH) {
    for (let i = 0; i < BATCH; i++) rig.emit(ms * 1000 + i);
    rig.publish();
    rig.drain(ms);
    ms += BATCH / 100;
    await new Promise((resolve) => setImmediate(resolve));
  }
  Atomics.store(new Int32Array(isOver), 0, 1);
  const latenciesMs = (await Promise.all(answers)).flatMap(([latencies]) => latencies);
  rig.close(ms);
  const db = new Database(rig.path, { readonly: true });
  const stored = db.prepare<[], number>('SELECT count(*) FROM flows').pluck().get() as number;
  db.close();
  return { latenciesMs, rowsLost: rig.flows - stored, rowsPerS: ((rig.flows + rig.transactions) * 1000) / rig.writerMs };
}
