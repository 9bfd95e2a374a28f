import { EscapeStyle, escapeBytes, putEscaped } from './text-escape.js';

const DOT = 0x2e;
/** Longest label (RFC 1035 section 2.3.4); a length above it would be a pointer, which DHCP does not allow. */
const LABEL_BYTES_MAX = 63;

/**
 * Writes a name that is plain text as escaped ASCII in lower case, without zero bytes and dots at its end, into `out`; returns its
 * length, at most `charsMax`. Allocates nothing.
 */
export function escapeHostName(view: DataView, offset: number, end: number, out: Uint8Array, charsMax: number): number {
  let last = end;
  while (last > offset && (view.getUint8(last - 1) === 0 || view.getUint8(last - 1) === DOT)) last--;
  let length = escapeBytes(view, offset, last, out, 0, charsMax, EscapeStyle.LowerCase);
  // Where the name was cut, it may end in a dot again.
  while (length > 0 && out[length - 1] === DOT) length--;
  return length;
}

/**
 * Writes a name in the encoding of DNS (RFC 1035 section 3.1, no compression), which need not be complete (RFC 4704 section 4.2), in
 * the same way. Labels that are cut or too long end it. Allocates nothing.
 */
export function escapeLabels(view: DataView, offset: number, end: number, out: Uint8Array, charsMax: number): number {
  let length = 0;
  for (let at = offset; at < end; ) {
    const labelBytes = view.getUint8(at++);
    if (labelBytes === 0 || labelBytes > LABEL_BYTES_MAX || at + labelBytes > end) break;
    const start = length;
    if (length > 0) {
      if (length === charsMax) break;
      out[length++] = DOT;
    }
    for (const labelEnd = at + labelBytes; at < labelEnd; at++) {
      const next = putEscaped(out, length, charsMax, view.getUint8(at), EscapeStyle.LowerCase | EscapeStyle.EscapeDot);
      if (next === length) return length === start + 1 && start > 0 ? start : length;
      length = next;
    }
  }
  return length;
}
