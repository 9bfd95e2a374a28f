import { ESCAPED_CHARS_MAX, EscapeStyle, escapeText } from './text-escape.js';

/** ClientHello (RFC 8446 section 4.1.2): version and random value, then the session id, whose length comes first. */
const MESSAGE_HEADER_BYTES = 4;
const CLIENT_HELLO = 1;
const SESSION_ID = MESSAGE_HEADER_BYTES + 2 + 32;
const SESSION_ID_BYTES_MAX = 32;

/** Extensions that are read (RFC 8446 section 4.2). */
export const enum TlsExtension {
  ServerName = 0,
  SignatureAlgorithms = 13,
  Alpn = 16,
  SupportedVersions = 43,
}
const EXTENSION_HEADER_BYTES = 4;
const HOST_NAME = 0;

/**
 * Entries of each list that are read; what follows them is left out, also in the fingerprint. All cipher suites and extensions that
 * have ever been registered fit in.
 */
const NUMBERS_MAX = 512;
const NAMES_MAX = 8;
const DOT = 0x2e;

/** What a client says of itself. Numbers are as on the wire, GREASE (RFC 8701) among them. */
export interface ClientHello {
  /**
   * The name that it asks for (RFC 6066), escaped, in lower case and without the dot at its end; '' for none. Where the true one is
   * encrypted, this is the outer one.
   */
  readonly serverName: string;
  /**
   * Protocols that it offers (RFC 7301), escaped, commas too, without GREASE. Joined by commas they have at most 253 characters; those
   * that do not fit are left out.
   */
  readonly alpn: readonly string[];
  /** First and last byte of the first of them, the first in the upper eight bits; -1 if there is none or it is empty. */
  readonly alpnEnds: number;
  /** The highest version that it offers, GREASE aside; the one in the fixed part if it lists none. */
  readonly version: number;
  readonly ciphers: readonly number[];
  /** Types, in order; an extension that is cut is not among them. */
  readonly extensions: readonly number[];
  readonly signatureAlgorithms: readonly number[];
  /** Whether the message ends where its lengths say; otherwise the fields have what stands before the fault. */
  readonly isWhole: boolean;
}

type Draft = { -readonly [Field in keyof ClientHello]: ClientHello[Field] };

/** Whether a number is one of those that stand for nothing (RFC 8701 section 2). */
export function isGrease(number: number): boolean {
  return (number & 0x0f0f) === 0x0a0a && number >> 8 === (number & 0xff);
}

/**
 * Reads the ClientHello whose handshake header is at `offset`, as far as it goes up to `end`. Returns null if that is no ClientHello or
 * one whose part before the extensions is cut or contradicts itself. Never throws; runs once per connection, and allocates what it
 * returns.
 */
export function readClientHello(view: DataView, offset: number, end: number): ClientHello | null {
  if (end - offset <= SESSION_ID || view.getUint8(offset) !== CLIENT_HELLO) return null;
  const messageEnd = offset + MESSAGE_HEADER_BYTES + (view.getUint32(offset) & 0xffffff);
  const limit = Math.min(end, messageEnd);
  let at = offset + SESSION_ID;
  if (at >= limit || view.getUint8(at) > SESSION_ID_BYTES_MAX) return null;
  at += 1 + view.getUint8(at);
  if (at + 2 > limit) return null;
  const ciphers = at + 2;
  at = ciphers + view.getUint16(at);
  if (at >= limit) return null;
  const compressionEnd = at + 1 + view.getUint8(at);
  if (compressionEnd > limit) return null;
  const hello: Draft = {
    serverName: '',
    alpn: [],
    alpnEnds: -1,
    version: view.getUint16(offset + MESSAGE_HEADER_BYTES),
    ciphers: readNumbers(view, ciphers, at),
    extensions: [],
    signatureAlgorithms: [],
    isWhole: false,
  };
  hello.isWhole = readExtensions(view, compressionEnd, limit, hello) && messageEnd <= end;
  return hello;
}

/** Numbers of two bytes; an odd byte behind them is passed over. */
function readNumbers(view: DataView, offset: number, end: number): number[] {
  const numbers: number[] = [];
  for (let at = offset; at + 2 <= end && numbers.length < NUMBERS_MAX; at += 2) numbers.push(view.getUint16(at));
  return numbers;
}

