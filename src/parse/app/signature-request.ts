import { Application } from '../../ring/application.js';
import { findByte, startsWith, startsWithLetters } from './byte-match.js';
import { isHttpRequestStart } from './http-request-line.js';

const METHOD_BYTES_MAX = 18;
const LINE_BYTES_MAX = 512;
const SPACE = 0x20;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const VERSION_BYTES = 8;

/**
 * Which protocol a request line in the manner of HTTP belongs to: HTTP/1, the preface of HTTP/2 (RFC 9113 section 3.4), SIP (RFC 3261
 * section 7.1) or RTSP (RFC 7826 section 7.1). Their methods overlap, so the target and the version decide. Allocates nothing.
 */
export function recogniseRequest(view: DataView, offset: number, end: number): Application {
  const space = findByte(view, offset, end, METHOD_BYTES_MAX, SPACE);
  if (space <= offset || !isMethod(view, offset, space)) return Application.None;
  const target = space + 1;
  if (startsWithLetters(view, target, end, 'sip:') || startsWithLetters(view, target, end, 'sips:')) return Application.Sip;
  if (startsWithLetters(view, target, end, 'tel:')) return Application.Sip;
  if (startsWithLetters(view, target, end, 'rtsp:') || startsWithLetters(view, target, end, 'rtspu:')) return Application.Rtsp;
  if (isHttpRequestStart(view, offset, end) || startsWith(view, offset, end, 'PRI * HTTP/2.0')) return Application.Http;
  return isRtspLine(view, target, end) ? Application.Rtsp : Application.None;
}

/** AirPlay and others write RTSP requests with a path for a target. */
function isRtspLine(view: DataView, target: number, end: number): boolean {
  const lineFeed = findByte(view, target, end, LINE_BYTES_MAX, LINE_FEED);
  if (lineFeed <= target) return false;
  const lineEnd = view.getUint8(lineFeed - 1) === CARRIAGE_RETURN ? lineFeed - 1 : lineFeed;
  const version = lineEnd - VERSION_BYTES;
  return version > target && startsWith(view, version, lineEnd, 'RTSP/');
}

/** Upper-case letters, underscores (GET_PARAMETER) and hyphens (M-SEARCH). */
function isMethod(view: DataView, offset: number, end: number): boolean {
  for (let at = offset; at < end; at++) {
    const byte = view.getUint8(at);
    if ((byte < 0x41 || byte > 0x5a) && byte !== 0x5f && byte !== 0x2d) return false;
  }
  return true;
}
