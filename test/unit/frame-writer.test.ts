import { describe, expect, it } from 'vitest';
import { FrameWriter } from '../../src/capture/frame-writer.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { Command, Frame } from '../../src/ring/layout.js';
import { createRing, ResumeAt, RingConsumer, RingProducer } from '../../src/ring/ring.js';
import { Cell, createThreadBlock, ThreadBlock } from '../../src/ring/thread-block.js';
import { join } from '../helpers/frame-bytes.js';
import {
  authentication,
  cooked,
  ethernet,
  extension,
  frame,
  icmp,
  ipv4,
  ipv6,
  tcp,
  tcpFrame,
  udp,
  udpFrame,
  viewOf,
  vlan,
} from '../helpers/frames.js';
import { gre, mpls, ppp, pppoe, snap } from '../helpers/tunnel-frames.js';
import { ieee80211, pflog, radiotap } from '../helpers/wlan-frames.js';

const ETHERNET = 1;
const SLL = 113;
const PFLOG = 117;
const RADIOTAP = 127;
const LONG = 'x'.repeat(1400);
const QUIC_LONG = new Uint8Array(1200).fill(0xc3, 0, 1);
const QUIC_SHORT = new Uint8Array(1200).fill(0x43, 0, 1);

class Rig {
  readonly block = new ThreadBlock(createThreadBlock());
  readonly rings: SharedArrayBuffer[];
  readonly writer: FrameWriter;

  constructor(
    readonly workers = 1,
    isLive = true,
    ringBytes = 131_072,
  ) {
    this.rings = Array.from({ length: workers }, () => createRing(ringBytes));
    this.writer = this.another(isLive);
  }

  another(isLive = true): FrameWriter {
    const doorbell = new Doorbell(createThreadBlock());
    return new FrameWriter(
      this.rings.map((ring) => new RingProducer(ring, doorbell)),
      this.block,
      isLive,
    );
  }

  push(bytes: Uint8Array, linkType = ETHERNET, wireBytes = bytes.length): void {
    this.writer.frame(viewOf(bytes), 0, bytes.length, wireBytes, 1_700_000_000, 123_456_789, 3, linkType);
  }

  /** Header words and bytes of each frame that is published in a ring. */
  taken(worker = 0): { header: number[]; bytes: Uint8Array }[] {
    const ring = new RingConsumer(this.rings[worker] as SharedArrayBuffer, ResumeAt.Released);
    const frames = [];
    for (let payload = ring.peek(); payload >= 0; payload = ring.peek()) {
      const header = [...ring.words.slice(payload / 4, payload / 4 + 7)];
      const start = payload + Frame.HeaderBytes;
      frames.push({ header, bytes: new Uint8Array(ring.words.buffer.slice(start, start + (header[0] as number))) });
      ring.advance();
    }
    ring.release();
    return frames;
  }
}

