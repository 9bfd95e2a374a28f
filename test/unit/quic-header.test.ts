import { describe, expect, it } from 'vitest';
import { isQuic, isQuicInitial, LongHeader, QuicPacket, readLongHeader } from '../../src/parse/app/quic-header.js';
import { readVarint, varintBytes } from '../../src/parse/app/quic-varint.js';
import { bytesOf, RFC_9001_INITIAL, RFC_9369_INITIAL } from '../fixtures/quic-initials.js';
import { join } from '../helpers/frame-bytes.js';
import { alone, placed } from '../helpers/parser-input.js';
import { hex } from '../helpers/placed.js';
import { longPacket, QUIC_DRAFT_29, QUIC_V1, QUIC_V2, varint, versionNegotiation } from '../helpers/quic-packet.js';

type Test = typeof isQuic;
function says(test: Test, bytes: Uint8Array): boolean {
  const { view, offset, end } = placed(bytes);
  return test(view, offset, end);
}

const TYPES = ['initial', 'zeroRtt', 'handshake', 'retry'] as const;
const VERSIONS = [QUIC_V1, QUIC_V2, QUIC_DRAFT_29] as const;
const some = new Uint8Array(100);

/** `bytes` with one of them changed. */
function changed(bytes: Uint8Array, index: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[index] = value;
  return copy;
}

describe('a QUIC packet', () => {
  it('is told by its header, and Initials from others', () => {
    for (const version of VERSIONS) {
      for (const type of TYPES) {
        const packet = longPacket(some, { version, type });
        expect(says(isQuic, packet)).toBe(true);
        expect(says(isQuicInitial, packet)).toBe(type === 'initial');
      }
    }
    expect(says(isQuicInitial, bytesOf(RFC_9001_INITIAL))).toBe(true);
    expect(says(isQuicInitial, bytesOf(RFC_9369_INITIAL))).toBe(true);
  });

  it('is told as soon as its connection ids are there', () => {
    const packet = longPacket(some, { scid: new Uint8Array(5) });
    const idsEnd = 7 + 8 + 5;
    for (let length = 0; length < packet.length; length++) {
      const { view, offset, end } = alone(packet.subarray(0, length));
      expect(isQuicInitial(view, offset, end)).toBe(length >= idsEnd);
      expect(isQuic(view, offset, end)).toBe(length >= idsEnd);
    }
  });

  it('has a known version, the fixed bit, and connection ids of at most 20 bytes', () => {
    const packet = longPacket(some);
    const other = [changed(packet, 4, 2), changed(packet, 0, 0x80), changed(packet, 0, 0x40)];
    other.push(longPacket(some, { dcid: new Uint8Array(21) }), longPacket(some, { scid: new Uint8Array(21) }));
    for (const bytes of other) expect([says(isQuicInitial, bytes), says(isQuic, bytes)]).toEqual([false, false]);
    for (const [version, expected] of [
      [0xff000015, false],
      [0xff000016, true],
      [0xff000022, true],
      [0xff000023, false],
      [0xfaceb000, false],
      [0xfaceb001, true],
      [0xfaceb003, false],
      [0xfafafafa, true],
      [0xfafafafb, false],
    ] as const) {
      const bytes = Uint8Array.from(packet);
      new DataView(bytes.buffer).setUint32(1, version);
      expect(says(isQuicInitial, bytes)).toBe(expected);
    }
  });

  it('may be a Version Negotiation packet, which is no Initial', () => {
    const negotiation = versionNegotiation(QUIC_V1, 0x0a0a0a0a);
    expect([says(isQuic, negotiation), says(isQuicInitial, negotiation)]).toEqual([true, false]);
    expect(says(isQuic, versionNegotiation())).toBe(false);
    expect(says(isQuic, negotiation.subarray(0, -1))).toBe(false);
  });

  it('of negotiation gives back an id that the client chose, of eight bytes at least', () => {
    const withId = (bytes: number): Uint8Array => join(hex('80 00000000 00'), Uint8Array.of(bytes), new Uint8Array(bytes + 4));
    expect([7, 8, 20].map((bytes) => says(isQuic, withId(bytes)))).toEqual([false, true, true]);
    // That of the receiver does not stand in for it.
    expect(says(isQuic, join(hex('80 00000000 08'), new Uint8Array(8), hex('00 00000001')))).toBe(false);
  });

  it.each([1, 5, 127, 255])('is not the datagram of mosh with number %i, whose nonce looks like a version of 0', (number) => {
    const mosh = join(hex('80 00000000 0000'), Uint8Array.of(number), new Uint8Array(51).fill(0xa7));
    expect(says(isQuic, mosh)).toBe(false);
  });

  it('is not something else', () => {
    const others = ['\x80\0\0\0\0\0\0\0\0', '\x40\0\0\0\x01\x08abcdefgh', 'HTTP/1.1 200', '\0'.repeat(40), '\xff'.repeat(40)];
    for (const other of others) expect(says(isQuic, Uint8Array.from(Buffer.from(other, 'latin1')))).toBe(false);
  });
});

