import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import type { Pipeline as PipelineType } from '../../src/pipeline.js';
import { type Ledger, ledgerDifference, readLedger } from '../../src/ring/ledger.js';
import { Cell, monotonicMs, ThreadBlock } from '../../src/ring/thread-block.js';
import { temporaryDirectory } from '../helpers/daemon.js';
import { writeManyFlows } from '../helpers/many-flows.js';

// The threads are started from the build, so the pipeline that starts them is the built one, too.
const built = new URL('../../dist/src/pipeline.js', import.meta.url).href;
const { Pipeline } = (await import(built)) as { Pipeline: typeof PipelineType };

const PACKETS = 20_000;
const FILES = 40;

interface Rig {
  readonly pipeline: PipelineType;
  readonly database: string;
  readonly log: string[];
  /** Ends a thread at once, wherever it is, as a crash would. */
  killParse(): Promise<unknown>;
  killWriter(): Promise<unknown>;
}

function replayOf(options: OptionValues = {}): Rig {
  const directory = temporaryDirectory();
  const database = join(directory, 'flows.db');
  const file = writeManyFlows(join(directory, 'many.pcap'), PACKETS, 3000);
  const log: string[] = [];
  const pipeline = new Pipeline({
    config: resolveConfig({ 'db.path': database, 'flow.active-max': 1000, 'cpu.affinity': 'off', ...options }),
    session: {
      key: 'supervision',
      mode: 'replay',
      source: 'many',
      startedUs: Date.now() * 1000,
      startedMonotonicMs: monotonicMs(),
    },
    source: { type: 'file', paths: new Array<string>(FILES).fill(file) },
    hasApi: false,
    log: (level, message) => log.push(`${level} ${message}`),
  });
  return {
    pipeline,
    database,
    log,
    killParse: async () => ((await pipeline['pool']).threads[0] as unknown as Worker).terminate(),
    killWriter: () => (pipeline['writerThread']['worker'] as Worker).terminate(),
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

/** Runs the pipeline and calls `disturb` beside it; gives the ledger of memory and the sums of the database. */
async function runDisturbed(
  rig: Rig,
  disturb: () => Promise<void>,
): Promise<{ ledger: Ledger; stored: { flows: number; packets: number } }> {
  const { pipeline } = rig;
  try {
    await pipeline.start();
    const [end] = await Promise.all([pipeline.run(), disturb()]);
    expect(end.error).toBeNull();
    await pipeline.drain();
    const database = new Database(rig.database, { readonly: true });
    const stored = database.prepare('SELECT count(*) flows, sum(src_packets + dst_packets) packets FROM flow_view').get();
    database.close();
    return { ledger: readLedger(pipeline.memory), stored: stored as { flows: number; packets: number } };
  } finally {
    await pipeline.close();
  }
}

const received = (rig: Rig): number => readLedger(rig.pipeline.memory).received;
const written = (rig: Rig): number => readLedger(rig.pipeline.memory).flowsWritten;

describe('supervision', () => {
  it('replaces a parse worker, which loses at most the packet in its hands', async () => {
    const rig = replayOf();
    const kills = 3;
    const { ledger, stored } = await runDisturbed(rig, async () => {
      for (let kill = 1; kill <= kills; kill++) {
        await until(() => received(rig) > kill * 3 * PACKETS);
        await rig.killParse();
      }
    });
    expect(rig.log.filter((line) => line.includes('parse-0 died'))).toHaveLength(kills);
    expect(ledger.received).toBe(PACKETS * FILES);
    expect(ledgerDifference(ledger)).toBe(0);
    expect(ledger.dropped['worker_crash'] ?? 0).toBeLessThanOrEqual(kills);
    expect(stored).toEqual({ flows: ledger.flowsWritten, packets: ledger.inFlows });
  });

  it('replaces the writer, which stores every flow exactly once', async () => {
    const rig = replayOf();
    const kills = 3;
    const { ledger, stored } = await runDisturbed(rig, async () => {
      for (let kill = 1; kill <= kills; kill++) {
        await until(() => written(rig) > kill * 5000);
        await rig.killWriter();
      }
    });
    expect(rig.log.filter((line) => line.includes('writer died'))).toHaveLength(kills);
    expect(ledger.inFlows).toBe(PACKETS * FILES);
    expect(stored).toEqual({ flows: ledger.flowsEmitted, packets: ledger.inFlows });
  });

  it('gives up with a code when threads die five times within a minute', async () => {
    const rig = replayOf();
    const block = new ThreadBlock(rig.pipeline.memory.parse[0] as SharedArrayBuffer);
    const killing = runDisturbed(rig, async () => {
      for (let kill = 1; kill <= 5; kill++) {
        const taken = block.cell(Cell.FramesTaken);
        await until(() => block.cell(Cell.FramesTaken) > taken);
        await rig.killParse();
        await until(() => rig.log.filter((line) => line.includes('parse-0 died')).length === kill);
      }
    });
    await expect(killing).rejects.toMatchObject({ code: 'THREAD_RESTART_LOOP' });
  });
});
