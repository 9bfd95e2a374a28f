import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config.js';
import type { Pipeline as PipelineType } from '../../src/pipeline.js';
import { GapLog } from '../../src/ring/gap-log.js';
import { ledgerDifference, readLedger } from '../../src/ring/ledger.js';
import { monotonicMs } from '../../src/ring/thread-block.js';
import { temporaryDirectory } from '../helpers/daemon.js';
import { mixedFrames } from '../helpers/live-source.js';
import { FrameFlood, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';

// The threads are started from the build, so the pipeline that starts them is the built one, too.
const built = new URL('../../dist/src/pipeline.js', import.meta.url).href;
const { Pipeline } = (await import(built)) as { Pipeline: typeof PipelineType };

const obstacle = namespaceObstacle();
/** One less than would end the run. */
const KILLS = 4;

function socketCount(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      // The descriptor of this very reading is closed by now.
      return false;
    }
  }).length;
}

describe.skipIf(obstacle !== null)(`a capture thread that dies${obstacle ? ` (${obstacle})` : ''}`, () => {
  let namespace: NetworkNamespace;
  let leave: () => void;

  beforeAll(() => {
    namespace = new NetworkNamespace();
    // Threads that are started in here stay in the namespace.
    leave = namespace.enter();
  });

  afterAll(() => {
    leave();
    namespace.delete();
  });

  it.each(['capture0', 'capture0,second0', 'any'])('loses nothing that it had not taken (%s)', async (interfaces) => {
    const database = join(temporaryDirectory(), 'flows.db');
    const log: string[] = [];
    const pipeline = new Pipeline({
      config: resolveConfig({ 'db.path': database, 'cpu.affinity': 'off', 'batch.age-ms-max': 500 }),
      session: {
        key: 'takeover',
        mode: 'live',
        source: interfaces,
        startedUs: Date.now() * 1000,
        startedMonotonicMs: monotonicMs(),
      },
      source: { type: 'afpacket', interfaces: interfaces.split(',') },
      hasApi: false,
      log: (level, message) => log.push(`${level} ${message}`),
    });
    const received = (): number => readLedger(pipeline.memory).received;
    const until = async (condition: () => boolean): Promise<void> => {
      while (!condition()) await setImmediate();
    };
    try {
      await pipeline.start();
      const running = pipeline.run();
      const flood = new FrameFlood('peer0', mixedFrames(200));
      await flood.started();
      await until(() => received() > 1000);
      const sockets = socketCount();
      for (let kill = 1; kill <= KILLS; kill++) {
        await (pipeline['captureThread'] as unknown as { worker: Worker }).worker.terminate();
        const before = received();
        await until(() => received() > before + 2000);
      }
      expect(socketCount()).toBe(sockets);
      await flood.stop();
      pipeline.requestStop();
      expect((await running).error).toBeNull();
      await pipeline.drain();
    } finally {
      await pipeline.close();
    }
    const ledger = readLedger(pipeline.memory);
    expect(log.filter((line) => line.includes('capture died'))).toHaveLength(KILLS);
    expect(ledgerDifference(ledger)).toBe(0);
    expect(ledger.received).toBe(ledger.kernelPackets - ledger.kernelDropped);
    const gaps = new GapLog(pipeline.memory.gaps).after(0);
    expect(gaps.filter(({ linkIndex }) => linkIndex === 0)).toEqual([]);
    const db = new Database(database, { readonly: true });
    const stored = db.prepare('SELECT sum(src_packets + dst_packets) packets FROM flow_view').pluck().get();
    db.close();
    expect(stored).toBe(ledger.inFlows);
    expect(ledger.dropped['capture_crash'] ?? 0).toBeLessThanOrEqual(KILLS);
    console.log(`${interfaces}: ${ledger.received} received, ${ledger.dropped['capture_crash'] ?? 0} lost in ${KILLS} deaths`);
  });
});
