import { TunnelType } from '../ring/tunnel-type.js';
import { EtherType } from './ether-type.js';
import { IpProtocol } from './ip-protocol.js';
import type { LinkLayer } from './link-layer.js';

/**
 * AYIYA, "anything in anything" (draft-massar-v6ops-ayiya-02 section 4): length of the identity, a power of two, and its type; words of
 * the signature and its hash; authentication and operation; next header; time. Identity and signature follow.
 */
const SIGNATURE = 1;
const OPERATION = 2;
const NEXT_HEADER = 3;
const HEADER_BYTES = 8;
const OPERATION_FORWARD = 1;

/** Reads the header. Returns whether it carries an IP packet. Allocates nothing. */
export function readAyiya(view: DataView, offset: number, end: number, out: LinkLayer): boolean {
  if (end - offset < HEADER_BYTES || (view.getUint8(offset + OPERATION) & 0x0f) !== OPERATION_FORWARD) return false;
  const protocol = view.getUint8(offset + NEXT_HEADER);
  if (protocol !== IpProtocol.Ipv4 && protocol !== IpProtocol.Ipv6) return false;
  const identityBytes = 1 << (view.getUint8(offset) >> 4);
  const signatureBytes = (view.getUint8(offset + SIGNATURE) >> 4) << 2;
  out.tunnelType = TunnelType.Ayiya;
  out.hasTunnelId = 0;
  out.etherType = protocol === IpProtocol.Ipv4 ? EtherType.Ipv4 : EtherType.Ipv6;
  out.offset = offset + HEADER_BYTES + identityBytes + signatureBytes;
  return out.offset < end;
}
