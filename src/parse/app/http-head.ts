import { findByte, isDigit, lowerCase, startsWithLetters } from './byte-match.js';
import { isConnect, RequestLine, readRequestLine } from './http-request-line.js';
import { ESCAPED_CHARS_MAX, EscapeStyle, escapeText } from './text-escape.js';

export { isHttpRequestStart, readHttpStatus } from './http-request-line.js';

/** A head that goes on beyond this is taken as far as it goes. */
const HEAD_BYTES_MAX = 16_384;
/** Lines behind these are looked at for the end of the head only. */
const HEADER_LINES_MAX = 100;

const enum Char {
  Tab = 0x09,
  LineFeed = 0x0a,
  CarriageReturn = 0x0d,
  Space = 0x20,
  Hash = 0x23,
  Slash = 0x2f,
  Colon = 0x3a,
  Question = 0x3f,
  At = 0x40,
  BracketOpen = 0x5b,
  BracketClose = 0x5d,
}

/** Head of an HTTP/1 request. Texts are escaped ASCII of at most 253 characters; '' where there is none. */
export interface HttpRequest {
  readonly method: string;
  /** The request-target as it stands there. */
  readonly path: string;
  /** Of the target if that has one (RFC 9112 section 3.2.2), otherwise of the header; lower case, without port and brackets. */
  readonly host: string;
  readonly userAgent: string;
  /** `1.0` or `1.1`; '' if the line was cut before it. */
  readonly version: string;
  /** Up to and with the empty line; what was there if that is missing. */
  readonly headBytes: number;
}

/** A piece of the view: from `offset` to `end`; -1 for none. */
class Piece {
  offset = -1;
  end = -1;
}

const line = new RequestLine();
const host = new Piece();
const userAgent = new Piece();

/**
 * Reads the head of the first request of a client's stream, which begins at `offset`: null if it begins with something else,
 * 'incomplete' while the empty line is missing. With `isLast`, and from 16 KiB on, it gives what is there.
 */
export function readHttpRequest(view: DataView, offset: number, end: number, isLast = false): HttpRequest | 'incomplete' | null {
  const headEnd = Math.min(end, offset + HEAD_BYTES_MAX);
  if (!readRequestLine(view, offset, headEnd, line)) return null;
  host.offset = -1;
  userAgent.offset = -1;
  const next = line.minorVersion < 0 ? -1 : readHeaderLines(view, line.next, headEnd);
  if (next < 0 && !isLast && end - offset < HEAD_BYTES_MAX) return 'incomplete';
  findAuthority(view, offset);
  return {
    method: escapeText(view, offset, line.methodEnd, ESCAPED_CHARS_MAX),
    path: escapeText(view, line.targetOffset, line.targetEnd, ESCAPED_CHARS_MAX),
    host: hostText(view),
    userAgent:
      userAgent.offset < 0 ? '' : escapeText(view, userAgent.offset, userAgent.end, ESCAPED_CHARS_MAX, EscapeStyle.KeepSpace),
    version: line.minorVersion < 0 ? '' : `1.${line.minorVersion}`,
    headBytes: (next < 0 ? headEnd : next) - offset,
  };
}

/**
 * The offset behind the head that begins at `offset`, empty line included; -1 if that line is not there up to `end`. Allocates
 * nothing.
 */
export function httpHeadEnd(view: DataView, offset: number, end: number): number {
  let at = offset;
  while (at < end) {
    const lineFeed = findByte(view, at, end, end - at, Char.LineFeed);
    if (lineFeed < 0) return -1;
    const isEmpty = lineFeed === at || (lineFeed === at + 1 && view.getUint8(at) === Char.CarriageReturn);
    at = lineFeed + 1;
    if (isEmpty) return at;
  }
  return -1;
}

/** Returns the offset behind the empty line, or -1 if there is none up to `end`. */
function readHeaderLines(view: DataView, offset: number, end: number): number {
  let at = offset;
  for (let lines = 0; at < end; lines++) {
    const lineFeed = findByte(view, at, end, HEAD_BYTES_MAX, Char.LineFeed);
    // A header that is cut tells half a name: worse than none.
    if (lineFeed < 0) return -1;
    const lineEnd = lineFeed > at && view.getUint8(lineFeed - 1) === Char.CarriageReturn ? lineFeed - 1 : lineFeed;
    if (lineEnd === at) return lineFeed + 1;
    if (lines < HEADER_LINES_MAX) readHeaderLine(view, at, lineEnd);
    at = lineFeed + 1;
  }
  return -1;
}

/** Keeps where the value of a header lies, if it is one of those asked for and the first of its name. */
function readHeaderLine(view: DataView, offset: number, end: number): void {
  const first = lowerCase(view.getUint8(offset));
  if (first === 0x68 && host.offset < 0 && startsWithLetters(view, offset, end, 'host:')) take(view, offset + 5, end, host);
  if (first === 0x75 && userAgent.offset < 0 && startsWithLetters(view, offset, end, 'user-agent:'))
    take(view, offset + 11, end, userAgent);
}

const isBlank = (byte: number): boolean => byte === Char.Space || byte === Char.Tab;

/** The piece without the blanks around it. */
function take(view: DataView, offset: number, end: number, piece: Piece): void {
  let first = offset;
  let last = end;
  while (first < last && isBlank(view.getUint8(first))) first++;
  while (last > first && isBlank(view.getUint8(last - 1))) last--;
  piece.offset = first;
  piece.end = last;
}

/** A target in absolute form, or that of CONNECT, holds an authority (RFC 3986 section 3.2); it counts more than the header. */
function findAuthority(view: DataView, offset: number): void {
  const { targetOffset, targetEnd } = line;
  let start = targetOffset;
  if (!isConnect(view, offset, line.methodEnd)) {
    const colon = findByte(view, targetOffset, targetEnd, 16, Char.Colon);
    if (colon <= targetOffset || view.getUint8(targetOffset) === Char.Slash) return;
    if (targetEnd - colon < 3 || view.getUint16(colon + 1) !== ((Char.Slash << 8) | Char.Slash)) return;
    start = colon + 3;
  }
  let end = start;
  while (end < targetEnd && !isAuthorityEnd(view.getUint8(end))) end++;
  if (end === start) return;
  host.offset = start;
  host.end = end;
}

const isAuthorityEnd = (byte: number): boolean => byte === Char.Slash || byte === Char.Question || byte === Char.Hash;

/** The host without user, brackets, port and trailing dot. */
function hostText(view: DataView): string {
  if (host.offset < 0) return '';
  let { offset, end } = host;
  for (let at = end - 1; at >= offset; at--)
    if (view.getUint8(at) === Char.At) {
      offset = at + 1;
      break;
    }
  if (offset < end && view.getUint8(offset) === Char.BracketOpen) {
    const close = findByte(view, offset, end, HEAD_BYTES_MAX, Char.BracketClose);
    offset++;
    if (close >= 0) end = close;
  } else end = withoutPort(view, offset, end);
  const text = escapeText(view, offset, end, ESCAPED_CHARS_MAX, EscapeStyle.LowerCase);
  return text.length > 1 && text.endsWith('.') ? text.slice(0, -1) : text;
}

/** End of the host: before the only colon, if digits or nothing follow. An address of IPv6 that lacks its brackets stays whole. */
function withoutPort(view: DataView, offset: number, end: number): number {
  const colon = findByte(view, offset, end, HEAD_BYTES_MAX, Char.Colon);
  if (colon < 0) return end;
  for (let at = colon + 1; at < end; at++) if (!isDigit(view.getUint8(at))) return end;
  return colon;
}
