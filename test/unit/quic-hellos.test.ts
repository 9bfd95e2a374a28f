import { describe, expect, it } from 'vitest';
import { DECRYPTIONS_PER_SECOND_MAX, type QuicHello, QuicHellos } from '../../src/parse/app/quic-hellos.js';
import { bytesOf, CRYPTO_FRAME, RFC_9001_INITIAL, RFC_9369_INITIAL } from '../fixtures/quic-initials.js';
import { join } from '../helpers/frame-bytes.js';
import { placed } from '../helpers/parser-input.js';
import {
  ackFrame,
  closeFrame,
  cryptoFrame,
  type LongPacket,
  longPacket,
  QUIC_V1,
  QUIC_V2,
  QUIC_VERSIONS,
  varint,
} from '../helpers/quic-packet.js';
import { alpn, clientHello, extension, serverName, supportedVersions } from '../helpers/tls-hello.js';

const US = 1_700_000_000_000_000;
const FLOW = 7;

function readAll(hellos: QuicHellos, flow: number, datagrams: readonly Uint8Array[], us = US): (QuicHello | null)[] {
  return datagrams.map((bytes) => {
    const { view, offset, end } = placed(bytes);
    return hellos.read(flow, view, offset, end, us);
  });
}

/** Server names by datagram, '' where nothing was found. */
function names(...datagrams: readonly Uint8Array[]): string[] {
  return readAll(new QuicHellos(), FLOW, datagrams).map((found) => found?.hello.serverName ?? '');
}

const helloOf = (name: string, bytes = 0): Uint8Array =>
  clientHello({ extensions: [serverName(name), alpn('h3'), supportedVersions(0x0304), extension(57, new Uint8Array(bytes))] });

const NAME = 'quic.example';
const hello = helloOf(NAME);
/** More than one datagram takes. */
const long = helloOf(NAME, 1700);
const crypto = cryptoFrame(0, hello);
const id = (fill: number): Uint8Array => new Uint8Array(8).fill(fill);
const padded = { payloadBytes: 1150 };

/** Datagrams with a part of `message` each, in order. */
function parts(message: Uint8Array, bytes: number, packet: LongPacket = {}): Uint8Array[] {
  const count = Math.ceil(message.length / bytes);
  return Array.from({ length: count }, (_, index) => {
    const data = message.subarray(index * bytes, (index + 1) * bytes);
    return longPacket(cryptoFrame(index * bytes, data), { packetNumber: index, ...packet });
  });
}