/** End of a list that has its length of `width` bytes, 1 or 2, before it, but at most `end`; `offset` if not even that has room. */
function listEnd(view: DataView, offset: number, end: number, width: number): number {
  if (offset + width > end) return offset;
  return Math.min(end, offset + width + (width === 1 ? view.getUint8(offset) : view.getUint16(offset)));
}

/** Reads the block of extensions, which older clients leave out, and returns whether it is sound up to `end`. */
function readExtensions(view: DataView, offset: number, end: number, hello: Draft): boolean {
  if (offset === end) return true;
  const blockEnd = listEnd(view, offset, end, 2);
  const types: number[] = [];
  hello.extensions = types;
  let at = offset + 2;
  while (at + EXTENSION_HEADER_BYTES <= blockEnd && types.length < NUMBERS_MAX) {
    const type = view.getUint16(at);
    const body = at + EXTENSION_HEADER_BYTES;
    at = body + view.getUint16(at + 2);
    if (at > blockEnd) return false;
    readExtension(view, body, at, type, hello);
    types.push(type);
  }
  return at === end && blockEnd === end && view.getUint16(offset) === end - offset - 2;
}

/** The extensions have at most one of each type (RFC 8446 section 4.2); of several, the first one counts. */
function readExtension(view: DataView, body: number, end: number, type: number, hello: Draft): void {
  switch (type) {
    case TlsExtension.ServerName:
      if (!hello.extensions.includes(type)) hello.serverName = readServerName(view, body, end);
      return;
    case TlsExtension.SignatureAlgorithms:
      if (!hello.extensions.includes(type)) hello.signatureAlgorithms = readNumbers(view, body + 2, listEnd(view, body, end, 2));
      return;
    case TlsExtension.Alpn:
      if (!hello.extensions.includes(type)) readProtocols(view, body, end, hello);
      return;
    case TlsExtension.SupportedVersions:
      if (!hello.extensions.includes(type)) hello.version = highestVersion(view, body, end) || hello.version;
      return;
    default:
  }
}

/** The first host name in the list (RFC 6066 section 3): entries of a type, a length of two bytes, and so many bytes. */
function readServerName(view: DataView, body: number, end: number): string {
  const last = listEnd(view, body, end, 2);
  let at = body + 2;
  for (let count = 0; count < NAMES_MAX && at + 3 <= last; count++) {
    const name = at + 3;
    const nameEnd = name + view.getUint16(at + 1);
    if (nameEnd > last) return '';
    if (view.getUint8(at) === HOST_NAME) return serverNameText(view, name, nameEnd);
    at = nameEnd;
  }
  return '';
}

function serverNameText(view: DataView, offset: number, end: number): string {
  const hasDot = end - offset > 1 && view.getUint8(end - 1) === DOT;
  return escapeText(view, offset, hasDot ? end - 1 : end, ESCAPED_CHARS_MAX, EscapeStyle.LowerCase);
}

/** Names of protocols (RFC 7301 section 3.1): a length of one byte, then so many bytes. */
function readProtocols(view: DataView, body: number, end: number, hello: Draft): void {
  const last = listEnd(view, body, end, 2);
  const names: string[] = [];
  hello.alpn = names;
  let room = ESCAPED_CHARS_MAX;
  for (let at = body + 2; at < last; ) {
    const name = at + 1;
    at = name + view.getUint8(at);
    if (at > last) return;
    if (at - name === 2 && isGrease(view.getUint16(name))) continue;
    if (names.length === 0 && at > name) hello.alpnEnds = (view.getUint8(name) << 8) | view.getUint8(at - 1);
    const text = escapeText(view, name, at, ESCAPED_CHARS_MAX).replaceAll(',', '\\,');
    if (text.length > room) return;
    names.push(text);
    room -= text.length + 1;
  }
}

/** The highest version in the list (RFC 8446 section 4.2.1), 0 if there is none. */
function highestVersion(view: DataView, body: number, end: number): number {
  const last = listEnd(view, body, end, 1);
  let highest = 0;
  for (let at = body + 1; at + 2 <= last; at += 2) {
    const version = view.getUint16(at);
    if (version > highest && !isGrease(version)) highest = version;
  }
  return highest;
}
