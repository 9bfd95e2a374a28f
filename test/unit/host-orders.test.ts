import { describe, expect, it } from 'vitest';
import { HostBlock } from '../../src/ring/host-block.js';
import { Host, HostCell } from '../../src/ring/host-layout.js';
import { ledgerDifference } from '../../src/ring/ledger.js';
import { Cell } from '../../src/ring/thread-block.js';
import { dnsMessage, question } from '../helpers/dns-bytes.js';
import { udpFrame } from '../helpers/frames.js';
import { ParseRig } from '../helpers/parse-rig.js';

const FLOWS = 100;
const SECOND_US = 1e6;

/** A UDP packet of the `index`th client; `answer` goes back to it. */
const frameOf = (index: number, answer = false): Uint8Array => {
  const client = { src: `10.0.${index >> 8}.${index & 255}`, srcPort: 1000 + index, dst: '10.9.9.9', dstPort: 53_000 };
  return udpFrame(answer ? { src: client.dst, srcPort: client.dstPort, dst: client.src, dstPort: client.srcPort } : client);
};

/** A query for a name of this number, of a client of this number. */
const dnsQuery = (index: number): Uint8Array =>
  udpFrame({ srcPort: 40_000 + index, dstPort: 53, payload: dnsMessage({ questions: [question(`name${index}.example`)] }) });

/** A worker with `FLOWS` open flows, each of two packets. */
function fullRig(): { rig: ParseRig; host: HostBlock } {
  const rig = new ParseRig({ 'flow.active-max': FLOWS }, 'live');
  for (let i = 0; i < FLOWS; i++) rig.push(frameOf(i), i).push(frameOf(i, true), i);
  rig.step(FLOWS);
  return { rig, host: new HostBlock(rig.memory.host) };
}

describe('orders to a parse worker', () => {
  it('shrink the flow table: the least recently used are written, and the ledger stays closed', () => {
    const { rig, host } = fullRig();
    host.setControl(Host.FlowTablePercent, 50);
    rig.step(FLOWS);
    const evicted = rig.flows();
    expect(evicted).toHaveLength(50);
    expect(evicted.every(({ endReason }) => endReason === 'evicted')).toBe(true);
    expect(evicted.map(({ src }) => src)).toEqual(Array.from({ length: 50 }, (_, i) => `10.0.0.${i} ${1000 + i}`));
    expect(rig.block.cell(Cell.FlowsActive)).toBe(50);
    expect(ledgerDifference(rig.ledger)).toBe(0);

    for (let i = FLOWS; i < FLOWS + 30; i++) rig.feed(frameOf(i), FLOWS + i);
    expect(rig.block.cell(Cell.FlowsActive)).toBe(50);
    expect(rig.flows()).toHaveLength(30);

    host.setControl(Host.FlowTablePercent, 100);
    for (let i = 200; i < 300; i++) rig.feed(frameOf(i), FLOWS + i);
    expect(rig.block.cell(Cell.FlowsActive)).toBe(FLOWS);
    rig.finish();
    const { received, inFlows } = rig.ledger;
    expect([received, inFlows, ledgerDifference(rig.ledger)]).toEqual([330, 330, 0]);
    expect(rig.block.cell(Cell.PacketsEmitted)).toBe(330);
    expect(rig.block.cell(Cell.FlowsEvicted)).toBe(50 + 30 + 50);
  });

  it('shrink a large table in steps, between which packets are taken', () => {
    const rig = new ParseRig({ 'flow.active-max': 4_000 }, 'live');
    for (let i = 0; i < 4_000; i++) rig.push(frameOf(i), i);
    rig.step(4_000);
    new HostBlock(rig.memory.host).setControl(Host.FlowTablePercent, 50);
    rig.step(4_001);
    expect(rig.block.cell(Cell.FlowsActive)).toBe(4_000 - 512);
    for (let i = 0; i < 10; i++) rig.step(4_002 + i);
    expect(rig.block.cell(Cell.FlowsActive)).toBe(2_000);
    expect(ledgerDifference(rig.ledger)).toBe(0);
  });

  it('reach the successor of a worker that died', () => {
    const { rig, host } = fullRig();
    host.setControl(Host.FlowTablePercent, 50);
    rig.replaceWorker().step(FLOWS);
    expect(rig.block.cell(Cell.FlowsActive)).toBe(50);
    expect(ledgerDifference(rig.ledger)).toBe(0);
  });

  it('change timeouts, for flows that are open too', () => {
    const { rig, host } = fullRig();
    rig.step(20 * SECOND_US);
    expect(rig.flows()).toEqual([]);
    const forever = Number.POSITIVE_INFINITY;
    host.cells.set([forever, 10 * SECOND_US, forever, forever, forever], HostCell.IdleTcpUs);
    host.setControl(Host.SettingsVersion, 1);
    rig.step(20 * SECOND_US + 1);
    expect(rig.flows().map(({ endReason }) => endReason)).toEqual(Array.from({ length: FLOWS }, () => 'idle_timeout'));
    rig.feed(frameOf(1), 30 * SECOND_US);
    host.cells[HostCell.IdleUdpUs] = forever;
    host.cells[HostCell.ActiveUs] = 40 * SECOND_US;
    host.setControl(Host.SettingsVersion, 2);
    rig.step(60 * SECOND_US);
    expect(rig.flows()).toEqual([]);
    rig.step(71 * SECOND_US);
    expect(rig.flows()).toMatchObject([{ endReason: 'active_timeout' }]);
  });

  it('leave payload unread, and count the packets all the same', () => {
    const rig = new ParseRig({}, 'live').feed(dnsQuery(1), 0);
    const host = new HostBlock(rig.memory.host);
    host.setControl(Host.IsPayloadUnread, 1);
    rig.feed(dnsQuery(2), 1);
    host.setControl(Host.IsPayloadUnread, 0);
    rig.feed(dnsQuery(3), 2).finish();
    expect(rig.dns().map(({ name }) => name)).toEqual(['name1.example', 'name3.example']);
    expect(rig.ledger).toMatchObject({ received: 3, inFlows: 3 });
  });
});