function corrupt(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

describe('the published client Initials', () => {
  it.each([
    ['RFC 9001', RFC_9001_INITIAL, QUIC_V1],
    ['RFC 9369', RFC_9369_INITIAL, QUIC_V2],
  ])('of %s are read', (_, text, version) => {
    const [found] = readAll(new QuicHellos(), FLOW, [bytesOf(text)]);
    expect(found).toMatchObject({
      version,
      hello: { serverName: 'example.com', alpn: ['alpn'], version: 0x0304, ciphers: [0x1301, 0x1302], isWhole: true },
    });
  });

  it.each([
    [RFC_9001_INITIAL, QUIC_V1],
    [RFC_9369_INITIAL, QUIC_V2],
  ])('are what the packets of these tests are made like', (text, version) => {
    const packet = { version, packetNumber: 2, packetNumberBytes: 4, payloadBytes: 1162 } as const;
    expect(longPacket(bytesOf(CRYPTO_FRAME), packet)).toEqual(bytesOf(text));
  });
});

describe('a QUIC ClientHello', () => {
  it.each(QUIC_VERSIONS)('is read in version %i', (version) => {
    const [found] = readAll(new QuicHellos(), FLOW, [longPacket(crypto, { version, ...padded })]);
    expect(found).toMatchObject({ version, hello: { serverName: NAME, alpn: ['h3'], version: 0x0304 } });
  });

  it('is read with packet numbers of all lengths, with a token and connection ids of all lengths', () => {
    for (const packetNumberBytes of [1, 2, 3, 4] as const)
      expect(names(longPacket(crypto, { packetNumber: 0xfe, packetNumberBytes }))).toEqual([NAME]);
    for (const bytes of [0, 1, 8, 20]) {
      const packet = { dcid: new Uint8Array(bytes).fill(3), scid: new Uint8Array(20 - bytes), token: new Uint8Array(bytes * 9) };
      expect(names(longPacket(crypto, packet))).toEqual([NAME]);
    }
  });

  it('is read among other frames', () => {
    const half = hello.length >> 1;
    const frames = join(
      ackFrame(),
      new Uint8Array(9),
      cryptoFrame(half, hello.subarray(half)),
      Uint8Array.of(1, 1),
      ackFrame([
        [1, 2],
        [70, 3],
      ]),
      ackFrame([[1, 2]], [5, 6, 70]),
      cryptoFrame(0, hello.subarray(0, half)),
      closeFrame,
    );
    expect(names(longPacket(frames))).toEqual([NAME]);
  });

  it('is put together from several packets in any order, once', () => {
    const [first, second, third] = parts(long, 700) as [Uint8Array, Uint8Array, Uint8Array];
    expect(names(first, second, third)).toEqual(['', '', NAME]);
    expect(names(third, first, second)).toEqual(['', '', NAME]);
    expect(names(third, second, first, first)).toEqual(['', '', NAME, '']);
    expect(names(first, first, third, second)).toEqual(['', '', '', NAME]);
  });

  it('is put together from scrambled pieces, as Chrome sends them', () => {
    const pieces = Array.from({ length: 12 }, (_, index) => (index * 5) % 12).map((piece) => {
      const size = Math.ceil(long.length / 12);
      return join(cryptoFrame(piece * size, long.subarray(piece * size, (piece + 1) * size)), Uint8Array.of(1, 0, 0));
    });
    const datagrams = [join(...pieces.slice(0, 7)), join(...pieces.slice(7))].map((frames, index) =>
      longPacket(frames, { packetNumber: index }),
    );
    expect(names(...datagrams)).toEqual(['', NAME]);
    expect(names(...datagrams.toReversed())).toEqual(['', NAME]);
  });

  it('may stand in a packet behind others in the datagram', () => {
    const [first, second] = parts(hello, 80) as [Uint8Array, Uint8Array];
    expect(names(join(first, second, ...parts(hello, 80).slice(2)))).toEqual([NAME]);
    const handshake = longPacket(new Uint8Array(30), { type: 'handshake' });
    const zeroRtt = longPacket(new Uint8Array(30), { type: 'zeroRtt' });
    const initial = longPacket(crypto);
    expect(names(join(handshake, zeroRtt, initial))).toEqual([NAME]);
    expect(names(join(initial, new Uint8Array(300)))).toEqual([NAME]);
    expect(names(join(handshake, handshake, handshake, handshake, initial))).toEqual(['']);
    expect(names(join(longPacket(new Uint8Array(9), { type: 'retry' }), initial))).toEqual(['']);
  });

  it('is given for each flow', () => {
    const hellos = new QuicHellos();
    const one = parts(helloOf('one.example', 900), 700, { dcid: id(1) });
    const two = parts(helloOf('two.example', 900), 700, { dcid: id(2) });
    const found = [
      ...readAll(hellos, 1, one.slice(0, 1)),
      ...readAll(hellos, 2, two.slice(0, 1)),
      ...readAll(hellos, 1, one.slice(1)),
      ...readAll(hellos, 2, two.slice(1)),
    ];
    expect(found.map((item) => item?.hello.serverName ?? '')).toEqual(['', '', 'one.example', 'two.example']);
  });
});

describe('keys', () => {
  it('stay those of the first packet when the server has chosen its connection id', () => {
    const [first, second] = parts(hello, 100) as [Uint8Array, Uint8Array];
    const last = longPacket(cryptoFrame(100, hello.subarray(100)), { dcid: id(9), keyId: id(1), packetNumber: 1 });
    expect(second).toBeDefined();
    expect(names(longPacket(cryptoFrame(0, hello.subarray(0, 100)), { dcid: id(1) }), last)).toEqual(['', NAME]);
    expect(names(first, last)).toEqual(['', '']);
  });

  it('come from the new connection id after a Retry, when the ClientHello begins anew', () => {
    const before = longPacket(cryptoFrame(0, helloOf('other.example').subarray(0, 100)), { dcid: id(1) });
    const after = parts(hello, 100, { dcid: id(2), token: new Uint8Array(40) });
    expect(names(before, ...after)).toEqual(['', ...after.slice(1).map(() => ''), NAME]);
  });

  it('come from the packet itself when the first one was broken', () => {
    const broken = corrupt(longPacket(crypto, { dcid: id(1) }), 6);
    expect(names(broken, longPacket(crypto, { dcid: id(1) }))).toEqual(['', NAME]);
  });

  it('change with the version', () => {
    const first = longPacket(cryptoFrame(0, hello.subarray(0, 100)), { version: QUIC_V1, dcid: id(1) });
    const found = readAll(new QuicHellos(), FLOW, [first, longPacket(crypto, { version: QUIC_V2, dcid: id(2) })]);
    expect(found[1]).toMatchObject({ version: QUIC_V2, hello: { serverName: NAME } });
  });

  it('of the server are not tried', () => {
    expect(names(longPacket(crypto, { side: 'server' }))).toEqual(['']);
  });
});

describe('a packet that is broken', () => {
  const packet = longPacket(crypto, { scid: id(4), token: id(5) });

  it('tells nothing, whichever byte is wrong', () => {
    for (let at = 0; at < packet.length; at++) expect(names(corrupt(packet, at))).toEqual(['']);
  });

  it('tells nothing when it is cut', () => {
    for (let length = 0; length < packet.length; length++) expect(names(packet.subarray(0, length))).toEqual(['']);
  });

  it('does not spoil what comes after it', () => {
    const [first, second, third] = parts(long, 700) as [Uint8Array, Uint8Array, Uint8Array];
    expect(names(first, corrupt(second, 200), second, third)).toEqual(['', '', '', NAME]);
  });

  it('tells nothing when it is too short for a sample, or longer than 4,096 bytes', () => {
    expect(names(longPacket(Uint8Array.of(1)))).toEqual(['']);
    expect(names(longPacket(crypto, { payloadBytes: 4200 }))).toEqual(['']);
    expect(names(longPacket(crypto, { payloadBytes: 4000 }))).toEqual([NAME]);
  });
});

describe('frames that are broken', () => {
  const tellsNothing: [string, Uint8Array][] = [
    ['of a type that does not belong', join(Uint8Array.of(0x1e), crypto)],
    ['of stream data', join(Uint8Array.of(0x08, 0, 1), crypto)],
    ['behind a close', join(closeFrame, crypto)],
    ['cut in the data', crypto.subarray(0, -1)],
    ['cut in the length', Uint8Array.of(6, 0, 0x40)],
    ['cut in the offset', Uint8Array.of(6, 0x80)],
    ['an ACK with more ranges than bytes', join(Uint8Array.of(2, 0, 0), varint(2n ** 60n), varint(0), crypto)],
    ['an ACK that is cut', Uint8Array.of(2, 0, 0, 1, 0, 0x80)],
    ['far out in the stream', cryptoFrame(2n ** 61n, hello)],
    ['another handshake message', cryptoFrame(0, Uint8Array.from(hello).fill(2, 0, 1))],
    ['a ClientHello that is too long', cryptoFrame(0, Uint8Array.of(1, 1, 0, 0, 3, 3))],
    ['a ClientHello that is none', cryptoFrame(0, Uint8Array.of(1, 0, 0, 2, 3, 3))],
  ];
  it.each(tellsNothing)('tell nothing: %s', (_, frames) => {
    expect(names(longPacket(frames, { payloadBytes: 40 }))).toEqual(['']);
  });

  it('count up to the fault', () => {
    expect(names(longPacket(join(crypto, Uint8Array.of(0x1e, 1, 2))))).toEqual([NAME]);
  });
});

describe('what is kept', () => {
  const [first, second, third] = parts(long, 700) as [Uint8Array, Uint8Array, Uint8Array];
  const nothing = longPacket(Uint8Array.of(1), { payloadBytes: 40 });

  it('ends after ten Initials of a flow', () => {
    const nine = Array.from({ length: 9 }, () => nothing);
    expect(names(...nine, longPacket(crypto)).at(-1)).toBe(NAME);
    expect(names(...nine, nothing, longPacket(crypto)).at(-1)).toBe('');
  });

  it('is of 256 flows; the one seen first gives way', () => {
    for (const [others, expected] of [
      [255, NAME],
      [256, ''],
    ] as const) {
      const hellos = new QuicHellos();
      readAll(hellos, FLOW, [first, second]);
      for (let flow = 0; flow < others; flow++) readAll(hellos, 1000 + flow, [nothing], US + 1e6);
      const [found] = readAll(hellos, FLOW, [third], US + 2e6);
      expect(found?.hello.serverName ?? '').toBe(expected);
    }
  });

  it('is gone once the flow is forgotten; another one has no bytes of it', () => {
    const hellos = new QuicHellos();
    readAll(hellos, FLOW, [first, second]);
    hellos.forget(FLOW);
    hellos.forget(FLOW);
    expect(readAll(hellos, FLOW, [third])).toEqual([null]);
    hellos.forget(FLOW);
    const found = readAll(hellos, FLOW, [...parts(helloOf('next.example', 1700), 700, { dcid: id(6) })]);
    expect(found.map((item) => item?.hello.serverName ?? '')).toEqual(['', '', 'next.example']);
  });
});

it('decrypts only so many packets in a second of packet time, and counts the others', () => {
  const hellos = new QuicHellos();
  const packet = longPacket(crypto);
  const { view, offset, end } = placed(corrupt(packet, 100));
  for (let index = 1; index < DECRYPTIONS_PER_SECOND_MAX; index++) hellos.read(1000 + index, view, offset, end, US + index);
  // This flow is given up, so that what it sends afterwards is not missed.
  readAll(hellos, FLOW, [longPacket(cryptoFrame(0, Uint8Array.of(1, 1, 0, 0, 3, 3)), padded), packet]);
  expect(hellos.skipped).toBe(0);
  expect(readAll(hellos, -1, [packet, packet], US + 999_999)).toEqual([null, null]);
  expect(hellos.skipped).toBe(2);
  expect(readAll(hellos, -1, [packet], US + 1_000_000)).toMatchObject([{ hello: { serverName: NAME } }]);
  expect(hellos.skipped).toBe(2);
});
