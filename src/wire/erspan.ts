import { TunnelType } from '../ring/tunnel-type.js';
import { EtherType } from './ether-type.js';
import type { LinkLayer } from './link-layer.js';

/** ERSPAN (draft-foschiano-erspan): version in four bits, session in the lower ten bits of the second half-word. */
const SESSION = 2;
const SESSION_MASK = 0x03ff;
const VERSION2 = 1;
const VERSION2_BYTES = 8;
const VERSION3 = 2;
const VERSION3_BYTES = 12;
/** Version 3: the last bit says that a subheader follows. */
const OPTIONAL = 11;
const OPTIONAL_MASK = 0x01;
const OPTIONAL_BYTES = 8;
/** Version 3: what was copied, in five bits; 0 is an Ethernet frame, 2 an IP packet. */
const FRAME_TYPE = 10;
const FRAME_TYPE_IP = 2;

function setTunnel(view: DataView, offset: number, out: LinkLayer): void {
  out.tunnelType = TunnelType.Erspan;
  out.tunnelId = view.getUint16(offset + SESSION) & SESSION_MASK;
  out.hasTunnelId = 1;
  out.etherType = EtherType.Ethernet;
}

/** Reads a header of type II; without a sequence number in GRE it is type I, which has none. Allocates nothing. */
export function readErspan2(view: DataView, end: number, hasSequence: boolean, out: LinkLayer): boolean {
  const offset = out.offset;
  if (!hasSequence) {
    out.tunnelType = TunnelType.Erspan;
    out.etherType = EtherType.Ethernet;
    return true;
  }
  if (end - offset < VERSION2_BYTES || view.getUint8(offset) >> 4 !== VERSION2) return false;
  setTunnel(view, offset, out);
  out.offset = offset + VERSION2_BYTES;
  return true;
}

/** Reads a header of type III. Allocates nothing. */
export function readErspan3(view: DataView, end: number, out: LinkLayer): boolean {
  const offset = out.offset;
  if (end - offset < VERSION3_BYTES || view.getUint8(offset) >> 4 !== VERSION3) return false;
  setTunnel(view, offset, out);
  out.offset = offset + VERSION3_BYTES;
  if ((view.getUint8(offset + OPTIONAL) & OPTIONAL_MASK) !== 0) out.offset += OPTIONAL_BYTES;
  if (out.offset >= end) return false;
  const frameType = (view.getUint8(offset + FRAME_TYPE) >> 2) & 0x1f;
  if (frameType === FRAME_TYPE_IP) out.etherType = view.getUint8(out.offset) >> 4 === 6 ? EtherType.Ipv6 : EtherType.Ipv4;
  return true;
}
