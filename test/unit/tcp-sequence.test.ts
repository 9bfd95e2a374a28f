import { describe, expect, it } from 'vitest';
import { tcpFrame } from '../helpers/frames.js';
import { type EmittedFlow, ParseRig } from '../helpers/parse-rig.js';

const client = { src: '10.0.0.9', srcPort: 40000, dst: '10.0.0.1', dstPort: 443 };
const server = { src: '10.0.0.1', srcPort: 443, dst: '10.0.0.9', dstPort: 40000 };

/** One segment: who, when in µs, and the header. `data` is a number of bytes. */
interface Segment {
  readonly from?: 'client' | 'server';
  readonly us: number;
  readonly flags?: string;
  readonly seq?: number;
  readonly ack?: number;
  readonly data?: number;
  readonly window?: number;
}

const START_US = 1_700_000_000_000_000;

function flowOf(...segments: Segment[]): EmittedFlow {
  const rig = new ParseRig();
  for (const { from = 'client', us, data = 0, ...header } of segments) {
    const addresses = from === 'client' ? client : server;
    rig.feed(tcpFrame({ ...addresses, payload: 'x'.repeat(data), ...header, seq: (header.seq ?? 0) >>> 0 }), START_US + us);
  }
  const [flow] = rig.finish().flows();
  return flow as EmittedFlow;
}

const MS = 1000;

describe('retransmissions', () => {
  it('are segments that were seen, by direction', () => {
    const flow = flowOf(
      { us: 1 * MS, seq: 100, data: 10 },
      { us: 2 * MS, seq: 110, data: 10 },
      { us: 300 * MS, seq: 110, data: 10 },
      { us: 600 * MS, seq: 110, data: 10 },
      { from: 'server', us: 601 * MS, seq: 5, data: 1000 },
      { from: 'server', us: 900 * MS, seq: 5, data: 1000 },
    );
    expect(flow).toMatchObject({ retransmits: [2, 1], outOfOrder: [0, 0] });
  });

  it('are counted across the wrap of the sequence number', () => {
    const flow = flowOf(
      { us: 1 * MS, seq: 2 ** 32 - 10, data: 10 },
      { us: 2 * MS, seq: 0, data: 10 },
      { us: 500 * MS, seq: 2 ** 32 - 10, data: 10 },
      { us: 501 * MS, seq: 10, data: 10 },
    );
    expect(flow.retransmits).toEqual([1, 0]);
  });

  it('are counted across the sign of 32-bit numbers', () => {
    const flow = flowOf(
      { us: 0, seq: 2 ** 31 - 5, data: 10 },
      { us: 1, seq: 2 ** 31 + 5, data: 10 },
      { us: 9e5, seq: 2 ** 31 - 5, data: 10 },
    );
    expect(flow.retransmits).toEqual([1, 0]);
  });

  it('are not keep-alives', () => {
    const flow = flowOf({ us: 0, seq: 100, data: 10 }, { us: 5e6, seq: 109, data: 1 }, { us: 9e6, seq: 109, data: 0 });
    expect(flow).toMatchObject({ retransmits: [0, 0], outOfOrder: [0, 0] });
  });

  it('are not probes of a window that is zero, nor the byte that was probed with', () => {
    const full: Segment = { from: 'server', us: 1 * MS, seq: 5, ack: 110, window: 0 };
    const probes = [200, 400].map((ms): Segment => ({ us: ms * MS, seq: 110, data: 1 }));
    const answers = [201, 401].map((ms): Segment => ({ ...full, us: ms * MS }));
    const [first, again] = probes as [Segment, Segment];
    const [answer, other] = answers as [Segment, Segment];
    const room: Segment = { from: 'server', us: 600 * MS, seq: 5, ack: 110, window: 1000 };
    const start: Segment = { us: 0, seq: 100, data: 10 };
    const sent: Segment = { us: 601 * MS, seq: 110, data: 100 };
    expect(flowOf(start, full, first, answer, again, other, room, sent).retransmits).toEqual([0, 0]);
    // With room, the same byte is one that comes again.
    expect(flowOf(start, { ...full, window: 1000 }, first, sent).retransmits).toEqual([1, 0]);
  });

  it('are not repeated acknowledgements', () => {
    expect(
      flowOf({ us: 0, seq: 100, data: 10 }, { us: 1, seq: 110 }, { us: 2, seq: 110 }, { us: 3, seq: 100 }).retransmits,
    ).toEqual([0, 0]);
  });

  it('are repeated SYNs and FINs', () => {
    const flow = flowOf(
      { us: 0, flags: 'S', seq: 7 },
      { us: 1e6, flags: 'S', seq: 7 },
      { us: 2e6, flags: 'F.', seq: 8 },
      { us: 3e6, flags: 'F.', seq: 8 },
    );
    expect(flow.retransmits).toEqual([2, 0]);
  });

  it('are what the other side asked for, however soon', () => {
    const lost = [
      { us: 0, seq: 100, data: 10 },
      { us: 10, seq: 120, data: 10 },
    ];
    const acks = [1, 2, 3].map((us): Segment => ({ from: 'server', us: 100 + us, ack: 110 }));
    expect(flowOf(...lost, ...acks, { us: 200, seq: 110, data: 10 })).toMatchObject({ retransmits: [1, 0], outOfOrder: [0, 0] });
    expect(flowOf(...lost, { us: 200, seq: 110, data: 10 })).toMatchObject({ retransmits: [0, 0], outOfOrder: [1, 0] });
    // Who tells of a larger window asks for nothing (RFC 5681 section 2).
    const updates = acks.map((ack, i): Segment => ({ ...ack, window: 1000 * (i + 1) }));
    expect(flowOf(...lost, ...updates, { us: 200, seq: 110, data: 10 })).toMatchObject({
      retransmits: [0, 0],
      outOfOrder: [1, 0],
    });
  });

  it('are what the other side has acknowledged already', () => {
    const flow = flowOf(
      { us: 0, seq: 100, data: 20 },
      { us: 5, seq: 120, data: 20 },
      { from: 'server', us: 50, ack: 140 },
      { us: 90, seq: 100, data: 20 },
    );
    expect(flow).toMatchObject({ retransmits: [1, 0], outOfOrder: [0, 0] });
  });
});

