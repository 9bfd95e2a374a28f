import { describe, expect, it } from 'vitest';
import { Cell } from '../../src/ring/thread-block.js';
import { ethernet, frame, icmp, ipv4, ipv6, tcpFrame, udp, udpFrame, vlan } from '../helpers/frames.js';
import { ParseRig } from '../helpers/parse-rig.js';

const SECOND = 1e6;
const client = { src: '10.0.0.9', srcPort: 40000, dst: '10.0.0.1', dstPort: 443 };
const server = { src: '10.0.0.1', srcPort: 443, dst: '10.0.0.9', dstPort: 40000 };
const fromClient = (flags: string, payload = '') => tcpFrame({ ...client, flags, payload });
const fromServer = (flags: string, payload = '') => tcpFrame({ ...server, flags, payload });

function handshake(rig: ParseRig, us = 0): ParseRig {
  return rig
    .feed(fromClient('S'), us)
    .feed(fromServer('S.'), us + 10)
    .feed(fromClient('.'), us + 20);
}

describe('a flow', () => {
  it('counts both directions: packets, IP bytes, wire bytes, payload', () => {
    const rig = new ParseRig();
    rig.feed(udpFrame({ ...client, payload: 'question' }), 1000).feed(udpFrame({ ...server, payload: 'an answer' }), 3000);
    expect(rig.finish().flows()).toEqual([
      expect.objectContaining({
        protocol: 17,
        src: '10.0.0.9 40000',
        dst: '10.0.0.1 443',
        packets: [1, 1],
        ipBytes: [36, 37],
        wireBytes: [50, 51],
        payloadBytes: [8, 9],
        startUs: 1000,
        endUs: 3000,
        endReason: 'end_of_input',
        tcpState: '',
        flowId: 0,
      }),
    ]);
  });

  it('takes the wire length, not what was captured', () => {
    const rig = new ParseRig().feed(udpFrame(client).subarray(0, 42), 0, { wireBytes: 1514 });
    expect(rig.finish().flows()).toMatchObject([{ wireBytes: [1514, 0] }]);
  });

  it('is told apart by every part of its key', () => {
    const rig = new ParseRig();
    for (const part of [{}, { srcPort: 1 }, { dstPort: 1 }, { src: '10.0.0.8' }, { dst: '10.0.0.2' }])
      rig.feed(udpFrame({ ...client, ...part }));
    rig.feed(tcpFrame(client)).feed(udpFrame({ ...client, src: '2001:db8::9', dst: '2001:db8::1' }));
    rig.feed(udpFrame({ ...client, src: '2001:db8:1::9', dst: '2001:db8::1' }));
    rig.feed(udpFrame({ ...client, src: '2001:db8::9', dst: '2001:db8::1:0:0:1' }));
    expect(rig.finish().flows()).toHaveLength(9);
  });

  it('is one for both directions of IPv6, and between equal addresses', () => {
    const rig = new ParseRig();
    const [a, b] = ['2001:db8::ffff:1', '2001:db8:8000::1'];
    rig.feed(udpFrame({ src: a, srcPort: 1, dst: b, dstPort: 2 })).feed(udpFrame({ src: b, srcPort: 2, dst: a, dstPort: 1 }));
    rig.feed(udpFrame({ src: a, srcPort: 9, dst: a, dstPort: 8 })).feed(udpFrame({ src: a, srcPort: 8, dst: a, dstPort: 9 }));
    expect(rig.finish().flows()).toMatchObject([
      { packets: [1, 1], src: '2001:db8:0:0:0:0:ffff:1 1' },
      { packets: [1, 1], src: '2001:db8:0:0:0:0:ffff:1 9' },
    ]);
  });

  it('keeps ICMP type and code of its first packet, and has no ports', () => {
    const rig = new ParseRig().feed(frame(ethernet(), ipv4(), icmp({ type: 8, code: 0 })));
    rig.feed(frame(ethernet(), ipv4({ src: '10.0.0.2', dst: '10.0.0.1' }), icmp({ type: 0 })));
    expect(rig.finish().flows()).toMatchObject([{ icmp: 0x0800, packets: [1, 1], src: '10.0.0.1 0', dst: '10.0.0.2 0' }]);
  });

  it('ignores the VLAN in its key unless asked, and keeps the first one', () => {
    const tagged = (id: number) => frame(ethernet(), vlan(id), ipv4(), udp());
    expect(new ParseRig().feed(tagged(5)).feed(tagged(6)).finish().flows()).toMatchObject([{ packets: [2, 0], vlanId: 5 }]);
    const keyed = new ParseRig({ 'flow.key-vlan': true }).feed(tagged(5)).feed(tagged(6)).feed(tagged(6));
    expect(
      keyed
        .finish()
        .flows()
        .map((flow) => [flow.vlanId, flow.packets[0]]),
    ).toEqual([
      [5, 1],
      [6, 2],
    ]);
  });

  it('starts with its earliest packet even when packets are out of order', () => {
    const rig = new ParseRig().feed(udpFrame(client), 5000).feed(udpFrame(client), 2000).feed(udpFrame(client), 4000);
    expect(rig.finish().flows()).toMatchObject([{ startUs: 2000, endUs: 5000 }]);
  });
});

