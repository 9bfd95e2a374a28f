import { join, viewOf } from './frame-bytes.js';

/** Bytes that lie somewhere in a larger buffer, as parsers find them. */
export type Placed = readonly [view: DataView, offset: number, end: number];

const AROUND_BYTES = 24;

/** Puts bytes between others of the value `around`, so that a forgotten offset and a look beyond the end show. */
export function placed(bytes: Uint8Array, around = 0xee): Placed {
  const margin = new Uint8Array(AROUND_BYTES).fill(around);
  return [viewOf(join(margin, bytes, margin)), AROUND_BYTES, AROUND_BYTES + bytes.length];
}

/** Bytes of hexadecimal digits; blanks between them are for the reader. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
}

/** Bytes of a text of characters up to U+00FF. */
export function latin(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}
