import { describe, expect, it } from 'vitest';
import { FragmentTable } from '../../src/parse/fragment-table.js';
import { Cell, createThreadBlock, ThreadBlock } from '../../src/ring/thread-block.js';
import { FragmentKind, Packet } from '../../src/wire/packet.js';
import { join, viewOf } from '../helpers/frame-bytes.js';
import { ethernet, extension, fragment, frame, ipv4, ipv6, payload, tcp, udp } from '../helpers/frames.js';
import { ParseRig } from '../helpers/parse-rig.js';
import { gre, vxlan } from '../helpers/tunnel-frames.js';

const SECOND = 1e6;
const ports = udp({ srcPort: 5000, dstPort: 53, length: 3000 });

/** Fragments of an IPv4 datagram: the first has 8 bytes of header and 1,000 of data, the later ones 500 bytes each. */
function fragment4(index: number, { id = 7, src = '10.0.0.1', protocol = 17, last = false } = {}): Uint8Array {
  if (index === 0) return frame(ethernet(), ipv4({ id, src, moreFragments: true, protocol }), ports, 'x'.repeat(1000));
  const fragmentOffset = 1008 + (index - 1) * 504;
  return frame(ethernet(), ipv4({ id, src, fragmentOffset, protocol, moreFragments: !last }), 'x'.repeat(500));
}

function fragment6(index: number, { id = 7, nextHeader = 17, src = '2001:db8::1' } = {}): Uint8Array {
  if (index === 0) return frame(ethernet(), ipv6({ src }), fragment({ more: true, id }), ports, 'x'.repeat(1000));
  const offset = 1008 + (index - 1) * 504;
  return frame(ethernet(), ipv6({ src }), fragment({ offset, id, nextHeader }), payload('x'.repeat(500)));
}

const counts = (rig: ParseRig): [joined: number, unknown: number] => [
  rig.block.cell(Cell.FragmentsJoined),
  rig.block.cell(Cell.FragmentsUnknown),
];

/** Feeds frames that are `us` apart and gives the flows as text: ends and packets. */
function flowsOf(rig: ParseRig, frames: readonly Uint8Array[], us = 1): string[] {
  for (const [index, bytes] of frames.entries()) rig.feed(bytes, (index + 1) * us);
  return rig
    .finish()
    .flows()
    .map((flow) => `${flow.protocol} ${flow.src.split(' ')[1]} ${flow.dst.split(' ')[1]} ${flow.packets[0] + flow.packets[1]}`)
    .sort();
}