describe('the initiator', () => {
  it('is who sent the first packet', () => {
    expect(new ParseRig().feed(fromServer('.')).feed(fromClient('.')).finish().flows()).toMatchObject([{ src: '10.0.0.1 443' }]);
  });

  it('is who sent the SYN, even if the answer was seen first', () => {
    const rig = new ParseRig().feed(fromServer('S.')).feed(fromClient('S')).feed(fromClient('.'));
    expect(rig.finish().flows()).toMatchObject([{ src: '10.0.0.9 40000', packets: [2, 1], tcpState: 'established' }]);
  });
});

describe('TCP state', () => {
  it.each([
    ['attempt', ['cS']],
    ['attempt', ['cS', 'sS.']],
    ['established', ['cS', 'sS.', 'c.']],
    ['established', ['cS', 'c.']],
    ['midstream', ['cP.', 's.']],
    ['closed', ['cS', 'sS.', 'c.', 'cF.', 's.', 'sF.', 'c.']],
    ['reset', ['cS', 'sS.', 'c.', 'sR.']],
    ['reset', ['c.', 'sR']],
    ['rejected', ['cS', 'sR.']],
    ['rejected', ['cS', 'cS', 'sR.', 'cR']],
    // A half-open scan of an open port, one that the responder ends itself, and an answer that was seen before the SYN.
    ['reset', ['cS', 'sS.', 'cR']],
    ['reset', ['cS', 'sS.', 'sR.']],
    ['reset', ['sS.', 'cR']],
    // Given up by the client, which is no answer of the server's, whatever comes too late.
    ['attempt', ['cS', 'cR']],
    ['attempt', ['cS', 'cR.', 'sS.', 'cR', 'c.']],
    ['established', ['cS', 'sS.', 'c.', 'cF.', 's.']],
  ])('is %s after %j', (state, segments) => {
    const rig = new ParseRig({ 'flow.tcp-linger-s': 0 });
    for (const segment of segments) rig.feed((segment[0] === 'c' ? fromClient : fromServer)(segment.slice(1)));
    expect(rig.finish().flows()).toMatchObject([{ tcpState: state }]);
  });

  it('collects the flags of each side', () => {
    const rig = handshake(new ParseRig()).feed(fromClient('P.', 'x')).feed(fromServer('F.'));
    expect(rig.finish().flows()).toMatchObject([{ tcpFlags: [0x1a, 0x13] }]);
  });
});

