import { Drop } from '../ring/drop-reason.js';
import type { LinkLayer } from './link-layer.js';
import { etherTypeOfFamily } from './loopback.js';

/** LINKTYPE_PFLOG: the header's length, its padding to a multiple of four not counted, and the address family; then what matched. */
const HEADER_BYTES_MIN = 2;
const FAMILY = 1;

/** Reads the header that a packet filter puts before the packets that it logs. Allocates nothing. */
export function readPfLog(view: DataView, end: number, out: LinkLayer): Drop {
  const offset = out.offset;
  if (end - offset < HEADER_BYTES_MIN) return Drop.LinkTruncated;
  const bytes = (view.getUint8(offset) + 3) & ~3;
  if (bytes < HEADER_BYTES_MIN || end - offset < bytes) return Drop.LinkTruncated;
  out.etherType = etherTypeOfFamily(view.getUint8(offset + FAMILY));
  out.offset = offset + bytes;
  return Drop.None;
}
