import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isPossible } from '../../src/api/snapshot.js';
import { SnapshotReader } from '../../src/api/snapshot-reader.js';
import { Drop } from '../../src/ring/drop-reason.js';
import { InterfaceTable } from '../../src/ring/interface-table.js';
import { Ring, Thread, ThreadState } from '../../src/ring/layout.js';
import { Cell, type ThreadBlock } from '../../src/ring/thread-block.js';
import { ApiPipeline, SLOTS_PER_WORKER } from '../helpers/api-pipeline.js';

describe('a snapshot', () => {
  it('adds up what the threads count', () => {
    const pipeline = new ApiPipeline();
    const [first, second] = pipeline.parse as [ThreadBlock, ThreadBlock];
    pipeline.receive(10, 0);
    pipeline.receive(20, 1);
    pipeline.drop(3, Drop.RingFull, pipeline.capture);
    pipeline.drop(1, Drop.Arp, first);
    pipeline.drop(2, Drop.Arp, second);
    const snapshot = new SnapshotReader(pipeline.memory, pipeline.session).read(pipeline.nowMs);
    expect(snapshot.drops).toEqual({ ring_full: 3, arp: 3 });
    expect(snapshot.ledger).toEqual({ received: 36, inFlows: 30, dropped: 6, inRings: 0, inHand: 0 });
    expect(snapshot.workers.map((worker) => worker.packetsInFlows)).toEqual([10, 20]);
    expect(snapshot.workers.map((worker) => worker.flowsActiveMax)).toEqual([SLOTS_PER_WORKER, SLOTS_PER_WORKER]);
  });

  it('tells the state of every thread', () => {
    const pipeline = new ApiPipeline();
    const { writer } = pipeline;
    writer.state = ThreadState.Draining;
    writer.cells[Cell.HeartbeatMs] = pipeline.nowMs - 250;
    writer.words[Thread.TaskId] = 4321;
    pipeline.add(writer, Cell.Starts, 3);
    const { threads } = new SnapshotReader(pipeline.memory, pipeline.session).read(pipeline.nowMs);
    expect(threads.map((thread) => thread.name)).toEqual(['capture', 'parse-0', 'parse-1', 'writer', 'api']);
    const fresh = { state: 'starting', isDraining: false, heartbeatAgeMs: null, restarts: 0, hangs: 0, taskId: null };
    expect(threads[0]).toEqual({ name: 'capture', ...fresh });
    expect(threads[3]).toEqual({
      name: 'writer',
      state: 'draining',
      isDraining: true,
      heartbeatAgeMs: 250,
      restarts: 2,
      hangs: 0,
      taskId: 4321,
    });
  });

  it('names the interfaces', () => {
    const pipeline = new ApiPipeline();
    const table = new InterfaceTable(pipeline.memory.interfaces);
    table.indexOf('eth0', 1);
    table.indexOf('wlan0', 1);
    expect(new SnapshotReader(pipeline.memory, pipeline.session).read(0).interfaces).toEqual(['eth0', 'wlan0']);
  });

  it('keeps the fill of a ring in its range while both ends move', () => {
    const pipeline = new ApiPipeline();
    const words = new Int32Array(pipeline.memory.frameRings[0] as SharedArrayBuffer);
    const reader = new SnapshotReader(pipeline.memory, pipeline.session);
    words[Ring.Consumed] = 64;
    expect(reader.read(0).workers[0]?.frameRing.usedBytes).toBe(0);
    words[Ring.Produced] = 1_000_000;
    expect(reader.read(0).workers[0]?.frameRing).toEqual({ usedBytes: 65_536, capacityBytes: 65_536 });
  });
});

/**
 * Counts packets as the threads do: received, dropped or published and taken, in a flow, emitted, each after the other, as fast
 * as it can.
 */
const COUNTING_THREAD = `
  const { workerData } = require('node:worker_threads');
  const { capture, parse, ring, cell, offset, produced, consumed } = workerData;
  const up = new Float64Array(capture, offset);
  const down = new Float64Array(parse, offset);
  const words = new Int32Array(ring);
  for (;;) {
    up[cell.received]++;
    if (up[cell.received] % 5 === 0) { up[cell.drop]++; continue; }
    Atomics.add(words, produced, 40);
    down[cell.taken]++;
    if (up[cell.received] % 7 === 0) down[cell.drop]++;
    else {
      down[cell.inFlows]++;
      down[cell.emitted]++;
    }
    Atomics.add(words, consumed, 40);
  }
`;

describe('a snapshot of threads that count', () => {
  it('never shows more packets downstream than upstream', async () => {
    const pipeline = new ApiPipeline();
    const { memory } = pipeline;
    const cell = {
      received: Cell.FramesReceived,
      taken: Cell.FramesTaken,
      inFlows: Cell.PacketsInFlows,
      emitted: Cell.PacketsEmitted,
      drop: Cell.Drops + Drop.RingFull,
    };
    const shared = {
      capture: memory.capture,
      parse: memory.parse[0],
      ring: memory.frameRings[0],
      produced: Ring.Produced,
      consumed: Ring.Consumed,
    };
    const worker = new Worker(COUNTING_THREAD, { eval: true, workerData: { ...shared, cell, offset: Thread.CellsF64 * 8 } });
    onTestFinished(async () => {
      await worker.terminate();
    });
    await once(worker, 'online');

    const reader = new SnapshotReader(memory, new ApiPipeline().session);
    const impossible = [];
    let snapshot = reader.read(0);
    let moved = 0;
    while (moved < 500) {
      const before = snapshot.ledger.received;
      snapshot = reader.read(0);
      if (!isPossible(snapshot)) impossible.push(snapshot.ledger);
      if (snapshot.ledger.received > before) moved++;
    }
    expect(impossible).toEqual([]);
    expect(snapshot.ledger.inFlows).toBeGreaterThan(0);
    expect(snapshot.drops.ring_full).toBeGreaterThan(0);
  });
});