describe('the end of a flow', () => {
  it('comes a linger after both FINs, with stragglers still in it', () => {
    const rig = handshake(new ParseRig({ 'flow.tcp-linger-s': 5 }));
    rig
      .feed(fromClient('F.'), 1 * SECOND)
      .feed(fromServer('F.'), 2 * SECOND)
      .feed(fromClient('.'), 3 * SECOND);
    expect(rig.flows()).toEqual([]);
    rig.feed(udpFrame(), 7 * SECOND);
    expect(rig.flows()).toEqual([]);
    rig.feed(udpFrame(), 8 * SECOND);
    expect(rig.flows()).toMatchObject([{ endReason: 'tcp_fin', packets: [4, 2], endUs: 3 * SECOND, emittedUs: 8 * SECOND }]);
  });

  it('comes a linger after RST', () => {
    const rig = handshake(new ParseRig({ 'flow.tcp-linger-s': 1 }))
      .feed(fromServer('R'), SECOND)
      .feed(udpFrame(), 2 * SECOND);
    expect(rig.flows()).toMatchObject([{ endReason: 'tcp_reset', tcpState: 'reset' }]);
  });

  it('comes a linger after the RST of a client that gave up, as an attempt', () => {
    const rig = new ParseRig({ 'flow.tcp-linger-s': 1 })
      .feed(fromClient('S'), 0)
      .feed(fromClient('R'), SECOND)
      .feed(udpFrame(), 2 * SECOND);
    expect(rig.flows()).toMatchObject([{ endReason: 'tcp_reset', tcpState: 'attempt', packets: [2, 0] }]);
  });

  it('comes with a fresh SYN after a client gave up, whatever the linger', () => {
    const rig = new ParseRig({ 'flow.tcp-linger-s': 0 }).feed(fromClient('S')).feed(fromClient('R')).feed(fromClient('S'));
    expect(rig.flows()).toMatchObject([{ endReason: 'tcp_reset', tcpState: 'attempt', packets: [2, 0] }]);
  });

  it('comes with a fresh SYN, which begins a new flow', () => {
    const rig = handshake(new ParseRig()).feed(fromServer('R.'), 100).feed(fromClient('S'), 200);
    expect(rig.flows()).toMatchObject([{ endReason: 'tcp_reset', packets: [2, 2] }]);
    expect(rig.finish().flows()).toMatchObject([{ tcpState: 'attempt', packets: [1, 0], startUs: 200 }]);
  });

  it.each([
    ['TCP', tcpFrame(client), 'flow.idle-tcp-s'],
    ['UDP', udpFrame(client), 'flow.idle-udp-s'],
    ['ICMP', frame(ethernet(), ipv4(), icmp()), 'flow.idle-other-s'],
    ['ICMPv6', frame(ethernet(), ipv6({ nextHeader: 58 }), new Uint8Array(8)), 'flow.idle-other-s'],
  ] as const)('comes when %s is idle for its timeout', (_, packet, option) => {
    const other = option === 'flow.idle-udp-s' ? tcpFrame() : udpFrame();
    const rig = new ParseRig({ [option]: 10 }).feed(packet, 0).feed(packet, 5 * SECOND);
    expect(rig.feed(other, 15 * SECOND - 1).flows()).toEqual([]);
    expect(rig.feed(other, 15 * SECOND).flows()).toMatchObject([{ endReason: 'idle_timeout', packets: [2, 0] }]);
  });

  it('separates packets that are further apart than the idle timeout', () => {
    const rig = new ParseRig({ 'flow.idle-udp-s': 10 }).feed(udpFrame(client), 0).feed(udpFrame(client), 10 * SECOND);
    expect(
      rig
        .finish()
        .flows()
        .map((flow) => flow.packets),
    ).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });

  it('never comes with timeouts that are off', () => {
    const off = {
      'flow.idle-tcp-s': 0,
      'flow.idle-udp-s': 0,
      'flow.idle-other-s': 0,
      'flow.active-s': 0,
      'flow.tcp-linger-s': 0,
    };
    const rig = handshake(new ParseRig(off)).feed(fromClient('F.')).feed(fromServer('F.'));
    rig.feed(udpFrame(client), 1).feed(udpFrame(client), 3e15);
    expect(rig.flows()).toEqual([]);
    expect(rig.finish().flows()).toHaveLength(2);
  });

  it('goes by the clock that is handed in when live, whatever the packets say', () => {
    const rig = new ParseRig({ 'flow.idle-udp-s': 10 }, 'live').push(udpFrame(client), 5e15).step(1000 * SECOND);
    expect(rig.step(1009 * SECOND).flows()).toEqual([]);
    expect(rig.step(1010 * SECOND).flows()).toMatchObject([{ endReason: 'idle_timeout', emittedUs: 1010 * SECOND }]);
  });
});

describe('the active timeout', () => {
  it('writes a long flow in segments that share an id and count each packet once', () => {
    const rig = new ParseRig({ 'flow.active-s': 60 });
    for (let second = 0; second <= 150; second += 10) rig.feed(udpFrame(client), second * SECOND);
    const flows = rig.finish().flows();
    expect(flows.map((flow) => [flow.endReason, flow.segmentIndex, flow.packets[0], flow.startUs / SECOND])).toEqual([
      ['active_timeout', 0, 6, 0],
      ['active_timeout', 1, 6, 60],
      ['end_of_input', 2, 4, 120],
    ]);
    expect(new Set(flows.map((flow) => flow.flowId)).size).toBe(1);
    expect((flows[0]?.flowId ?? 0) % 2).toBe(1);
  });

  it('writes nothing more for a flow that stays silent after a segment', () => {
    const rig = new ParseRig({ 'flow.active-s': 10, 'flow.idle-udp-s': 60 }).feed(udpFrame(client), 0);
    rig.feed(tcpFrame(), 10 * SECOND);
    expect(rig.flows()).toMatchObject([{ endReason: 'active_timeout' }]);
    rig.feed(tcpFrame(), 70 * SECOND);
    expect(rig.flows().filter((flow) => flow.protocol === 17)).toEqual([]);
    expect(rig.block.cell(Cell.FlowsActive)).toBe(1);
  });

  it('gives every flow an id of its own', () => {
    const rig = new ParseRig({ 'flow.active-s': 10 });
    for (const us of [0, 10 * SECOND]) for (const srcPort of [1, 2, 3]) rig.feed(udpFrame({ ...client, srcPort }), us);
    expect(new Set(rig.flows().map((flow) => flow.flowId)).size).toBe(3);
  });
});

