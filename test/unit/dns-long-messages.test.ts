import { type Packet as DnsPacket, RECURSION_DESIRED, streamEncode } from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { join } from '../helpers/frame-bytes.js';
import { tcpFrame } from '../helpers/frames.js';
import { ParseRig } from '../helpers/parse-rig.js';

const CLIENT = '192.168.1.10';
const SERVER = '198.51.100.7';
const ISN = 0xffff_ff00;

const query: DnsPacket = { type: 'query', id: 7, flags: RECURSION_DESIRED, questions: [{ type: 'A', name: 'Example.org' }] };
const answer: DnsPacket = {
  ...query,
  type: 'response',
  answers: [{ type: 'A', name: 'Example.org', ttl: 60, data: '198.51.100.9' }],
};

describe('DNS over TCP, of messages that are not whole', () => {
  const zone = (id: number, bytes: number): Uint8Array => {
    const data = (i: number): string => `10.0.${i >> 8}.${i & 255}`;
    // 14 bytes besides the owner's name, which takes 13, since `streamEncode` compresses none.
    const count = Math.ceil(bytes / 27);
    const answers = Array.from(
      { length: count },
      (_, i) => ({ type: 'A', name: 'Example.org', ttl: 60, data: data(i) }) as const,
    );
    return streamEncode({ ...answer, id, answers });
  };

  /** Feeds the segments of a server, after two queries. `order` is that of the segments, `cut` what was not captured of each. */
  function told(stream: Uint8Array, bytesPerSegment: number, order: (indexes: number[]) => number[], cut = 0): ParseRig {
    const rig = new ParseRig();
    const queries = join(streamEncode(query), streamEncode({ ...query, id: 8 }));
    const client = { src: CLIENT, dst: SERVER, srcPort: 40_000, dstPort: 53 };
    const server = { src: SERVER, dst: CLIENT, srcPort: 53, dstPort: 40_000, ack: 1 };
    let us = 1e6;
    rig.feed(tcpFrame({ ...client, flags: 'S', seq: ISN }), us).feed(tcpFrame({ ...server, flags: 'S.', seq: ISN }), us);
    rig.feed(tcpFrame({ ...client, seq: ISN + 1, payload: queries }), us);
    const indexes = Array.from({ length: Math.ceil(stream.length / bytesPerSegment) }, (_, i) => i);
    for (const index of order(indexes)) {
      const from = index * bytesPerSegment;
      const payload = stream.subarray(from, from + bytesPerSegment);
      const seq = (ISN + 1 + from) >>> 0;
      const bytes = tcpFrame({ ...server, seq, payload });
      us += 1000;
      rig.feed(bytes.subarray(0, bytes.length - cut), us, { wireBytes: bytes.length });
    }
    return rig.finish();
  }
  const inOrder = (indexes: number[]): number[] => indexes;

  it.each([
    ['in order', inOrder],
    ['out of order', ([first, second, third, ...rest]: number[]) => [first, third, second, ...rest] as number[]],
    ['of which some are lost', (indexes: number[]) => indexes.filter((index) => index < 4 || index > 8)],
    ['with some sent again', (indexes: number[]) => indexes.flatMap((index) => [index, index])],
  ])('reads the start of one of more than 16 KiB, in segments %s, and what follows it', (_, order) => {
    const long = zone(7, 20_480);
    expect(long.length).toBeGreaterThan(20_480);
    const rig = told(join(long, streamEncode({ ...answer, id: 8 })), 1448, order);
    const rows = rig.dns();
    expect(rows).toMatchObject([
      { name: 'example.org', code: 0, answerCount: 759 },
      { transport: 'tcp', name: 'example.org', code: 0, answers: ['198.51.100.9'] },
    ]);
    expect(rows.every(({ latencyUs }) => latencyUs > 0)).toBe(true);
    expect(rows[0]?.answers.slice(0, 2)).toEqual(['10.0.0.0', '10.0.0.1']);
    expect(rig.flows()).toMatchObject([{ application: 'dns' }]);
  });

  it('reads the longest there can be', () => {
    const rig = told(zone(7, 65_400), 1448, inOrder);
    expect(rig.dns().map(({ code, latencyUs }) => [code, latencyUs > 0])).toEqual([
      [0, true],
      [-1, false],
    ]);
  });

  it('reads what was captured of segments that the capture cut', () => {
    const short = streamEncode({ ...answer, id: 8 });
    const long = zone(7, 5000);
    const rig = told(join(long, short), long.length, inOrder, 10);
    expect(rig.dns().map(({ code, latencyUs }) => [code, latencyUs > 0])).toEqual([
      [0, true],
      [0, true],
    ]);
  });
});