describe('segments out of order', () => {
  it('come within a round trip of the highest byte', () => {
    const handshake: Segment[] = [
      { us: 0, flags: 'S', seq: 99 },
      { from: 'server', us: 40 * MS, flags: 'S.', seq: 499, ack: 100 },
      { us: 41 * MS, seq: 100, ack: 500 },
      { us: 50 * MS, seq: 120, data: 10 },
    ];
    expect(flowOf(...handshake, { us: 80 * MS, seq: 100, data: 10 }).outOfOrder).toEqual([1, 0]);
    expect(flowOf(...handshake, { us: 95 * MS, seq: 100, data: 10 })).toMatchObject({ outOfOrder: [0, 0], retransmits: [1, 0] });
  });

  it('are none when the time goes back', () => {
    expect(flowOf({ us: 500, seq: 120, data: 10 }, { us: 100, seq: 100, data: 10 })).toMatchObject({
      outOfOrder: [0, 0],
      retransmits: [1, 0],
    });
  });
});

describe('zero windows', () => {
  it('are counted by direction, and not in SYN and RST', () => {
    const flow = flowOf(
      { us: 0, flags: 'S', window: 0 },
      { from: 'server', us: 1, flags: '.', window: 0 },
      { from: 'server', us: 2, flags: '.', window: 0 },
      { us: 3, flags: 'R', window: 0 },
    );
    expect(flow.zeroWindows).toEqual([0, 2]);
  });
});

describe('the handshake', () => {
  const syn: Segment = { us: 1_000, flags: 'S', seq: 1 };
  const answer: Segment = { from: 'server', us: 21_000, flags: 'S.', seq: 1, ack: 2 };
  const ack: Segment = { us: 24_500, flags: '.', seq: 2, ack: 2 };

  it('gives the round trip on each side of the observer', () => {
    expect(flowOf(syn, answer, ack, { ...ack, us: 99_000 }).rttUs).toEqual([3_500, 20_000]);
  });

  it('gives none of the side whose segment was sent twice', () => {
    expect(flowOf(syn, { ...syn, us: 5_000 }, answer, ack).rttUs).toEqual([3_500, 0]);
    expect(flowOf(syn, answer, { ...answer, us: 22_000 }, ack).rttUs).toEqual([0, 20_000]);
  });

  it('gives none when it was not seen whole', () => {
    expect(flowOf(answer, ack).rttUs).toEqual([3_500, 0]);
    expect(flowOf(syn, ack).rttUs).toEqual([0, 0]);
    expect(flowOf(ack).rttUs).toEqual([0, 0]);
  });
});

describe('a flow in segments', () => {
  it('counts in each segment only what happened in it', () => {
    const rig = new ParseRig({ 'flow.active-s': 10 });
    const send = (us: number, seq: number) => rig.feed(tcpFrame({ ...client, seq, payload: 'xxxx' }), us);
    send(0, 100);
    send(1e6, 104);
    send(2e6, 100);
    send(11e6, 104);
    send(12e6, 108);
    expect(
      rig
        .finish()
        .flows()
        .map((flow) => flow.retransmits),
    ).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });
});
