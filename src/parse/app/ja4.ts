import { hash, randomInt } from 'node:crypto';
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
/** Fingerprints that are remembered: clients of one kind have the same. At the limit all are forgotten. */
const FINGERPRINTS_MAX = 1024;
const fingerprints = new Map<number, string>();
/** Secret, so that nobody can make two different hellos that are taken for one. */
const SEEDS = [randomInt(2 ** 32), randomInt(2 ** 32)] as const;

/**
 * The JA4 fingerprint of a client (FoxIO, technical_details/JA4.md), 36 characters: what it speaks and offers, then the hashes of its
 * cipher suites and of its extensions with the signature algorithms. GREASE counts nowhere. `transport` is t for TLS over TCP and q
 * for QUIC.
 *
 * It is worked out once for each kind of client. Browsers shuffle their extensions for each connection, so a kind is known by a sum over
 * its lists: 53 bits of it, under a secret seed.
 */
export function ja4(hello: ClientHello, transport: 't' | 'q'): string {
  const kind = kindOf(hello, transport, SEEDS[0]) * 2 ** 21 + (kindOf(hello, transport, SEEDS[1]) >>> 11);
  let fingerprint = fingerprints.get(kind);
  if (fingerprint === undefined) {
    fingerprint = fingerprintOf(hello, transport);
    if (fingerprints.size >= FINGERPRINTS_MAX) fingerprints.clear();
    fingerprints.set(kind, fingerprint);
  }
  return fingerprint;
}

/** The same for all hellos with the same fingerprint but for the order of what is sorted in it, and hardly ever for others. */
function kindOf(hello: ClientHello, transport: 't' | 'q', seed: number): number {
  const { ciphers, extensions, signatureAlgorithms } = hello;
  const fixed = mix(seed ^ (hello.version << 1) ^ (transport === 'q' ? 1 : 0)) ^ hello.alpnEnds;
  let ofCiphers = mix(fixed);
  for (let i = 0; i < ciphers.length; i++) {
    const cipher = ciphers[i] as number;
    if (!isGrease(cipher)) ofCiphers = (ofCiphers + mix(cipher ^ seed)) | 0;
  }
  let ofExtensions = mix(ofCiphers);
  for (let i = 0; i < extensions.length; i++) {
    const type = extensions[i] as number;
    if (!isGrease(type)) ofExtensions = (ofExtensions + mix(type ^ seed)) | 0;
  }
  let all = mix(ofExtensions);
  for (let i = 0; i < signatureAlgorithms.length; i++) {
    const algorithm = signatureAlgorithms[i] as number;
    if (!isGrease(algorithm)) all = mix(all ^ algorithm);
  }
  return all >>> 0;
}

/** Finalizer of MurmurHash3: every bit of a 32-bit number changes every bit of the result. */
function mix(number: number): number {
  let bits = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

function fingerprintOf(hello: ClientHello, transport: 't' | 'q'): string {
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
  const text = more.length === 0 ? hexList(list) : `${hexList(list)}_${hexList(more)}`;
  return hash('sha256', text, 'hex').slice(0, HASH_CHARACTERS);
}
