import { once } from 'node:events';
import { join } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { resolveConfig } from '../../src/config.js';
import { connectControl } from '../../src/control.js';
import { AppError } from '../../src/errors.js';
import { allocateMemory } from '../../src/memory.js';
import type { ApiControl } from '../../src/messages.js';
import { monotonicMs } from '../../src/ring/thread-block.js';
import type { Progress } from '../programs/run-programs.js';
import { openInput } from '../run-bench.js';
import { makeRunDirectory, removeRunDirectory } from '../temporary.js';
import type { ApiBenchOptions } from './options.js';
import type { AskedRange } from './requests.js';
import { runProcess } from './run-process.js';

/** An API that runs in this process, in the thread that the daemon has for it. */
export interface OwnApi {
  readonly url: URL;
  readonly range: AskedRange;
  /** Flows in its database. */
  readonly flows: number;
  close(): Promise<void>;
}

/** Opens an API over a database, which is made of a generated capture where none is given. */
export async function openOwnApi(options: ApiBenchOptions, progress: Progress): Promise<OwnApi> {
  const directory = makeRunDirectory();
  try {
    const path = options.database ?? (await makeDatabase(directory, options, progress));
    return await serve(path, () => removeRunDirectory(directory));
  } catch (error) {
    removeRunDirectory(directory);
    throw error;
  }
}

async function makeDatabase(directory: string, { capture }: ApiBenchOptions, progress: Progress): Promise<string> {
  const path = join(directory, 'flowberry.db');
  const { description } = openInput({ file: null, capture }, progress);
  progress(`a database of ${capture.flows} flows`);
  await runProcess(['replay', description.path, '--db', path, '--json']);
  return path;
}

/** The time of the flows in a database, in µs since 1970, and their number. */
function contentOf(path: string): { range: AskedRange; flows: number } {
  const db = new Database(path, { readonly: true });
  try {
    const row = db.prepare('SELECT min(id) AS first, max(id) AS last, count(*) AS flows FROM flows').get() as {
      first: number | null;
      last: number | null;
      flows: number;
    };
    if (row.first === null || row.last === null) throw new AppError('BENCH_RUN_FAILED', `there are no flows in ${path}`);
    return { range: { since: String(row.first), until: String(row.last + 1) }, flows: row.flows };
  } finally {
    db.close();
  }
}

async function serve(path: string, cleanUp: () => void): Promise<OwnApi> {
  const { range, flows } = contentOf(path);
  const config = resolveConfig({ 'db.path': path, 'api.port': 0, 'flow.active-max': 1_000 });
  const [control, events, maintenance] = [new MessageChannel(), new MessageChannel(), new MessageChannel()];
  const session = {
    key: '0000000000000000',
    mode: 'replay' as const,
    source: path,
    startedUs: Date.now() * 1000,
    startedMonotonicMs: monotonicMs(),
  };
  const ports = [control.port2, events.port2, maintenance.port2] as const;
  const worker = new Worker(new URL('../../src/api/thread.js', import.meta.url), {
    workerData: {
      config,
      session,
      memory: allocateMemory(config, 1),
      cpu: null,
      control: ports[0],
      events: ports[1],
      maintenance: ports[2],
    },
    transferList: [...ports],
  });
  const exit = once(worker, 'exit');
  const api = connectControl<ApiControl>(control.port1);
  const close = async (): Promise<void> => {
    await api.close();
    await exit;
    for (const { port1 } of [control, events, maintenance]) port1.close();
    cleanUp();
  };
  const listening = await api.listen();
  if (!listening.ok) throw AppError.fromData(listening.error);
  return { url: new URL(`http://127.0.0.1:${listening.value.port}`), range, flows, close };
}
