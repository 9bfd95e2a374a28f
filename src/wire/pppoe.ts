import { Drop } from '../ring/drop-reason.js';
import { EtherType } from './ether-type.js';
import type { LinkLayer } from './link-layer.js';

/** PPPoE session header (RFC 2516 section 4): version and type, code, session, length. */
const HEADER_BYTES = 6;
const VERSION_AND_TYPE = 0x11;
const CODE_SESSION = 0;

/** Reads the header of a session frame; PPP follows. Allocates nothing. */
export function readPppoe(view: DataView, end: number, out: LinkLayer): Drop {
  const offset = out.offset;
  if (end - offset < HEADER_BYTES) return Drop.LinkTruncated;
  if (view.getUint8(offset) !== VERSION_AND_TYPE || view.getUint8(offset + 1) !== CODE_SESSION) return Drop.Pppoe;
  out.etherType = EtherType.Ppp;
  out.offset = offset + HEADER_BYTES;
  return Drop.None;
}
