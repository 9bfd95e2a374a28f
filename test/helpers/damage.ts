import type { Random } from '../../bench/generate/random.js';

const PAGE_BYTES = 4096;
/** Fields of SQLite's header that decide how all else is read: page size, versions, reserve, page counts, schema, encoding, application. */
const HEADER_FIELDS = [16, 18, 19, 20, 21, 24, 28, 32, 36, 40, 44, 52, 56, 60, 64, 92, 96];
const TELLING_BYTES = [0, 1, 2, 5, 10, 13, 0x7f, 0x80, 0xff];

type Damage = (bytes: Buffer, random: Random) => Buffer;

const pageOf = (bytes: Buffer, random: Random): number =>
  random.below(Math.max(1, Math.floor(bytes.length / PAGE_BYTES))) * PAGE_BYTES;

/** Overwrites `count` bytes from `offset` on, as far as there are any. */
function fill(bytes: Buffer, offset: number, count: number, value: () => number): Buffer {
  for (let at = offset; at < Math.min(offset + count, bytes.length); at++) bytes[at] = value();
  return bytes;
}

/** What cards, cables, power cuts and people do to a file. */
const DAMAGES: readonly Damage[] = [
  // Single bits, anywhere and in the first pages, where the schema is.
  (bytes, random) => {
    for (let i = random.below(32); i >= 0; i--) {
      const at = random.below(random.below(2) === 0 ? bytes.length : Math.min(bytes.length, 16 * PAGE_BYTES));
      bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    }
    return bytes;
  },
  // A page of zeros, of ones, of noise.
  (bytes, random) => fill(bytes, pageOf(bytes, random), PAGE_BYTES, () => 0),
  (bytes, random) => fill(bytes, pageOf(bytes, random), PAGE_BYTES, () => 0xff),
  (bytes, random) => fill(bytes, pageOf(bytes, random), PAGE_BYTES * (1 + random.below(8)), () => random.below(256)),
  // A sector of a page, and the head of a page, which tells what it is.
  (bytes, random) => fill(bytes, random.below(Math.max(1, bytes.length >> 9)) * 512, 512, () => 0),
  (bytes, random) => fill(bytes, pageOf(bytes, random), 12, () => TELLING_BYTES[random.below(TELLING_BYTES.length)] as number),
  // A page in the place of another.
  (bytes, random) => {
    const page = Buffer.from(bytes.subarray(pageOf(bytes, random)).subarray(0, PAGE_BYTES));
    page.copy(bytes, pageOf(bytes, random));
    return bytes;
  },
  (bytes, random) => {
    const at = HEADER_FIELDS[random.below(HEADER_FIELDS.length)] as number;
    return fill(bytes, at, 1 + random.below(4), () => TELLING_BYTES[random.below(TELLING_BYTES.length)] as number);
  },
  // Cut: anywhere, at a page, at the start.
  (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  (bytes, random) => bytes.subarray(0, pageOf(bytes, random)),
  (bytes, random) => bytes.subarray(0, random.below(Math.min(bytes.length, 8192))),
  // Something more in the midst or at the end.
  (bytes, random) => {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + random.below(5000), random.below(256)), bytes.subarray(at)]);
  },
];

/** The bytes, damaged in one way; a copy. */
export function damage(bytes: Buffer, random: Random): Buffer {
  return (DAMAGES[random.below(DAMAGES.length)] as Damage)(Buffer.from(bytes), random);
}
