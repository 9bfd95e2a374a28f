import { Drop } from '../ring/drop-reason.js';
import { readIeee80211 } from './ieee80211.js';
import type { LinkLayer } from './link-layer.js';

/** Radiotap (radiotap.org): version, padding, length, and words that say which fields follow; all little-endian. */
const HEADER_BYTES = 8;
const LENGTH = 2;
const PRESENT = 4;
const PRESENT_BYTES = 4;
/** Another word of presence follows. */
const PRESENT_MORE = 0x8000_0000 | 0;
const PRESENT_TIME = 1;
const PRESENT_FLAGS = 2;
/** The time is eight bytes, at a multiple of eight from the header's start. */
const TIME_BYTES = 8;
/** The 802.11 header is filled up to a multiple of four bytes. */
const FLAG_PADDED = 0x20;

/** Whether the flags, which are the first field behind the time, tell of padding. */
function isPadded(view: DataView, start: number, end: number): boolean {
  const present = view.getInt32(start + PRESENT, true);
  if ((present & PRESENT_FLAGS) === 0) return false;
  let offset = start + PRESENT;
  let word = present;
  while ((word & PRESENT_MORE) !== 0) {
    offset += PRESENT_BYTES;
    if (offset + PRESENT_BYTES > end) return false;
    word = view.getInt32(offset, true);
  }
  offset += PRESENT_BYTES;
  if ((present & PRESENT_TIME) !== 0) offset += ((start - offset) & (TIME_BYTES - 1)) + TIME_BYTES;
  return offset < end && (view.getUint8(offset) & FLAG_PADDED) !== 0;
}

/** Reads a radiotap header and the 802.11 header behind it. Allocates nothing. */
export function readRadiotap(view: DataView, end: number, out: LinkLayer): Drop {
  const offset = out.offset;
  if (end - offset < HEADER_BYTES) return Drop.LinkTruncated;
  const bytes = view.getUint16(offset + LENGTH, true);
  if (bytes < HEADER_BYTES || end - offset < bytes) return Drop.LinkTruncated;
  out.offset = offset + bytes;
  return readIeee80211(view, end, isPadded(view, offset, offset + bytes), out);
}
