import { TunnelType } from '../ring/tunnel-type.js';
import type { LinkLayer } from './link-layer.js';

/** Authentication header (RFC 4302 section 2): next header, length in words of four bytes less two, reserved, association. */
const LENGTH = 1;
const ASSOCIATION = 4;
const HEADER_BYTES_MIN = 12;

/** What `readAuthentication` returns for a header that is cut off or too short. */
export const AUTHENTICATION_MALFORMED = -1;

/** Reads the header; returns the protocol number of what follows, and puts its offset into `out`. Allocates nothing. */
export function readAuthentication(view: DataView, offset: number, end: number, out: LinkLayer): number {
  if (end - offset < HEADER_BYTES_MIN) return AUTHENTICATION_MALFORMED;
  const bytes = (view.getUint8(offset + LENGTH) + 2) << 2;
  if (bytes < HEADER_BYTES_MIN || end - offset < bytes) return AUTHENTICATION_MALFORMED;
  out.tunnelType = TunnelType.Ah;
  out.tunnelId = view.getInt32(offset + ASSOCIATION);
  out.hasTunnelId = 1;
  out.offset = offset + bytes;
  return view.getUint8(offset);
}
