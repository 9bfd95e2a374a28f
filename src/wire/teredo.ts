import { TunnelType } from '../ring/tunnel-type.js';
import { EtherType } from './ether-type.js';
import type { LinkLayer } from './link-layer.js';

/** Teredo (RFC 4380 section 5.1.1): indications, each told by two bytes, may stand in front of the IPv6 packet. */
const INDICATION_ORIGIN = 0;
const ORIGIN_BYTES = 8;
const INDICATION_AUTHENTICATION = 1;
/** Lengths of client id and authentication value; behind both there are a nonce of eight bytes and a confirmation byte. */
const AUTHENTICATION_ID_LENGTH = 2;
const AUTHENTICATION_VALUE_LENGTH = 3;
const AUTHENTICATION_BYTES_MIN = 13;
const IPV6_BYTES = 40;
const IPV6_PAYLOAD_LENGTH = 4;

/**
 * Finds the IPv6 packet in a datagram of `bytes` bytes as its headers tell, of which the capture may hold fewer. Nothing marks
 * Teredo but its port, so the packet must be IPv6 and fit (trailers may follow it, RFC 6081). Returns whether it does. Allocates
 * nothing.
 */
export function readTeredo(view: DataView, offset: number, end: number, bytes: number, out: LinkLayer): boolean {
  let next = offset;
  if (end - next < ORIGIN_BYTES) return false;
  if (view.getUint16(next) === INDICATION_AUTHENTICATION) {
    const lengths = view.getUint8(next + AUTHENTICATION_ID_LENGTH) + view.getUint8(next + AUTHENTICATION_VALUE_LENGTH);
    next += AUTHENTICATION_BYTES_MIN + lengths;
    if (end - next < ORIGIN_BYTES) return false;
  }
  if (view.getUint16(next) === INDICATION_ORIGIN) next += ORIGIN_BYTES;
  if (end - next < IPV6_BYTES || view.getUint8(next) >> 4 !== 6) return false;
  if (IPV6_BYTES + view.getUint16(next + IPV6_PAYLOAD_LENGTH) > bytes - (next - offset)) return false;
  out.tunnelType = TunnelType.Teredo;
  out.hasTunnelId = 0;
  out.etherType = EtherType.Ipv6;
  out.offset = next;
  return true;
}
