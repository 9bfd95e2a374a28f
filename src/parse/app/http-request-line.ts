import { isDigit, lowerCase, startsWith, startsWithLetters } from './byte-match.js';

/**
 * Methods in IANA's HTTP Method Registry that clients begin with, and what UPnP adds. Any other token is a method too (RFC 9110 section
 * 9.1), but only a line that is whole and names its version shows that.
 */
const METHODS = [
  ...['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'CONNECT', 'PATCH', 'TRACE', 'QUERY', 'PROPFIND', 'PROPPATCH'],
  ...['REPORT', 'MKCOL', 'MKCALENDAR', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'SEARCH', 'SUBSCRIBE', 'UNSUBSCRIBE', 'NOTIFY'],
] as const;
/** Longest method that is taken; the longest in the registry has 17. */
const METHOD_BYTES_MAX = 24;
const VERSION_START = 'HTTP/1.';
const VERSION_BYTES = 8;

const enum Char {
  LineFeed = 0x0a,
  CarriageReturn = 0x0d,
  Space = 0x20,
  Delete = 0x7f,
}

/** Where the parts of a request line lie: offsets in the view. */
export class RequestLine {
  methodEnd = 0;
  targetOffset = 0;
  targetEnd = 0;
  /** The digit behind `HTTP/1.`; -1 while the line is not whole. */
  minorVersion = -1;
  /** Behind the line feed; `end` while the line is not whole. */
  next = 0;
}

/** Bytes of a token (RFC 9110 section 5.6.2) that a method is made of in practice: letters, digits, hyphen, underscore. */
function isTokenByte(byte: number): boolean {
  return isDigit(byte) || byte === 0x2d || byte === 0x5f || (lowerCase(byte) >= 0x61 && lowerCase(byte) <= 0x7a);
}

/** End of the token at `offset` that a space follows, or -1. */
function methodEnd(view: DataView, offset: number, end: number): number {
  const last = Math.min(end, offset + METHOD_BYTES_MAX + 1);
  for (let at = offset; at < last; at++) {
    const byte = view.getUint8(at);
    if (byte === Char.Space) return at > offset ? at : -1;
    if (!isTokenByte(byte)) return -1;
  }
  return -1;
}

function isKnownMethod(view: DataView, offset: number, end: number): boolean {
  for (const method of METHODS) if (method.length === end - offset && startsWith(view, offset, end, method)) return true;
  return false;
}

/**
 * Reads an HTTP/1 request line (RFC 9112 section 3), of which the view may hold only the start, and returns whether it is one. A lone
 * line feed ends it as well (section 2.2), and a target may hold what a strict reader refuses, but no control bytes. Allocates nothing.
 */
export function readRequestLine(view: DataView, offset: number, end: number, line: RequestLine): boolean {
  const space = methodEnd(view, offset, end);
  if (space < 0) return false;
  const target = space + 1;
  let at = target;
  while (at < end && view.getUint8(at) >= Char.Space && view.getUint8(at) !== Char.Delete) at++;
  line.methodEnd = space;
  line.targetOffset = target;
  const isCarriageReturn = at < end && view.getUint8(at) === Char.CarriageReturn;
  const lineFeed = isCarriageReturn ? at + 1 : at;
  if (lineFeed >= end) return isKnownMethod(view, offset, space) && readCutLine(view, offset, at, line, end);
  if (view.getUint8(lineFeed) !== Char.LineFeed) return false;
  const version = at - VERSION_BYTES;
  if (version <= target || view.getUint8(version - 1) !== Char.Space) return false;
  if (!startsWith(view, version, at, VERSION_START) || !isDigit(view.getUint8(at - 1))) return false;
  line.targetEnd = version - 1;
  line.minorVersion = view.getUint8(at - 1) - 0x30;
  line.next = lineFeed + 1;
  return line.targetEnd > target;
}

/** The start of a line, whose text ends at `textEnd`: its target shows whether it is one. */
function readCutLine(view: DataView, offset: number, textEnd: number, line: RequestLine, end: number): boolean {
  const target = line.targetOffset;
  line.minorVersion = -1;
  line.next = end;
  let at = target;
  while (at < textEnd && view.getUint8(at) !== Char.Space) at++;
  line.targetEnd = at;
  if (at === target || (at < textEnd && !isStartOf(view, at + 1, textEnd, VERSION_START))) return false;
  // The four forms of a target (RFC 9112 section 3.2).
  if (isConnect(view, offset, line.methodEnd)) return true;
  const first = view.getUint8(target);
  return first === 0x2f || first === 0x2a || startsWithLetters(view, target, textEnd, 'http');
}

/** Whether a method is CONNECT, whose target is an authority (RFC 9112 section 3.2.3). */
export function isConnect(view: DataView, offset: number, end: number): boolean {
  return end - offset === 7 && startsWith(view, offset, end, 'CONNECT');
}

/** Whether what lies there is `text`, a start of it, or begins with it. */
function isStartOf(view: DataView, offset: number, end: number, text: string): boolean {
  const length = Math.min(end - offset, text.length);
  for (let i = 0; i < length; i++) if (view.getUint8(offset + i) !== text.charCodeAt(i)) return false;
  return true;
}

const scratch = new RequestLine();

/** Whether a stream begins like an HTTP/1 request. Looks no further than the first line, and no further than `end`. Allocates nothing. */
export function isHttpRequestStart(view: DataView, offset: number, end: number): boolean {
  return readRequestLine(view, offset, end, scratch);
}

/**
 * Reads a status line (RFC 9112 section 4): the code, 100–999, or 0 if there is none. The text behind the code is not asked for.
 * Allocates nothing.
 */
export function readHttpStatus(view: DataView, offset: number, end: number): number {
  const code = offset + VERSION_BYTES + 1;
  if (end - code < 3 || !startsWith(view, offset, end, VERSION_START)) return 0;
  if (!isDigit(view.getUint8(code - 2)) || view.getUint8(code - 1) !== Char.Space) return 0;
  let status = 0;
  for (let at = code; at < code + 3; at++) {
    if (!isDigit(view.getUint8(at))) return 0;
    status = status * 10 + view.getUint8(at) - 0x30;
  }
  return status >= 100 ? status : 0;
}
