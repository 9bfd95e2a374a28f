import { describe, expect, it } from 'vitest';
import { Drop } from '../../src/ring/drop-reason.js';
import { Command, ThreadState } from '../../src/ring/layout.js';
import { Cell, type ThreadBlock } from '../../src/ring/thread-block.js';
import { ApiPipeline } from '../helpers/api-pipeline.js';

const codes = (pipeline: ApiPipeline): string[] => pipeline.monitor.health().reasons.map((reason) => reason.code);
const parse0 = (pipeline: ApiPipeline): ThreadBlock => pipeline.parse[0] as ThreadBlock;

describe('the ledger', () => {
  it('balances while packets are in rings and in hand', () => {
    const pipeline = new ApiPipeline().running();
    pipeline.receive(100);
    pipeline.drop(7, Drop.Arp, parse0(pipeline));
    pipeline.add(pipeline.capture, Cell.FramesReceived, 5);
    pipeline.add(parse0(pipeline), Cell.FramesTaken, 1);
    pipeline.push(pipeline.memory.frameRings[0], 500);
    pipeline.pass(10_000);
    expect(pipeline.monitor.health()).toMatchObject({
      status: 'ok',
      ledger: {
        received: 112,
        in_flows: 100,
        dropped: { arp: 7 },
        waiting: 5,
        waiting_in_rings: 4,
        waiting_in_hand: 1,
        balanced: true,
      },
    });
  });

  it('finds a packet missing once nothing moves and the rings are empty', () => {
    const pipeline = new ApiPipeline().running();
    pipeline.receive(100);
    pipeline.add(pipeline.capture, Cell.FramesReceived, 1);
    expect(pipeline.monitor.health().ledger).toMatchObject({ waiting: 1, balanced: true });
    pipeline.pass(1_000);
    pipeline.receive(1);
    expect(pipeline.monitor.health().ledger.balanced).toBe(true);
    pipeline.pass(2_000);
    expect(pipeline.monitor.health()).toMatchObject({ status: 'degraded', ledger: { waiting: 1, balanced: false } });
    expect(codes(pipeline)).toEqual(['ledger_unbalanced']);
  });

  it('waits for a capture that is late with publishing, and not for one that has ended', () => {
    const pipeline = new ApiPipeline().running();
    pipeline.silent.add(pipeline.capture);
    pipeline.add(pipeline.capture, Cell.FramesReceived, 1);
    pipeline.pass(4_000);
    expect(codes(pipeline)).toEqual([]);
    pipeline.capture.command = Command.Drain;
    pipeline.capture.state = ThreadState.Ended;
    expect(codes(pipeline)).toEqual(['ledger_unbalanced']);
  });

  it('does not hide a worker that counts twice behind one that lags', () => {
    const pipeline = new ApiPipeline().running();
    pipeline.receive(10, 0);
    pipeline.receive(10, 1);
    pipeline.add(pipeline.capture, Cell.FramesReceived, 5);
    pipeline.add(parse0(pipeline), Cell.PacketsInFlows, 1);
    expect(codes(pipeline)).toEqual(['ledger_unbalanced']);
  });
});
