import type { Random } from '../../bench/generate/random.js';
import { join } from './frame-bytes.js';

/** One way of damaging bytes: returns others, never longer than `BYTES_MAX`. */
type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

/** A frame grows no further than this. */
const BYTES_MAX = 65_535;
const INSERT_BYTES_MAX = 64;
/** Numbers at which lengths and offsets go wrong. */
const TELLING_BYTES = [0, 1, 2, 3, 4, 5, 7, 8, 0x0f, 0x10, 0x3f, 0x40, 0x45, 0x60, 0x7f, 0x80, 0xc0, 0xf0, 0xfe, 0xff];
const TELLING_HALVES = [0, 1, 7, 8, 19, 20, 39, 40, 0x7fff, 0x8000, 0xc000, 0xc00c, 0xfffe, 0xffff];
/** Layers announce each other by these: EtherTypes, and IP protocols as bytes. */
const ETHER_TYPES = [0x0800, 0x86dd, 0x8100, 0x88a8, 0x8847, 0x8864, 0x6558, 0x88be, 0x22eb, 0x894f, 0x0806, 0x880b];
const IP_PROTOCOLS = [0, 1, 4, 6, 17, 33, 41, 43, 44, 47, 50, 51, 58, 59, 60, 97, 132, 135, 136, 137, 139, 140];

/** One of these. */
export function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.below(values.length)] as T;
}

/** True once in `count` times. */
export function onceIn(random: Random, count: number): boolean {
  return random.below(count) === 0;
}

/** `count` bytes at random. */
export function randomBytes(random: Random, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.next() & 0xff);
}

const anywhere = (bytes: Uint8Array, random: Random): number => random.below(bytes.length + 1);

/** Somewhere in the bytes, in the first ones twice as often: that is where the headers are. */
function spot(bytes: Uint8Array, random: Random): number {
  return random.below(Math.max(1, onceIn(random, 2) ? Math.min(bytes.length, 96) : bytes.length));
}

function put(bytes: Uint8Array, at: number, ...values: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  values.forEach((value, index) => {
    if (at + index < copy.length) copy[at + index] = value;
  });
  return copy;
}

const flipBits: Mutation = (bytes, random) => {
  const copy = bytes.slice();
  for (let count = 1 + random.below(8); count > 0 && copy.length > 0; count--) {
    const at = spot(copy, random);
    copy[at] = (copy[at] as number) ^ (1 << random.below(8));
  }
  return copy;
};

const setByte: Mutation = (bytes, random) => put(bytes, spot(bytes, random), pick(random, TELLING_BYTES));

/** Two bytes that are read as a length, an offset or a pointer. */
const setHalf: Mutation = (bytes, random) => {
  const at = spot(bytes, random);
  const left = bytes.length - at;
  const half = onceIn(random, 2) ? pick(random, TELLING_HALVES) : Math.max(0, left - 2 + random.below(5)) & 0xffff;
  return put(bytes, at, half >> 8, half & 0xff);
};

const setWord: Mutation = (bytes, random) => {
  const word = pick(random, [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff]);
  return put(bytes, spot(bytes, random), word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff);
};

const setType: Mutation = (bytes, random) => {
  const at = spot(bytes, random);
  if (onceIn(random, 2)) return put(bytes, at, pick(random, IP_PROTOCOLS));
  const type = pick(random, ETHER_TYPES);
  return put(bytes, at, type >> 8, type & 0xff);
};

/** A compression pointer as DNS has them: to the start, to itself, around it, or far away. */
const setPointer: Mutation = (bytes, random) => {
  const at = spot(bytes, random);
  const target = pick(random, [0, 12, at & 0x3fff, Math.max(0, at - 2), (at + 2) & 0x3fff, random.below(0x4000), 0x3fff]);
  return put(bytes, at, 0xc0 | (target >> 8), target & 0xff);
};

const cut: Mutation = (bytes, random) => bytes.slice(0, anywhere(bytes, random));

const insert: Mutation = (bytes, random) => {
  const at = anywhere(bytes, random);
  return join(bytes.subarray(0, at), randomBytes(random, 1 + random.below(INSERT_BYTES_MAX)), bytes.subarray(at));
};

const remove: Mutation = (bytes, random) => {
  const at = anywhere(bytes, random);
  return join(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(INSERT_BYTES_MAX)));
};

/** A stretch once more behind itself: headers that repeat. */
const repeat: Mutation = (bytes, random) => {
  const at = anywhere(bytes, random);
  const stretch = bytes.subarray(at, at + 1 + random.below(INSERT_BYTES_MAX));
  const copies = Array.from({ length: 1 + random.below(onceIn(random, 8) ? 100 : 4) }, () => stretch);
  return join(bytes.subarray(0, at), ...copies, bytes.subarray(at));
};

/** The head of one and the tail of another. */
const splice: Mutation = (bytes, random, other) =>
  join(bytes.subarray(0, anywhere(bytes, random)), other.subarray(anywhere(other, random)));

const fill: Mutation = (bytes, random) => {
  const at = anywhere(bytes, random);
  return bytes.slice().fill(pick(random, TELLING_BYTES), at, at + 1 + random.below(INSERT_BYTES_MAX));
};

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  setByte,
  setByte,
  setHalf,
  setHalf,
  setWord,
  setType,
  setPointer,
  cut,
  insert,
  remove,
  repeat,
  splice,
  fill,
];

/** `bytes` damaged in one to four ways; `other` lends its parts. The same for the same state of `random`. */
export function mutate(bytes: Uint8Array, random: Random, other: Uint8Array = bytes): Uint8Array {
  let mutated = bytes;
  for (let count = 1 + random.below(4); count > 0; count--) mutated = pick(random, MUTATIONS)(mutated, random, other);
  return mutated.length > BYTES_MAX ? mutated.slice(0, BYTES_MAX) : mutated;
}