describe('what is written for a frame', () => {
  it('is its header and its bytes', () => {
    const rig = new Rig();
    const bytes = udpFrame({ payload: 'abc' });
    rig.push(bytes, ETHERNET, 90);
    rig.writer.flush();
    expect(rig.taken()).toEqual([{ header: [45, 45, 90, 1_700_000_000, 123_456_789, 3, ETHERNET], bytes }]);
    expect(rig.block.cell(Cell.FramesReceived)).toBe(1);
    expect(rig.block.cell(Cell.WireBytesReceived)).toBe(90);
  });

  it.each(Array.from({ length: 40 }, (_, length) => length))('is exact for %i bytes', (length) => {
    const rig = new Rig();
    const bytes = Uint8Array.from({ length }, (_, index) => index * 7 + 1);
    rig.push(bytes, 147);
    rig.writer.flush();
    expect(rig.taken()[0]?.bytes).toEqual(bytes);
  });

  it.each([
    ['plain TCP over IPv4', tcpFrame({ payload: LONG }), ETHERNET, 14 + 20 + 20],
    ['ICMP', frame(ethernet(), ipv4(), icmp(), LONG), ETHERNET, 14 + 20 + 20],
    [
      'UDP beside the ports of tunnels',
      frame(ethernet(), ipv4(), udp({ srcPort: 4788, dstPort: 8473 }), LONG),
      ETHERNET,
      14 + 20 + 8 + 160,
    ],
    ['VXLAN', frame(ethernet(), ipv4(), udp({ dstPort: 4789 }), LONG), ETHERNET, 14 + 20 + 8 + 1400],
    ['an answer of GTP-U over IPv6', frame(ethernet(), ipv6(), udp({ srcPort: 2152 }), LONG), ETHERNET, 14 + 40 + 8 + 1400],
    ['IP in IP', frame(ethernet(), ipv4(), ipv6(), tcp(), LONG), ETHERNET, 14 + 20 + 40 + 20 + 1400],
    ['GRE', frame(ethernet(), ipv6(), gre(), ipv4(), tcp(), LONG), ETHERNET, 14 + 40 + 4 + 20 + 20 + 1400],
    ['an authentication header', frame(ethernet(), ipv4(), authentication(), ipv4(), LONG), ETHERNET, 14 + 20 + 24 + 20 + 1400],
    ['MPLS', frame(ethernet(), mpls(16), ipv4(), tcp(), LONG), ETHERNET, 14 + 4 + 20 + 20 + 1400],
    ['plain UDP over IPv6', udpFrame({ src: '::1', dst: '::2', dstPort: 4000, payload: LONG }), ETHERNET, 14 + 40 + 8 + 160],
    ['DNS', udpFrame({ dstPort: 53, payload: LONG }), ETHERNET, 14 + 20 + 8 + 1400],
    ['mDNS', udpFrame({ srcPort: 5353, payload: LONG }), ETHERNET, 14 + 20 + 8 + 1400],
    ['a QUIC packet with a long header', udpFrame({ dstPort: 443, payload: QUIC_LONG }), ETHERNET, 14 + 20 + 8 + 1200],
    ['a QUIC packet with a short header', udpFrame({ dstPort: 443, payload: QUIC_SHORT }), ETHERNET, 14 + 20 + 8 + 160],
    ['a frame with extension headers', frame(ethernet(), ipv6(), extension(60), udp(), LONG), ETHERNET, 14 + 40 + 8 + 8 + 1400],
    ['a tagged frame', frame(ethernet(), vlan(1), ipv4(), udp(), LONG), ETHERNET, 14 + 4 + 20 + 8 + 1400],
    ['another link type', frame(cooked(), ipv4(), tcp(), LONG), SLL, 16 + 20 + 20 + 1400],
  ])('is no more than the parser needs of %s', (_, bytes, linkType, copied) => {
    const rig = new Rig();
    rig.push(bytes, linkType);
    rig.writer.flush();
    expect(rig.taken()[0]?.header.slice(0, 2)).toEqual([copied, bytes.length]);
  });
});

/** TLS record with a handshake of `bytes` bytes, as far as `present` bytes of it are there. */
function hello(bytes: number, present: number): Uint8Array {
  const header = [0x16, 3, 1, (bytes - 5) >> 8, (bytes - 5) & 0xff, 1, 0, (bytes - 9) >> 8, (bytes - 9) & 0xff];
  return Uint8Array.from({ length: present }, (_, at) => header[at] ?? 0);
}

