import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HostBlock } from '../../src/ring/host-block.js';
import { Host } from '../../src/ring/host-layout.js';
import { ledgerDifference } from '../../src/ring/ledger.js';
import { Cell } from '../../src/ring/thread-block.js';
import { udpFrame } from '../helpers/frames.js';
import { ParseRig } from '../helpers/parse-rig.js';

const FLOWS_MAX = 40;

/** What may happen to a worker: packets of some client, another limit of its table, payload or none, death. */
const event = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ type: fc.constant('packet' as const), client: fc.nat(120), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('limit' as const), percent: fc.integer({ min: 1, max: 100 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('payload' as const), isUnread: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('death' as const) }) },
);

describe('orders to a parse worker, in any order', () => {
  it('lose no packet, count none twice, and keep the table within its limit', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const rig = new ParseRig({ 'flow.active-max': FLOWS_MAX }, 'live');
        const host = new HostBlock(rig.memory.host);
        let sent = 0;
        let percent = 100;
        for (const [us, step] of events.entries()) {
          if (step.type === 'packet') {
            const frame = udpFrame({ src: `10.0.1.${step.client}`, srcPort: 2000, dstPort: 53, payload: 'x' });
            for (let i = 0; i < step.count; i++) rig.push(frame, us);
            sent += step.count;
          } else if (step.type === 'limit') {
            percent = step.percent;
            host.setControl(Host.FlowTablePercent, percent);
          } else if (step.type === 'payload') host.setControl(Host.IsPayloadUnread, Number(step.isUnread));
          else rig.replaceWorker();
          rig.step(us);
          expect(rig.block.cell(Cell.FlowsActive)).toBeLessThanOrEqual(Math.max(1, Math.floor((FLOWS_MAX * percent) / 100)));
          expect(ledgerDifference(rig.ledger)).toBe(0);
        }
        rig.finish();
        const packets = rig.flows().reduce((sum, flow) => sum + flow.packets[0] + flow.packets[1], 0);
        expect([rig.ledger.received, rig.ledger.inFlows, packets]).toEqual([sent, sent, sent]);
      }),
      { numRuns: 60 },
    );
  });
});
