import { Drop } from '../ring/drop-reason.js';
import { readIeee80211 } from './ieee80211.js';
import type { LinkLayer } from './link-layer.js';

/** Header of Prism cards: message code, then its length, in the byte order of the machine; always so long. */
const PRISM_BYTES = 144;
/** The AVS header, which some drivers use in its place: a version with this magic, then its length, big-endian. */
const HEAD_BYTES = 8;
const LENGTH = 4;
const AVS_MAGIC = 0x80211000 | 0;
const AVS_MAGIC_MASK = 0xfffff000 | 0;

/** Reads a Prism or an AVS header and the 802.11 header behind it. Allocates nothing. */
export function readPrism(view: DataView, end: number, out: LinkLayer): Drop {
  const offset = out.offset;
  if (end - offset < HEAD_BYTES) return Drop.LinkTruncated;
  const isAvs = (view.getInt32(offset) & AVS_MAGIC_MASK) === AVS_MAGIC;
  const bytes = isAvs ? view.getUint32(offset + LENGTH) : PRISM_BYTES;
  if (bytes < HEAD_BYTES || end - offset < bytes) return Drop.LinkTruncated;
  out.offset = offset + bytes;
  return readIeee80211(view, end, false, out);
}