describe('a long header', () => {
  function headerOf(bytes: Uint8Array): LongHeader | null {
    const { view, offset, end } = alone(bytes);
    const header = new LongHeader();
    return readLongHeader(view, offset, end, header) ? header : null;
  }

  it('tells where the packet number stands and where the packet ends', () => {
    const scid = new Uint8Array(3);
    const behind = new Uint8Array(50).fill(0xaa);
    for (const version of VERSIONS) {
      const packet = longPacket(some, { version, scid, token: new Uint8Array(70) });
      const header = headerOf(Buffer.concat([packet, behind]));
      const numberOffset = 7 + 8 + 3 + 2 + 70 + 2;
      expect(header).toEqual({
        version,
        type: QuicPacket.Initial,
        dcidOffset: 6,
        dcidBytes: 8,
        numberOffset,
        end: packet.length,
      });
    }
  });

  it('has no token in packets of other types, and no length in Retry', () => {
    for (const version of VERSIONS) {
      expect(headerOf(longPacket(some, { version, type: 'zeroRtt' }))).toMatchObject({
        type: QuicPacket.ZeroRtt,
        numberOffset: 17,
      });
      expect(headerOf(longPacket(some, { version, type: 'handshake' }))).toMatchObject({ type: QuicPacket.Handshake });
      const retry = longPacket(some, { version, type: 'retry' });
      expect(headerOf(retry)).toMatchObject({ type: QuicPacket.Retry, end: retry.length });
    }
  });

  it('is not read where the packet is cut', () => {
    const packet = longPacket(some, { token: new Uint8Array(70) });
    for (let length = 0; length < packet.length; length++) expect(headerOf(packet.subarray(0, length))).toBeNull();
    expect(headerOf(packet)).not.toBeNull();
  });
});

describe('a number of variable length', () => {
  it('is read in all widths', () => {
    for (const width of [1, 2, 4, 8] as const) {
      for (const value of [0, 37, 2 ** (width * 8 - 2) - 1]) {
        const { view, offset, end } = placed(varint(value === 2 ** 62 - 1 ? 2n ** 62n - 1n : value, width));
        expect(readVarint(view, offset, end)).toBe(value);
        expect(varintBytes(view.getUint8(offset))).toBe(width);
        for (let cut = 0; cut < width; cut++) expect(readVarint(view, offset, offset + cut)).toBe(-1);
      }
    }
  });

  it('is as in RFC 9000 appendix A.1', () => {
    for (const [text, value] of [
      ['9d7f3e7d', 494_878_333],
      ['7bbd', 15_293],
      ['25', 37],
      ['4025', 37],
    ] as const) {
      const { view, offset, end } = placed(bytesOf(text));
      expect(readVarint(view, offset, end)).toBe(value);
    }
  });
});