describe('fragments', () => {
  it.each([
    ['IPv4', fragment4],
    ['IPv6', fragment6],
  ])('of %s join the flow of the first, and nothing is lost of the sums', (_, make) => {
    const frames = [0, 1, 2, 3].map((index) => make(index));
    const joined = new ParseRig();
    expect(flowsOf(joined, frames)).toEqual(['17 5000 53 4']);
    expect(counts(joined)).toEqual([3, 0]);
    const apart = new ParseRig({ 'flow.join-fragments': false });
    expect(flowsOf(apart, frames)).toEqual(['17 0 0 3', '17 5000 53 1']);
    expect(counts(apart)).toEqual([0, 0]);
    for (const field of ['inFlows', 'ipBytes', 'wireBytes'] as const) expect(joined.ledger[field]).toBe(apart.ledger[field]);
  });

  it('count bytes as their own headers tell', () => {
    const rig = new ParseRig();
    for (const index of [0, 1]) rig.feed(fragment4(index), index + 1);
    expect(rig.finish().flows()).toMatchObject([{ packets: [2, 0], ipBytes: [1028 + 520, 0], payloadBytes: [1000 + 500, 0] }]);
  });

  it.each([
    ['IPv4', fragment4],
    ['IPv6', fragment6],
  ])('of %s that come before the first stay in the flow without ports', (_, make) => {
    const rig = new ParseRig();
    expect(flowsOf(rig, [make(1), make(0), make(2)])).toEqual(['17 0 0 1', '17 5000 53 2']);
    expect(counts(rig)).toEqual([1, 1]);
  });

  it('do not join after 60 seconds', () => {
    const rig = new ParseRig({ 'flow.idle-udp-s': 0 });
    rig
      .feed(fragment4(0), 10 * SECOND)
      .feed(fragment4(1), 70 * SECOND)
      .feed(fragment4(2), 71 * SECOND);
    expect(counts(rig)).toEqual([1, 1]);
  });

  it('join a first fragment that is a little younger, as in files that were merged', () => {
    const rig = new ParseRig();
    rig.feed(fragment4(0), 70 * SECOND).feed(fragment4(1), 40 * SECOND);
    expect(counts(rig)).toEqual([1, 0]);
  });

  it.each([
    ['another id', fragment4(1, { id: 8 })],
    ['another source', fragment4(1, { src: '10.0.0.3' })],
    ['another protocol', fragment4(1, { protocol: 136 })],
    ['another version', fragment6(1)],
  ])('of %s are not taken for those of a packet', (_, other) => {
    const rig = new ParseRig();
    rig.feed(fragment4(0), 1).feed(other, 2);
    expect(counts(rig)).toEqual([0, 1]);
  });

  it('take the ports of a new packet when an id is used again', () => {
    const again = frame(ethernet(), ipv4({ id: 7, moreFragments: true }), udp({ srcPort: 6000, dstPort: 53 }), 'x'.repeat(24));
    expect(flowsOf(new ParseRig(), [fragment4(0), fragment4(1), again, fragment4(1), fragment4(2)])).toEqual([
      '17 5000 53 2',
      '17 6000 53 3',
    ]);
  });

  it('that overlap are packets of the flow like any other', () => {
    const frames = [fragment4(0), fragment4(1), fragment4(1), fragment4(0), fragment4(3, { last: true })];
    expect(flowsOf(new ParseRig(), frames)).toEqual(['17 5000 53 5']);
  });

  it('of IPv6 take the protocol of the first, whatever their own header says', () => {
    const first = frame(ethernet(), ipv6(), fragment({ more: true }), extension(60), ports, 'x'.repeat(1000));
    const later = frame(ethernet(), ipv6(), fragment({ offset: 1024, nextHeader: 60 }), payload('x'.repeat(500)));
    expect(flowsOf(new ParseRig(), [first, later])).toEqual(['17 5000 53 2']);
  });

  it('of TCP bring no flags along', () => {
    const first = frame(ethernet(), ipv4({ moreFragments: true }), tcp({ srcPort: 1, dstPort: 2, flags: 'S' }), 'x'.repeat(20));
    const later = frame(ethernet(), ipv4({ fragmentOffset: 40, protocol: 6 }), new Uint8Array(40).fill(0xff));
    const rig = new ParseRig();
    rig.feed(first, 1).feed(later, 2);
    expect(rig.finish().flows()).toMatchObject([{ protocol: 6, packets: [2, 0], tcpFlags: [2, 0], tcpState: 'attempt' }]);
  });

  it('of an outer header stay with it when the first was taken out of its tunnel', () => {
    const whole = frame(ipv4({ src: '10.1.1.1' }), ports, 'x'.repeat(1000));
    const inside = ethernet({ etherType: 0x0800 });
    const first = frame(ethernet(), ipv4({ moreFragments: true }), udp({ srcPort: 9, dstPort: 4789 }), vxlan(5), inside, whole);
    const later = frame(ethernet(), ipv4({ fragmentOffset: 1000, protocol: 17 }), 'x'.repeat(100));
    expect(flowsOf(new ParseRig(), [first, later])).toEqual(['17 5000 53 1', '17 9 4789 1']);
    expect(flowsOf(new ParseRig({ 'flow.decap': false }), [first, later])).toEqual(['17 9 4789 2']);
  });

  it('inside a tunnel join too, and are told from those outside', () => {
    const inside = (bytes: Uint8Array): Uint8Array =>
      frame(ethernet(), ipv4({ src: '192.0.2.1' }), gre({ protocol: 0x0800 }), bytes.subarray(14));
    const rig = new ParseRig();
    expect(flowsOf(rig, [inside(fragment4(0)), inside(fragment4(1)), fragment4(1)])).toEqual(['17 0 0 1', '17 5000 53 2']);
    expect(counts(rig)).toEqual([1, 1]);
  });

  describe.each([
    ['IPv4', fragment4, fragment4(0)],
    ['IPv6', fragment6, fragment6(0)],
  ])('of %s in VLANs', (_, make, first) => {
    const inVlan = (id: number, bytes: Uint8Array): Uint8Array =>
      join(bytes.subarray(0, 12), Uint8Array.of(0x81, 0, id >> 8, id & 0xff), bytes.subarray(12));
    // Same addresses and id in another network, whose packet has other ports: the ports stand first in the UDP header.
    const other = first.slice();
    const udpAt = other.length - 1008;
    viewOf(other).setUint16(udpAt, 6000);

    it('join what is in theirs, where VLANs are told apart', () => {
      const rig = new ParseRig({ 'flow.key-vlan': true });
      const frames = [inVlan(5, first), inVlan(4095, other), inVlan(5, make(1)), inVlan(4095, make(1)), inVlan(4095, make(2))];
      expect(flowsOf(rig, [...frames, inVlan(4094, make(1)), make(1)])).toEqual([
        '17 0 0 1',
        '17 0 0 1',
        '17 5000 53 2',
        '17 6000 53 3',
      ]);
      expect(counts(rig)).toEqual([3, 2]);
    });

    it('join what is in any, where they are not', () => {
      const rig = new ParseRig();
      expect(flowsOf(rig, [inVlan(5, first), inVlan(6, make(1)), make(2)])).toEqual(['17 5000 53 3']);
      expect(counts(rig)).toEqual([2, 0]);
    });
  });

  it('are forgotten by a successor, which loses none', () => {
    const rig = new ParseRig();
    rig.feed(fragment4(0), 1).replaceWorker();
    expect(flowsOf(rig, [fragment4(1)])).toEqual(['17 0 0 1', '17 5000 53 1']);
    expect(rig.ledger.inFlows).toBe(2);
  });
});

