import { TunnelType } from '../ring/tunnel-type.js';
import { EtherType } from './ether-type.js';
import type { LinkLayer } from './link-layer.js';

/** L2TP (RFC 2661 section 3.1): flags and version; length if flagged; tunnel, session; what else is flagged. */
const HEADER_BYTES = 6;
const VERSION_MASK = 0x000f;
const VERSION = 2;

const enum Flag {
  Control = 0x8000,
  Length = 0x4000,
  Sequence = 0x0800,
  Offset = 0x0200,
}

/** Reads the header of a data message, which carries PPP; returns whether it is one. Allocates nothing. */
export function readL2tp(view: DataView, offset: number, end: number, out: LinkLayer): boolean {
  if (end - offset < HEADER_BYTES) return false;
  const flags = view.getUint16(offset);
  if ((flags & VERSION_MASK) !== VERSION || (flags & Flag.Control) !== 0) return false;
  const ids = (flags & Flag.Length) === 0 ? offset + 2 : offset + 4;
  let next = ids + 4;
  if ((flags & Flag.Sequence) !== 0) next += 4;
  if ((flags & Flag.Offset) !== 0) {
    if (end - next < 2) return false;
    next += 2 + view.getUint16(next);
  }
  if (next >= end) return false;
  out.tunnelType = TunnelType.L2tp;
  out.tunnelId = view.getInt32(ids);
  out.hasTunnelId = 1;
  out.etherType = EtherType.Ppp;
  out.offset = next;
  return true;
}
