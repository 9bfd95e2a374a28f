import { describe, expect, it } from 'vitest';
import { DnsName } from '../../src/parse/app/dns-name.js';
import { decodeNetbiosName, isNetbiosHost } from '../../src/parse/app/netbios-name.js';
import { halfAscii, inMemory, label, wireName } from '../helpers/dns-bytes.js';
import { join } from '../helpers/frame-bytes.js';

const HEADER_BYTES = 12;
const ROOT = Uint8Array.of(0);

/** Name and last byte that a name on the wire encodes. */
function decode(wire: Uint8Array): { text: string; suffix: number } {
  const name = new DnsName();
  const { view, offset, end } = inMemory(join(new Uint8Array(HEADER_BYTES), wire));
  expect(name.read(view, offset, offset + HEADER_BYTES, end)).toBe(end);
  const suffix = decodeNetbiosName(name);
  return { text: Buffer.from(name.bytes.subarray(0, name.length)).toString('latin1'), suffix };
}

describe('a NetBIOS name', () => {
  it('is that of the examples in RFC 1001 section 14.1 and RFC 1002 section 4.1', () => {
    // "The NetBIOS name", though what is printed there encodes a `g` for its `h`; and FRED, with blanks up to and with the last byte.
    const first = join(label('FEGHGFCAEOGFHEECEJEPFDCAGOGBGNGF'), wireName('SCOPE.ID.COM'));
    expect(decode(first)).toEqual({ text: 'tge\\032netbios\\032nam', suffix: 0x65 });
    expect(decode(join(label('EGFCEFEECACACACACACACACACACACACA'), wireName('NETBIOS.COM')))).toEqual({
      text: 'fred',
      suffix: 0x20,
    });
  });

  it.each([
    ['WORKGROUP', 0x1e, 'workgroup'],
    ['BRWC0CB383D1F42', 0x00, 'brwc0cb383d1f42'],
    // A query for whatever a host has (RFC 1001 section 15.1.4) is filled with zeros.
    ['*'.padEnd(15, '\0'), 0x00, '*'],
    ['\x01\x02__MSBROWSE__\x02', 0x01, '\\001\\002__msbrowse__\\002'],
    ['A.B "C', 0x00, 'a\\.b\\032\\"c'],
    ['\xff\xfe', 0x00, '\\255\\254'],
    ['', 0x00, ''],
  ])('loses its last byte and the blanks before it: %j', (text, suffix, expected) => {
    expect(decode(join(label(halfAscii(text, suffix)), ROOT))).toEqual({ text: expected, suffix });
  });

  it.each([
    ['of 31 letters', 'A'.repeat(31)],
    ['of 33 letters', 'A'.repeat(33)],
    ['with a letter behind P', `${'A'.repeat(31)}Q`],
    ['with a sign before A', `${'A'.repeat(31)}@`],
    ['of DNS', 'www'],
  ])('is no label %s', (_, text) => {
    expect(decode(join(label(text), ROOT))).toEqual({ text: text.toLowerCase(), suffix: -1 });
  });

  it('names a host with some last bytes', () => {
    expect([0x00, 0x03, 0x1b, 0x1c, 0x1d, 0x1e, 0x20, 0x01].filter(isNetbiosHost)).toEqual([0x00, 0x20]);
  });
});
