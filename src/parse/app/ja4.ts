import { createHash } from 'node:crypto';
import { type ClientHello, isGrease, TlsExtension } from './tls-client-hello.js';

/** Versions that have a code of their own; all others are 00. */
const VERSION_CODES: Readonly<Record<number, string>> = {
  772: '13',
  771: '12',
  770: '11',
  769: '10',
  768: 's3',
  2: 's2',
};
const COUNT_MAX = 99;
const HASH_CHARACTERS = 12;
const NO_HASH = '0'.repeat(HASH_CHARACTERS);
/** Hashes that are remembered: clients of one kind offer the same. At the limit all are forgotten. */
const HASHES_MAX = 1024;
const hashes = new Map<string, string>();

/**
 * The JA4 fingerprint of a client (FoxIO, technical_details/JA4.md), 36 characters: what it speaks and offers, then the hashes of its
 * cipher suites and of its extensions with the signature algorithms. GREASE counts nowhere. `transport` is t for TLS over TCP and q
 * for QUIC.
 */
export function ja4(hello: ClientHello, transport: 't' | 'q'): string {
  const ciphers = withoutGrease(hello.ciphers);
  const extensions = withoutGrease(hello.extensions);
  const version = VERSION_CODES[hello.version] ?? '00';
  const destination = extensions.includes(TlsExtension.ServerName) ? 'd' : 'i';
  const start = `${transport}${version}${destination}${count(ciphers)}${count(extensions)}${alpnCode(hello.alpnEnds)}`;
  return `${start}_${hashOf(ciphers.sort(ascending), [])}_${extensionHash(hello, extensions)}`;
}

/** Of the sorted extensions but those that the first part tells, and of the signature algorithms in the client's order. */
function extensionHash(hello: ClientHello, extensions: readonly number[]): string {
  const others = extensions.filter((type) => type !== TlsExtension.ServerName && type !== TlsExtension.Alpn);
  return hashOf(others.sort(ascending), withoutGrease(hello.signatureAlgorithms));
}

/** First and last character of the first protocol; where one of them is no letter or digit, of its hexadecimal digits. */
function alpnCode(ends: number): string {
  if (ends < 0) return '00';
  const first = ends >> 8;
  const last = ends & 0xff;
  if (isAlphanumeric(first) && isAlphanumeric(last)) return String.fromCharCode(first, last);
  return (first >> 4).toString(16) + (last & 0xf).toString(16);
}

function isAlphanumeric(byte: number): boolean {
  const lower = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x7a);
}

function withoutGrease(numbers: readonly number[]): number[] {
  return numbers.filter((number) => !isGrease(number));
}

const ascending = (a: number, b: number): number => a - b;

function count(numbers: readonly number[]): string {
  return String(Math.min(numbers.length, COUNT_MAX)).padStart(2, '0');
}

function hexList(numbers: readonly number[]): string {
  return numbers.map((number) => number.toString(16).padStart(4, '0')).join(',');
}

/** Hash of the list, and of `more` where there is any; zeros for an empty list. */
function hashOf(list: readonly number[], more: readonly number[]): string {
  if (list.length === 0) return NO_HASH;
  // Numbers of 16 bits are characters; the first one tells where the lists part.
  const key = String.fromCharCode(list.length, ...list, ...more);
  let hash = hashes.get(key);
  if (hash === undefined) {
    const text = more.length === 0 ? hexList(list) : `${hexList(list)}_${hexList(more)}`;
    hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_CHARACTERS);
    if (hashes.size >= HASHES_MAX) hashes.clear();
    hashes.set(key, hash);
  }
  return hash;
}