describe.each([
  ['IPv4', '10.0.0.1', '10.0.0.2', 54],
  ['IPv4, the client having the greater address', '10.0.0.2', '10.0.0.1', 54],
  ['IPv6', '2001:db8::1', '2001:db8::2', 74],
  ['one address', '10.0.0.1', '10.0.0.1', 54],
])('the start of a TCP stream over %s', (_, client, server, headers) => {
  class Stream extends Rig {
    client(payload: string | Uint8Array, flags = '.', srcPort = 40_000): this {
      this.push(tcpFrame({ src: client, dst: server, srcPort, dstPort: 443, flags, payload }));
      return this;
    }
    server(payload: string | Uint8Array, flags = '.', dstPort = 40_000): this {
      this.push(tcpFrame({ src: server, dst: client, srcPort: 443, dstPort, flags, payload }));
      return this;
    }
    handshake(): this {
      return this.client('', 'S').server('', 'S.').client('');
    }
    /** Bytes of payload that were copied of the segments that have any. */
    get copied(): number[] {
      this.writer.flush();
      const payloads = this.taken().filter(({ header }) => (header[1] as number) > headers);
      return payloads.map(({ header }) => (header[0] as number) - headers);
    }
  }

  it('is copied until a TLS hello is complete, what follows is not', () => {
    const stream = new Stream().handshake().client(hello(517, 517)).client(LONG);
    expect(stream.copied).toEqual([517, 0]);
  });

  it('is copied over several segments, as a long hello needs', () => {
    const stream = new Stream().handshake().client(hello(1800, 1400)).client(LONG).client(LONG);
    expect(stream.copied.slice(0, 2)).toEqual([1400, 1400]);
  });

  it('is copied over a dozen segments at most', () => {
    const stream = new Stream().handshake().client(`POST / HTTP/1.1\r\n${LONG}`);
    for (let i = 0; i < 20; i++) stream.client(LONG);
    expect(stream.copied.filter((bytes) => bytes > 0)).toHaveLength(12);
  });

  it('is enough with a request that is complete', () => {
    const stream = new Stream().handshake().client('GET / HTTP/1.1\r\nHost: a\r\n\r\n').client(LONG);
    expect(stream.copied).toEqual([27, 0]);
  });

  it('is what stands first in an answer', () => {
    const stream = new Stream().handshake().client(hello(517, 517));
    for (let i = 0; i < 4; i++) stream.server(LONG);
    expect(stream.copied).toEqual([517, 128, 128, 128, 0]);
  });

  it('is known without the handshake by what it looks like', () => {
    const stream = new Stream().client(LONG).client(hello(1800, 1400)).client(LONG).client(hello(517, 517), '.', 40_001);
    expect(stream.copied).toEqual([0, 1400, 1400, 517]);
  });

  it('is another for another connection, and begins anew when the ports are used again', () => {
    const stream = new Stream().handshake().client(hello(517, 517)).client(LONG, '.', 40_002);
    expect(stream.copied).toEqual([517, 0]);
    expect(stream.handshake().client(hello(517, 517)).copied.at(-1)).toBe(517);
  });

  it('is copied over more segments where a few bytes of it come first', () => {
    const stream = new Stream().handshake().client(Uint8Array.of(0x16, 3, 1));
    for (let i = 0; i < 4; i++) stream.client(LONG);
    expect(stream.copied).toEqual([3, 1400, 1400, 1400, 1400]);
  });

  it('is cut where merged segments are very long', () => {
    const stream = new Stream().handshake().client('x'.repeat(9000)).client('x'.repeat(40_000));
    expect(stream.copied).toEqual([9000, 16_384]);
  });
});

