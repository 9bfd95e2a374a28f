import { describe, expect, it } from 'vitest';
import { DnsName, skipDnsName } from '../../src/parse/app/dns-name.js';
import { alone, inMemory, label, pointer, wireName } from '../helpers/dns-bytes.js';
import { join } from '../helpers/frame-bytes.js';

const HEADER_BYTES = 12;
const ROOT = Uint8Array.of(0);
const name = new DnsName();

/** Reads the name that stands `at` bytes behind the header of a message with this body. */
function read(body: Uint8Array, at = 0): { text: string; behind: number } | undefined {
  const bytes = join(new Uint8Array(HEADER_BYTES), body);
  const { view, offset, end } = inMemory(bytes);
  const next = name.read(view, offset, offset + HEADER_BYTES + at, end);
  const cut = alone(bytes);
  expect(name.read(cut.view, 0, HEADER_BYTES + at, cut.end)).toBe(next < 0 ? -1 : next - offset);
  if (next < 0) {
    expect(name.length).toBe(0);
    return undefined;
  }
  const text = Buffer.from(name.bytes.subarray(0, name.length)).toString('latin1');
  return { text, behind: next - offset - HEADER_BYTES };
}

const text = (body: Uint8Array, at = 0): string | undefined => read(body, at)?.text;

