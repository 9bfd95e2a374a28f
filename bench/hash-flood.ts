import { FlowHash, KEY_WORDS_MAX } from '../src/parse/flow-hash.js';
import { Random } from './generate/random.js';

/** Sender of a datagram to `FLOOD_TARGET`: the part of the 5-tuple that a flood can choose. */
export interface FloodSource {
  /** IPv4 address as an unsigned number, greater than the target's. */
  readonly address: number;
  readonly port: number;
}

/** Where all of it goes: 10.0.0.1, port 443, UDP. The smaller address comes first in a key, so the target is `lo`. */
export const FLOOD_TARGET = { address: 0x0a00_0001, port: 443, protocol: 17 } as const;

/** Senders are in 11.0.0.0/8. */
const SOURCE_NETWORK = 0x0b00_0000;
const SOURCE_BITS = 24;
const PORTS = 65_536;

/** The key as `FlowIndex` has it: protocol and IP version, ports, address of `lo`, address of `hi`. */
function setKey(key: Int32Array, { address, port }: FloodSource): void {
  key[0] = FLOOD_TARGET.protocol | (4 << 20);
  key[1] = (FLOOD_TARGET.port << 16) | port;
  key[2] = FLOOD_TARGET.address;
  key[3] = address;
}

/** Bucket of a key in a table of 2^`bucketBits` buckets whose hash has this seed. */
export function bucketOf(hash: FlowHash, source: FloodSource, bucketBits: number): number {
  const key = new Int32Array(KEY_WORDS_MAX);
  setKey(key, source);
  return hash.ofIpv4(key) >>> (32 - bucketBits);
}

/** Senders as they come: addresses and ports at random, each pair once. */
export function randomSources(count: number, seed: number): FloodSource[] {
  const random = new Random(seed);
  const sources: FloodSource[] = [];
  for (let index = 0; index < count; index++)
    sources.push({ address: SOURCE_NETWORK + sparse(index), port: random.next() >>> 16 });
  return sources;
}

/**
 * Senders of whom all meet in one bucket of a table with 2^`bucketBits` buckets, if that takes `guessedSeed`. The hash is a sum, so for
 * each address the ports are looked up that bring the sum where it is wanted: what an attacker who knew the seed would do.
 */
export function collidingSources(count: number, guessedSeed: number, bucketBits: number): FloodSource[] {
  const hash = new FlowHash(guessedSeed);
  const key = new Int32Array(KEY_WORDS_MAX);
  const shares = Array.from({ length: PORTS }, (_, port) => {
    key[1] = port;
    return { port, share: hash.ofIpv4(key) >>> 0 };
  }).sort((a, b) => a.share - b.share);
  const bucketWidth = 2 ** (32 - bucketBits);
  const sources: FloodSource[] = [];
  for (let index = 0; sources.length < count; index++) {
    const address = SOURCE_NETWORK + sparse(index);
    setKey(key, { address, port: 0 });
    // The first bucket: shares that lift the rest of the sum to 0 and less than a bucket beyond, modulo 2^32.
    const wanted = (2 ** 32 - (hash.ofIpv4(key) >>> 0)) % 2 ** 32;
    for (let at = firstFrom(shares, wanted); sources.length < count; at++) {
      const found = shares[at % PORTS] as { port: number; share: number };
      const beyond = (found.share - wanted + 2 ** 32) % 2 ** 32;
      if (beyond >= bucketWidth) break;
      sources.push({ address, port: found.port });
    }
  }
  return sources;
}

/** Spreads an index over the host part of an address, each once: an odd factor has an inverse modulo a power of two. */
function sparse(index: number): number {
  return Math.imul(index + 1, 0x9e3779b1) & (2 ** SOURCE_BITS - 1);
}

/** Index of the first share that is not below `wanted`; the number of shares where there is none. */
function firstFrom(shares: readonly { readonly share: number }[], wanted: number): number {
  let low = 0;
  let high = shares.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((shares[middle] as { share: number }).share < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