describe('a TLS record behind the start of its stream', () => {
  /** Bytes of payload that are copied of a segment of the client, and of one of the server. */
  function copied(payload: Uint8Array, before: readonly Uint8Array[] = []): number[] {
    const rig = new Rig();
    const client = { srcPort: 40_000, dstPort: 443 };
    const server = { src: '10.0.0.2', dst: '10.0.0.1', srcPort: 443, dstPort: 40_000 };
    for (const frame of before) rig.push(frame);
    rig.push(tcpFrame({ ...client, payload }));
    rig.push(tcpFrame({ ...server, payload }));
    rig.writer.flush();
    return rig
      .taken()
      .map(({ header }) => (header[0] as number) - 54)
      .slice(before.length);
  }
  const record = (...header: readonly number[]): Uint8Array => join(Uint8Array.of(...header, 1, 0, 0), new Uint8Array(300));

  it.each([
    ['a change of the cipher', [0x14, 3, 3]],
    ['an alert', [0x15, 3, 3]],
    ['application data', [0x17, 3, 3]],
    ['application data of SSL 3.0', [0x17, 3, 0]],
    ['application data of a version to come', [0x17, 3, 4]],
  ])('is copied as far as tells it: %s', (_, header) => {
    expect(copied(record(...header))).toEqual([8, 8]);
  });

  it.each([
    ['a type below', [0x13, 3, 3]],
    ['a type above', [0x18, 3, 3]],
    ['a greater version', [0x17, 3, 5]],
    ['another protocol', [0x17, 4, 3]],
    ['a type whose highest bit is set', [0x97, 3, 3]],
  ])('is nothing with %s', (_, header) => {
    expect(copied(record(...header))).toEqual([0, 0]);
  });

  it('is nothing where fewer bytes came', () => {
    expect(copied(record(0x17, 3, 3).subarray(0, 8))).toEqual([8, 8]);
    expect(copied(record(0x17, 3, 3).subarray(0, 7))).toEqual([0, 0]);
  });

  it('is copied also where the capture knows the connection, and has copied its start', () => {
    const syn = tcpFrame({ srcPort: 40_000, dstPort: 443, flags: 'S' });
    const greeting = tcpFrame({ srcPort: 40_000, dstPort: 443, payload: hello(517, 517) });
    const answer = tcpFrame({ src: '10.0.0.2', dst: '10.0.0.1', srcPort: 443, dstPort: 40_000, payload: LONG });
    const before = [syn, greeting, answer, answer, answer];
    expect(copied(record(0x17, 3, 3), before)).toEqual([8, 8]);
    expect(copied(record(0x18, 3, 3), before)).toEqual([0, 0]);
  });
});

it('DNS over TCP is copied for as long as it lasts', () => {
  const rig = new Rig(1, true, 1_048_576);
  for (let i = 0; i < 30; i++) rig.push(tcpFrame({ srcPort: 53, payload: LONG }));
  rig.writer.flush();
  expect(rig.taken().every(({ header }) => header[0] === 1454)).toBe(true);
});

describe('offloads and snap lengths', () => {
  it('counts frames that are longer than the network carries, and frames that were cut', () => {
    const rig = new Rig();
    rig.push(udpFrame(), ETHERNET, 1522);
    rig.push(udpFrame(), ETHERNET, 1523);
    rig.push(udpFrame({ payload: 'x'.repeat(60_000) }));
    rig.push(udpFrame());
    expect([rig.block.cell(Cell.FramesOversized), rig.block.cell(Cell.FramesCut)]).toEqual([2, 2]);
  });
});

describe('a full ring', () => {
  it('drops the frame of a live capture, and counts it', () => {
    const rig = new Rig(1, true, 4096);
    for (let i = 0; i < 100; i++) rig.push(udpFrame());
    rig.writer.flush();
    const taken = rig.taken().length;
    expect(taken).toBeLessThan(100);
    expect(rig.block.drops()).toEqual({ ring_full: 100 - taken });
    expect(rig.block.cell(Cell.FramesReceived)).toBe(100);
  });

  it('gives up waiting in a replay only when the run is stopped', () => {
    const rig = new Rig(1, false, 4096);
    rig.block.command = Command.Drain;
    for (let i = 0; i < 100; i++) rig.push(udpFrame());
    expect(rig.block.drops()['ring_full']).toBeGreaterThan(0);
  });
});

