import { TunnelType } from '../ring/tunnel-type.js';
import { EtherType } from './ether-type.js';
import type { LinkLayer } from './link-layer.js';

/** GENEVE (RFC 8926 section 3.4): version and length of the options, flags, protocol, network of 24 bits. */
const HEADER_BYTES = 8;
const PROTOCOL = 2;
const NETWORK = 4;
const OPTION_WORDS_MASK = 0x3f;

/** Reads a GENEVE header and skips its options; returns whether it is one. Allocates nothing. */
export function readGeneve(view: DataView, offset: number, end: number, out: LinkLayer): boolean {
  if (end - offset < HEADER_BYTES) return false;
  const first = view.getUint8(offset);
  const protocol = view.getUint16(offset + PROTOCOL);
  if (first >> 6 !== 0 || protocol < EtherType.Min) return false;
  out.tunnelType = TunnelType.Geneve;
  out.tunnelId = view.getUint32(offset + NETWORK) >>> 8;
  out.hasTunnelId = 1;
  out.etherType = protocol;
  out.offset = offset + HEADER_BYTES + ((first & OPTION_WORDS_MASK) << 2);
  return out.offset < end;
}
