import { join } from './frame-bytes.js';

/** Two bytes, upper one first. */
export const half = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);

const word = (value: number): Uint8Array => join(half(value >>> 16), half(value & 0xffff));

/** One label: its length, then its characters, each up to U+00FF. */
export function label(text: string): Uint8Array {
  return join(Uint8Array.of(text.length), Uint8Array.from(Buffer.from(text, 'latin1')));
}

/** A name on the wire, without compression; '' is the root. */
export function wireName(text: string): Uint8Array {
  const labels = text === '' ? [] : text.split('.');
  return join(...labels.map(label), Uint8Array.of(0));
}

/** A compression pointer. */
export const pointer = (offset: number): Uint8Array => half(0xc000 | offset);

/** Offset of the first question's name, to which the answers point. */
export const FIRST_NAME = 12;

export function question(name: string | Uint8Array, type = 1, klass = 1): Uint8Array {
  return join(typeof name === 'string' ? wireName(name) : name, half(type), half(klass));
}

export interface RecordOptions {
  readonly ttl?: number;
  readonly klass?: number;
}

export function record(
  name: string | Uint8Array,
  type: number,
  data: Uint8Array,
  { ttl = 300, klass = 1 }: RecordOptions = {},
): Uint8Array {
  return join(question(name, type, klass), word(ttl), half(data.length), data);
}

/** An OPT record (RFC 6891 section 6.1.2). */
export function opt(extendedCode: number, payloadBytes = 1232): Uint8Array {
  return record('', 41, new Uint8Array(0), { ttl: extendedCode * 2 ** 24, klass: payloadBytes });
}

export interface DnsParts {
  readonly id?: number;
  readonly flags?: number;
  readonly questions?: readonly Uint8Array[];
  readonly answers?: readonly Uint8Array[];
  readonly authorities?: readonly Uint8Array[];
  readonly additionals?: readonly Uint8Array[];
  /** Instead of the numbers of what there is. */
  readonly counts?: readonly [questions: number, answers: number, authorities: number, additionals: number];
}

/** Flags of a query and of an answer: recursion desired, and available. */
const QUERY = 0x0100;
export const ANSWER = 0x8180;
/** Flags of an answer of mDNS. */
export const AUTHORITATIVE = 0x8400;

export function dnsMessage(parts: DnsParts): Uint8Array {
  const sections = [parts.questions ?? [], parts.answers ?? [], parts.authorities ?? [], parts.additionals ?? []];
  const counts = parts.counts ?? sections.map((section) => section.length);
  return join(half(parts.id ?? 1), half(parts.flags ?? QUERY), ...counts.map(half), ...sections.flat());
}

/** The label of a NetBIOS name (RFC 1001 section 14.1): 15 characters, blanks behind, and a last byte, in two letters each. */
export function halfAscii(text: string, suffix: number): string {
  const bytes = [...Buffer.from(text.padEnd(15, ' '), 'latin1'), suffix];
  return bytes.map((byte) => String.fromCharCode(0x41 + (byte >> 4), 0x41 + (byte & 0x0f))).join('');
}

/** A message somewhere in shared memory, as in a ring: a forgotten offset shows. */
export function inMemory(bytes: Uint8Array): { view: DataView; offset: number; end: number } {
  const offset = 24;
  const memory = new Uint8Array(new SharedArrayBuffer(bytes.length + 3 * offset)).fill(0xee);
  memory.set(bytes, 2 * offset);
  return { view: new DataView(memory.buffer, offset), offset, end: offset + bytes.length };
}

/** A message under a view that holds nothing else: to read beyond it throws. */
export function alone(bytes: Uint8Array): { view: DataView; offset: number; end: number } {
  return { view: new DataView(Uint8Array.from(bytes).buffer), offset: 0, end: bytes.length };
}