describe('a full table', () => {
  it('writes the least recently used flow and goes on', () => {
    const rig = new ParseRig({ 'flow.active-max': 3 });
    for (const srcPort of [1, 2, 3, 1]) rig.feed(udpFrame({ ...client, srcPort }), srcPort);
    rig.feed(tcpFrame(client), 10);
    expect(rig.flows()).toMatchObject([{ endReason: 'evicted', src: '10.0.0.9 2' }]);
    rig.feed(tcpFrame({ ...client, srcPort: 7 }), 11);
    expect(rig.flows()).toMatchObject([{ endReason: 'evicted', src: '10.0.0.9 3' }]);
    expect(rig.ledger).toMatchObject({ flowsEvicted: 2, inFlows: 6 });
  });

  it('loses no packet while 20,000 flows pass through 100 slots', () => {
    const rig = new ParseRig({ 'flow.active-max': 100 });
    let packets = 0;
    for (let i = 0; i < 20_000; i++) {
      rig.feed(udpFrame({ ...client, srcPort: (i * 7919) % 65_536 }), i);
      if (i % 1000 === 0) packets += rig.flows().reduce((sum, flow) => sum + flow.packets[0], 0);
    }
    packets += rig
      .finish()
      .flows()
      .reduce((sum, flow) => sum + flow.packets[0], 0);
    expect(packets).toBe(20_000);
    expect(rig.block.cell(Cell.FlowsActive)).toBe(0);
  });

  it('lets a scan push out no flow that has an answer', () => {
    const rig = new ParseRig({ 'flow.active-max': 100 });
    const talks = Array.from({ length: 50 }, (_, index) => 2000 + index);
    const say = (us: number): void => {
      for (const srcPort of talks)
        rig.feed(udpFrame({ ...client, srcPort }), us).feed(udpFrame({ ...server, dstPort: srcPort }), us);
    };
    say(0);
    for (let scanned = 0; scanned < 5000; scanned++) {
      rig.feed(tcpFrame({ src: `10.9.${scanned >> 8}.${scanned & 255}`, dstPort: scanned, flags: 'S' }), 10 + scanned);
      if (scanned % 1000 === 999) say(10 + scanned);
    }
    const flows = rig.finish().flows();
    expect(flows.filter(({ protocol }) => protocol === 17)).toEqual(
      talks.map((srcPort) => expect.objectContaining({ src: `10.0.0.9 ${srcPort}`, packets: [6, 6], endReason: 'end_of_input' })),
    );
    expect(flows.filter(({ protocol }) => protocol === 6)).toHaveLength(5000);
    expect(rig.ledger).toMatchObject({ inFlows: 5000 + 50 * 12, flowsEvicted: 4950 });
  });

  it('keeps a flow of many packets through a scan, although only one side of it is seen', () => {
    const rig = new ParseRig({ 'flow.active-max': 20 });
    for (let us = 0; us < 4; us++) rig.feed(udpFrame(client), us);
    for (let scanned = 0; scanned < 200; scanned++) rig.feed(tcpFrame({ dstPort: scanned, flags: 'S' }), 10 + scanned);
    rig.feed(udpFrame(client), 1000);
    expect(
      rig
        .finish()
        .flows()
        .filter(({ protocol }) => protocol === 17),
    ).toMatchObject([{ packets: [5, 0], endReason: 'end_of_input' }]);
  });

  it('takes up new flows although all others have answers', () => {
    const rig = new ParseRig({ 'flow.active-max': 10 });
    for (let port = 1; port <= 20; port++)
      rig.feed(udpFrame({ ...client, srcPort: port }), port).feed(udpFrame({ ...server, dstPort: port }), port);
    expect(rig.flows().map(({ src, packets }) => [src, packets])).toEqual(
      Array.from({ length: 10 }, (_, index) => [`10.0.0.9 ${index + 1}`, [1, 1]]),
    );
  });
});