describe('the fragment table', () => {
  const { cells } = new ThreadBlock(createThreadBlock());

  function packet(id: number, kind: FragmentKind): Packet {
    const part = new Packet();
    part.ipVersion = 4;
    part.protocol = 17;
    part.src3 = 0x0a000001;
    part.dst3 = 0x0a000002;
    part.fragmentId = id;
    part.fragment = kind;
    if (kind === FragmentKind.First) part.srcPort = (id % 65_535) + 1;
    return part;
  }

  it('holds on to the newest packets when more come than it can remember', () => {
    const table = new FragmentTable(1, cells, false);
    const count = 100_000;
    for (let id = 0; id < count; id++) table.join(packet(id, FragmentKind.First), 0, Math.floor(id / 2000));
    const joined = (id: number): boolean => {
      const later = packet(id, FragmentKind.Later);
      table.join(later, 0, count / 2000);
      expect([0, (id % 65_535) + 1]).toContain(later.srcPort);
      return later.srcPort !== 0;
    };
    const found = Array.from({ length: count }, (_, id) => joined(id));
    expect(found.filter(Boolean).length).toBeLessThanOrEqual(4096);
    expect(found.filter(Boolean).length).toBeGreaterThan(3500);
    // The last ones are there but for sets that were met more often than they have places; old ones are gone.
    expect(found.slice(-500).filter(Boolean).length).toBeGreaterThan(490);
    expect(found.slice(0, 50_000).some(Boolean)).toBe(false);
  });
});
