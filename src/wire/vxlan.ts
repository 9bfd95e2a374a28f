import { TunnelType } from '../ring/tunnel-type.js';
import { EtherType } from './ether-type.js';
import type { LinkLayer } from './link-layer.js';
import { etherTypeOfNextProtocol } from './shim.js';

/** VXLAN (RFC 7348 section 5): flags, reserved, network of 24 bits, reserved. */
const HEADER_BYTES = 8;
const NETWORK = 4;
const FLAG_NETWORK = 0x08;
/** VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe section 3.1): what follows, or 0 for an Ethernet frame. */
const NEXT_PROTOCOL = 3;

/** Reads a VXLAN header; returns whether it is one. Allocates nothing. */
export function readVxlan(view: DataView, offset: number, end: number, out: LinkLayer): boolean {
  if (end - offset < HEADER_BYTES || (view.getUint8(offset) & FLAG_NETWORK) === 0) return false;
  out.tunnelType = TunnelType.Vxlan;
  out.tunnelId = view.getUint32(offset + NETWORK) >>> 8;
  out.hasTunnelId = 1;
  out.etherType = EtherType.Ethernet;
  out.offset = offset + HEADER_BYTES;
  return true;
}

/** Reads a VXLAN-GPE header. Not every sender sets the flag that its next protocol is valid, so it is taken as it is. */
export function readVxlanGpe(view: DataView, offset: number, end: number, out: LinkLayer): boolean {
  if (!readVxlan(view, offset, end, out)) return false;
  out.tunnelType = TunnelType.VxlanGpe;
  const next = view.getUint8(offset + NEXT_PROTOCOL);
  if (next !== 0) out.etherType = etherTypeOfNextProtocol(next);
  return true;
}
