import { describe, expect, it } from 'vitest';
import { FlowEmitter } from '../../src/parse/flow-emitter.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { Drop } from '../../src/ring/drop-reason.js';
import { Slot, Table } from '../../src/ring/layout.js';
import { ledgerDifference } from '../../src/ring/ledger.js';
import { ResumeAt, RingConsumer, RingProducer } from '../../src/ring/ring.js';
import { Cell } from '../../src/ring/thread-block.js';
import { tcpFrame, udpFrame } from '../helpers/frames.js';
import { ParseRig } from '../helpers/parse-rig.js';

const flowOf = (srcPort: number) => udpFrame({ src: '10.0.0.9', srcPort, dst: '10.0.0.1', dstPort: 53 });

/** What a worker has done when it dies between taking a packet and moving on. */
function takeOnly(rig: ParseRig): void {
  const ring = new RingConsumer(rig.memory.frameRings[0] as SharedArrayBuffer, ResumeAt.Cursor);
  expect(ring.peek()).toBeGreaterThanOrEqual(0);
  new Int32Array(rig.memory.flowTables[0] as SharedArrayBuffer)[Table.TakenPosition] = ring.position;
  rig.block.cells[Cell.FramesTaken] = rig.block.cell(Cell.FramesTaken) + 1;
}

describe('a worker that takes over', () => {
  it('goes on with the open flows, and with the frames that wait', () => {
    const rig = new ParseRig().feed(flowOf(1), 1).feed(flowOf(2), 2).push(flowOf(1), 3);
    rig.replaceWorker().step().finish();
    expect(rig.flows().map((flow) => flow.packets)).toEqual([
      [1, 0],
      [2, 0],
    ]);
    expect(rig.ledger).toMatchObject({ received: 3, inFlows: 3, dropped: {}, flowsEmitted: 2 });
  });

  it('keeps the order of last use, so that timeouts and eviction go on as before', () => {
    const rig = new ParseRig({ 'flow.active-max': 2 }).feed(flowOf(1), 1).feed(flowOf(2), 2).feed(flowOf(1), 3);
    rig.replaceWorker().feed(flowOf(3), 4);
    expect(rig.flows()).toMatchObject([{ endReason: 'evicted', src: '10.0.0.9 2' }]);
    rig.replaceWorker().feed(tcpFrame(), 100e6);
    expect(rig.flows().map((flow) => flow.endReason)).toEqual(['idle_timeout', 'idle_timeout']);
  });

  it('skips the packet in hand and counts it, if no counter holds it', () => {
    const rig = new ParseRig().feed(flowOf(1)).push(flowOf(1)).push(flowOf(1));
    takeOnly(rig);
    rig.replaceWorker().step().finish();
    expect(rig.flows()).toMatchObject([{ packets: [2, 0] }]);
    expect(rig.ledger).toMatchObject({ received: 3, inFlows: 2, dropped: { worker_crash: 1 } });
    expect(ledgerDifference(rig.ledger)).toBe(0);
  });

  it('skips the packet in hand and counts nothing, if it was dropped already', () => {
    const rig = new ParseRig().push(new Uint8Array(5)).push(flowOf(1));
    takeOnly(rig);
    rig.block.cells[Cell.Drops + Drop.LinkTruncated] = 1;
    rig.replaceWorker().step().finish();
    expect(rig.ledger).toMatchObject({ received: 2, inFlows: 1, dropped: { link_truncated: 1 } });
    expect(ledgerDifference(rig.ledger)).toBe(0);
  });

  it('believes the slots, not a packet count that was not finished', () => {
    const rig = new ParseRig().feed(flowOf(1)).push(flowOf(1));
    takeOnly(rig);
    // The predecessor died behind the slot's packet count and before the sum over all flows.
    const floats = new Float64Array(rig.memory.flowTables[0] as SharedArrayBuffer);
    const packets = floats.findIndex((value, index) => index > Table.HeaderBytes / 8 && value === 1);
    expect(packets % (Slot.Bytes / 8)).toBe((Table.HeaderBytes / 8 + Slot.Packets1F64) % (Slot.Bytes / 8));
    floats[packets] = 2;
    rig.replaceWorker().step().finish();
    expect(rig.flows()).toMatchObject([{ packets: [2, 0] }]);
    expect(rig.ledger).toMatchObject({ received: 2, inFlows: 2, dropped: {} });
  });

  describe('finds an emission under way', () => {
    /** Leaves memory as it is when the worker dies in the middle of writing its only flow. */
    function dyingEmission(isPublished: boolean): ParseRig {
      const rig = new ParseRig().feed(flowOf(1)).feed(flowOf(1));
      const table = rig.memory.flowTables[0] as SharedArrayBuffer;
      const words = new Int32Array(table);
      const slot = Array.from({ length: 100 }, (_, index) => index).find(
        (index) => words[(Table.HeaderBytes + index * Slot.Bytes) / 4 + Slot.State] === 1,
      ) as number;
      const word = (Table.HeaderBytes + slot * Slot.Bytes) / 4;
      words[word + Slot.EndReason] = 1;
      words[Table.JournalPosition] = 0;
      words[Table.JournalSlot] = slot;
      if (isPublished) {
        const ring = new RingProducer(rig.memory.flowRings[0] as SharedArrayBuffer, new Doorbell(rig.memory.writer));
        new FlowEmitter(ring, 0, table, rig.block).emitFlow(slot);
      }
      return rig;
    }

    it('that was published: the flow is written once', () => {
      const rig = dyingEmission(true).replaceWorker().finish();
      expect(rig.flows()).toMatchObject([{ endReason: 'idle_timeout', packets: [2, 0] }]);
      expect(rig.ledger).toMatchObject({ inFlows: 2, flowsEmitted: 1 });
      expect(rig.block.cell(Cell.PacketsEmitted)).toBe(2);
    });

    it('that was not published: the flow is open again', () => {
      const rig = dyingEmission(false).replaceWorker();
      expect(rig.flows()).toEqual([]);
      expect(rig.block.cell(Cell.FlowsActive)).toBe(1);
      expect(rig.finish().flows()).toMatchObject([{ endReason: 'end_of_input', packets: [2, 0] }]);
      expect(rig.ledger).toMatchObject({ inFlows: 2, flowsEmitted: 1 });
    });
  });
});