describe('a DNS name', () => {
  it('is read as the example of RFC 1035 section 4.1.4 has it', () => {
    // At 20, 40, 64 and 92 of the message.
    const body = new Uint8Array(81);
    body.set(join(label('F'), label('ISI'), label('ARPA'), ROOT), 20 - HEADER_BYTES);
    body.set(join(label('FOO'), pointer(20)), 40 - HEADER_BYTES);
    body.set(pointer(26), 64 - HEADER_BYTES);
    body.set(ROOT, 92 - HEADER_BYTES);
    expect(read(body, 20 - HEADER_BYTES)).toEqual({ text: 'f.isi.arpa', behind: 32 - HEADER_BYTES });
    expect(read(body, 40 - HEADER_BYTES)).toEqual({ text: 'foo.f.isi.arpa', behind: 46 - HEADER_BYTES });
    expect(read(body, 64 - HEADER_BYTES)).toEqual({ text: 'arpa', behind: 66 - HEADER_BYTES });
    expect(read(body, 92 - HEADER_BYTES)).toEqual({ text: '.', behind: 93 - HEADER_BYTES });
  });

  it('is lower case, and escaped where it is more than letters, digits and signs', () => {
    expect(text(wireName('WWW.Ex-ample_1.COM'))).toBe('www.ex-ample_1.com');
    expect(text(join(label('a.b'), label('c\\d"e'), ROOT))).toBe('a\\.b.c\\\\d\\"e');
    expect(text(join(label('My Printer\0\x07\x7f'), ROOT))).toBe('my\\032printer\\000\\007\\127');
    // Two bytes of UTF-8, then two that are none.
    expect(text(join(label('caf\xc3\xa9\xff\xc3'), ROOT))).toBe('caf\\195\\169\\255\\195');
  });

  it('leads through pointers to earlier names only', () => {
    const body = join(wireName('example.com'), label('www'), pointer(12), label('a'), pointer(25));
    expect(read(body, 13)).toEqual({ text: 'www.example.com', behind: 19 });
    expect(read(body, 19)).toEqual({ text: 'a.www.example.com', behind: 23 });
    for (const [what, target] of [
      ['itself', 27],
      ['its own label', 25],
      ['what comes behind', 29],
      ['behind the end', 0x3fff],
      ['the header', 4],
    ] as const)
      expect([what, read(join(wireName('example.com'), label('a'), pointer(target), wireName('b')), 13)]).toEqual([
        what,
        undefined,
      ]);
  });

  it('is refused where pointers go round in circles', () => {
    expect(read(pointer(12))).toBeUndefined();
    // Each leads to the other.
    expect(read(join(pointer(14), pointer(12)), 2)).toBeUndefined();
    // A run of labels that comes by its own start again.
    expect(read(join(label('a'), pointer(12)))).toBeUndefined();
    expect(read(join(label('a'), label('b'), pointer(14)), 2)).toBeUndefined();
    expect(read(join(label('a'), label('b'), pointer(12)), 2)).toBeUndefined();
  });

  it('follows 127 pointers, which is as many as a name has labels', () => {
    const chain = (count: number): Uint8Array =>
      join(wireName('x'), ...Array.from({ length: count }, (_, i) => pointer(i === 0 ? 12 : 13 + 2 * i)));
    expect(read(chain(127), 3 + 2 * 126)).toEqual({ text: 'x', behind: 3 + 2 * 127 });
    expect(read(chain(128), 3 + 2 * 127)).toBeUndefined();
  });

  it('is refused where a pointer leads on from an earlier one', () => {
    // What stands at 12 ends with a pointer to behind it, which by itself is refused, and so it is for whoever comes there.
    const body = join(label('a'), pointer(16), wireName('b'), pointer(12));
    expect(text(body, 4)).toBe('b');
    expect(read(body, 0)).toBeUndefined();
    expect(read(body, 7)).toBeUndefined();
  });

  it('is refused with lengths that are neither that of a label nor a pointer', () => {
    for (const length of [0x40, 0x41, 0x7f, 0x80, 0xbf]) {
      expect(read(join(label('a'), Uint8Array.of(length), new Uint8Array(255)))).toBeUndefined();
      expect(skip(join(label('a'), Uint8Array.of(length), new Uint8Array(255)))).toBe(-1);
    }
    // Nor are they pointers of another kind.
    for (const length of [0x40, 0x80]) expect(read(join(wireName('a'), Uint8Array.of(length, 12)), 3)).toBeUndefined();
  });

  it('has at most 255 bytes, compressed or not', () => {
    const long = 'abcdefghi.'.repeat(25);
    const longest = `${long}abc`;
    expect(wireName(longest)).toHaveLength(255);
    expect(text(wireName(longest))).toBe(longest);
    expect(read(wireName(`${longest}d`))).toBeUndefined();
    const labels = Array.from({ length: 127 }, () => 'a').join('.');
    expect(text(wireName(labels))).toBe(labels);
    expect(read(wireName(`${labels}.a`))).toBeUndefined();
    const body = (last: string): Uint8Array => join(wireName(long.slice(0, -1)), label(last), pointer(12));
    expect(text(body('abc'), 251)).toBe(`abc.${long.slice(0, -1)}`);
    expect(read(body('abcd'), 251)).toBeUndefined();
    expect(text(wireName('a'.repeat(63)))).toBe('a'.repeat(63));
  });

  it('is cut at 253 characters, between two escapes and never behind a dot', () => {
    const hundred = join(label('\0'.repeat(50)), label('\0'.repeat(50)), ROOT);
    expect(text(hundred)).toBe(`${'\\000'.repeat(50)}.${'\\000'.repeat(13)}`);
    const dots = join(label('\0'.repeat(63)), label('.'.repeat(4)), ROOT);
    // 252 characters leave one, which a dot and what comes behind it do not fit in.
    expect(text(dots)).toBe('\\000'.repeat(63));
    const one = join(label('\0'.repeat(62)), label('abc'), label('d'), ROOT);
    expect(text(one)).toBe(`${'\\000'.repeat(62)}.abc`);
    const none = join(label('\0'.repeat(62)), label('ab'), label('.'), ROOT);
    expect(text(none)).toBe(`${'\\000'.repeat(62)}.ab`);
    // What does not fit is still read to its end.
    expect(read(join(label('\0'.repeat(63)), label('\0'.repeat(63)), Uint8Array.of(0x80)))).toBeUndefined();
  });

  it('is refused wherever it is cut', () => {
    const whole = join(wireName('example.com'), label('www'), pointer(12));
    for (let length = 0; length < 13; length++) {
      expect(read(whole.slice(0, length))).toBeUndefined();
      expect(skip(whole.slice(0, length))).toBe(-1);
    }
    for (let length = 13; length < whole.length; length++) expect(read(whole.slice(0, length), 13)).toBeUndefined();
    expect(text(whole, 13)).toBe('www.example.com');
  });
});

/** The length of the name that a body begins with. */
function skip(body: Uint8Array): number {
  const { view, offset, end } = inMemory(body);
  const next = skipDnsName(view, offset, end);
  return next < 0 ? -1 : next - offset;
}

describe('skipping a DNS name', () => {
  it('comes to what stands behind its root or its pointer', () => {
    expect(skip(join(wireName('a.bc'), ROOT))).toBe(6);
    expect(skip(join(label('a'), pointer(0x3fff), ROOT))).toBe(4);
    expect(skip(ROOT)).toBe(1);
  });

  it('gives up on one that is too long', () => {
    expect(skip(wireName(`${'abcdefghi.'.repeat(25)}abc`))).toBe(255);
    expect(skip(wireName(`${'abcdefghi.'.repeat(25)}abcd`))).toBe(-1);
  });
});
