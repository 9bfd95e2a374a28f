import type { LinkLayer } from './link-layer.js';
import { LinkType } from './link-type.js';

/** Per-packet information header: version, flags, length, link type; little-endian. */
const HEADER_BYTES = 8;
const LENGTH = 2;
const LINK_TYPE = 4;

/** Answer of `readPpi` for a header that is cut off. */
export const PPI_TRUNCATED = -1;

/** Reads the header and returns the link type of what follows, or `PPI_TRUNCATED`. Allocates nothing. */
export function readPpi(view: DataView, end: number, out: LinkLayer): number {
  const offset = out.offset;
  if (end - offset < HEADER_BYTES) return PPI_TRUNCATED;
  const bytes = view.getUint16(offset + LENGTH, true);
  if (bytes < HEADER_BYTES || end - offset < bytes) return PPI_TRUNCATED;
  out.offset = offset + bytes;
  const linkType = view.getUint32(offset + LINK_TYPE, true);
  // One header in another would be a loop for whoever sends it.
  return linkType === LinkType.Ppi ? PPI_TRUNCATED : linkType;
}
