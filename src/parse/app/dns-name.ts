import { lowerCase } from './byte-match.js';
import { EscapeStyle, putEscaped } from './text-escape.js';

/** Header of a message (RFC 1035 section 4.1.1), into which no pointer may lead. */
export const DNS_HEADER_BYTES = 12;
/** Longest name on the wire, lengths and root included (RFC 1035 section 2.3.4). */
const WIRE_BYTES_MAX = 255;
/** Longest name that is kept, in characters. */
const CHARS_MAX = 253;
/** A name has at most 127 labels, and each may be reached by a pointer. */
const POINTERS_MAX = 127;

/** Upper two bits of a length: a label or a pointer; the other two are reserved (RFC 1035 section 4.1.4, RFC 6891 section 5). */
const LABEL_TYPE = 0xc0;
const LABEL = 0x00;
const POINTER = 0xc0;
const POINTER_BYTES = 2;

const DOT = 0x2e;
const BACKSLASH = 0x5c;
const QUOTE = 0x22;
const STYLE = EscapeStyle.LowerCase | EscapeStyle.EscapeDot;

/** What a byte of a label that needs no escape is written as; 0 for those that need one. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) => {
  const isPlain = byte > 0x20 && byte < 0x7f && byte !== DOT && byte !== BACKSLASH && byte !== QUOTE;
  return isPlain ? lowerCase(byte) : 0;
});

/**
 * A name as escaped ASCII in lower case (RFC 1035 section 5.1, RFC 4343), without a dot at its end; the root is `.`. A name of more
 * than 253 characters, which only escapes can make, is cut. One instance is reused; nothing here allocates.
 */
export class DnsName {
  readonly bytes = new Uint8Array(CHARS_MAX);
  length = 0;
  private isFull = false;

  /**
   * Reads the name at `offset` of the message that starts at `start`, and returns the offset behind it; -1 if it is not sound, and then
   * `length` is 0. By RFC 1035 section 4.1.4 and RFC 9267 section 2: each pointer leads to before the run of labels that it ends, so
   * that none is read twice, and never into the header; a name has at most 255 bytes; nothing is read from `end` on.
   */
  read(view: DataView, start: number, offset: number, end: number): number {
    this.length = 0;
    this.isFull = false;
    let at = offset;
    let runStart = offset;
    let next = -1;
    let wireBytes = 1;
    let pointers = 0;
    while (at < end) {
      const length = view.getUint8(at);
      if (length === 0) {
        if (this.length === 0) this.bytes[this.length++] = DOT;
        return next < 0 ? at + 1 : next;
      }
      const type = length & LABEL_TYPE;
      if (type === LABEL) {
        wireBytes += length + 1;
        if (wireBytes > WIRE_BYTES_MAX || at + 1 + length > end) break;
        this.addLabel(view, at + 1, at + 1 + length);
        at += length + 1;
        continue;
      }
      if (type !== POINTER || at + POINTER_BYTES > end || ++pointers > POINTERS_MAX) break;
      const target = start + (view.getUint16(at) & 0x3fff);
      if (target >= runStart || target < start + DNS_HEADER_BYTES) break;
      if (next < 0) next = at + POINTER_BYTES;
      runStart = target;
      at = target;
    }
    this.length = 0;
    return -1;
  }

  private addLabel(view: DataView, offset: number, end: number): void {
    if (this.isFull) return;
    const { bytes } = this;
    const before = this.length;
    let length = before;
    if (length > 0) {
      // A dot needs a character behind it.
      if (length + 1 >= CHARS_MAX) {
        this.isFull = true;
        return;
      }
      bytes[length++] = DOT;
    }
    const first = length;
    for (let at = offset; at < end; at++) {
      const byte = view.getUint8(at);
      const plain = PLAIN[byte] as number;
      if (plain !== 0 && length < CHARS_MAX) {
        bytes[length++] = plain;
        continue;
      }
      const behind = putEscaped(bytes, length, CHARS_MAX, byte, STYLE);
      if (behind === length) {
        this.isFull = true;
        break;
      }
      length = behind;
    }
    this.length = length === first ? before : length;
  }
}

/**
 * The offset behind the name at `offset`, whose pointer, if it ends with one, is not followed; -1 if it does not end before `end` or has
 * more than 255 bytes. Allocates nothing.
 */
export function skipDnsName(view: DataView, offset: number, end: number): number {
  const last = Math.min(end, offset + WIRE_BYTES_MAX);
  let at = offset;
  while (at < last) {
    const length = view.getUint8(at);
    if (length === 0) return at + 1;
    const type = length & LABEL_TYPE;
    if (type === POINTER) return at + POINTER_BYTES <= end ? at + POINTER_BYTES : -1;
    if (type !== LABEL) return -1;
    at += length + 1;
  }
  return -1;
}