describe('steering', () => {
  it('brings both directions, all ports and all fragments of two hosts to one worker', () => {
    const rig = new Rig(4);
    const [a, b] = ['10.1.2.3', '192.0.2.7'];
    rig.push(udpFrame({ src: a, srcPort: 1, dst: b, dstPort: 2 }));
    rig.push(tcpFrame({ src: b, srcPort: 3, dst: a, dstPort: 4 }));
    rig.push(frame(ethernet(), vlan(9), ipv4({ src: a, dst: b, fragmentOffset: 64, protocol: 17 }), 'later'));
    rig.push(frame(ethernet(), mpls(16, 17), ipv4({ src: b, dst: a }), gre(), ipv4(), udp()));
    rig.push(frame(ethernet(), pppoe(), ppp(), ipv4({ src: a, dst: b }), udp()));
    rig.push(frame(radiotap(), ieee80211(), snap(), ipv4({ src: b, dst: a }), udp()), RADIOTAP);
    rig.push(frame(pflog(), ipv4({ src: a, dst: b }), udp()), PFLOG);
    rig.writer.flush();
    expect(rig.rings.map((_, worker) => rig.taken(worker).length).sort()).toEqual([0, 0, 0, 7]);
  });

  it('brings names that a group or all hosts are asked for to one worker, with the answers of single hosts', () => {
    const rig = new Rig(3, true, 1_048_576);
    for (let i = 1; i <= 20; i++) {
      const [asker, answerer] = [`192.168.${i}.20`, `192.168.${i}.21`];
      rig.push(udpFrame({ src: asker, srcPort: 50_000, dst: '224.0.0.252', dstPort: 5355 }));
      rig.push(udpFrame({ src: answerer, srcPort: 5355, dst: asker, dstPort: 50_000 }));
      rig.push(udpFrame({ src: `fe80::${i}`, srcPort: 50_000, dst: 'ff02::1:3', dstPort: 5355 }));
      rig.push(udpFrame({ src: `fe80::1:${i}`, srcPort: 5355, dst: `fe80::${i}`, dstPort: 50_000 }));
      rig.push(udpFrame({ src: asker, srcPort: 137, dst: `192.168.${i}.255`, dstPort: 137 }));
      rig.push(frame(ethernet(), vlan(9), ipv4({ src: answerer, dst: asker }), udp({ srcPort: 137, dstPort: 137 })));
    }
    rig.writer.flush();
    expect([0, 1, 2].map((worker) => rig.taken(worker).length)).toEqual([120, 0, 0]);
  });

  it('leaves fragments of such names, and what only looks like their ports, where the addresses lead', () => {
    const rig = new Rig(3, true, 1_048_576);
    for (let i = 1; i <= 100; i++) {
      const addresses = { src: `192.168.${i}.20`, dst: `192.168.${i}.21` };
      rig.push(frame(ethernet(), ipv4({ ...addresses, moreFragments: true }), udp({ srcPort: 5355, dstPort: 5355 })));
      rig.push(frame(ethernet(), ipv4({ ...addresses, fragmentOffset: 64, protocol: 17 }), 'later'));
      rig.push(tcpFrame({ ...addresses, srcPort: 5355, dstPort: 137 }));
      rig.push(udpFrame({ ...addresses, srcPort: 5354, dstPort: 138 }));
    }
    rig.writer.flush();
    for (const worker of [0, 1, 2]) {
      const count = rig.taken(worker).length;
      expect([count % 4, count > 60]).toEqual([0, true]);
    }
  });

  it('spreads hosts over the workers', () => {
    const rig = new Rig(3, true, 1_048_576);
    for (let i = 0; i < 3000; i++) rig.push(udpFrame({ src: `10.0.${i >> 8}.${i & 255}`, dst: '192.0.2.1' }));
    for (let i = 0; i < 3000; i++) rig.push(udpFrame({ src: `2001:db8::${i.toString(16)}`, dst: '2001:db8:1::1' }));
    rig.writer.flush();
    for (const worker of [0, 1, 2]) expect(rig.taken(worker).length).toBeGreaterThan(1600);
  });
});

describe('a capture that takes over', () => {
  it('publishes what its predecessor had written, and counts what that had in hand', () => {
    const rig = new Rig();
    for (let i = 0; i < 3; i++) rig.push(udpFrame());
    rig.writer.flush();
    rig.push(udpFrame());
    rig.push(udpFrame());
    rig.another();
    expect(rig.taken()).toHaveLength(5);
    expect(rig.block.drops()).toEqual({});
    // It dies with a frame that it has counted, and put nowhere.
    rig.push(udpFrame());
    rig.block.cells[Cell.FramesReceived] = rig.block.cell(Cell.FramesReceived) + 1;
    rig.another();
    expect(rig.taken()).toHaveLength(1);
    expect(rig.block.drops()).toEqual({ capture_crash: 1 });
  });
});
