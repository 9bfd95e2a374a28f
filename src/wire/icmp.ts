import type { Packet } from './packet.js';

/** ICMP (RFC 792) and ICMPv6 (RFC 4443) begin alike: type, code, checksum, and four bytes that depend on the type. */
const HEADER_BYTES = 8;
const TYPE_AND_CODE_BYTES = 2;

/** Reads type and code if the capture holds them, and returns the header's length in bytes. */
export function readIcmp(view: DataView, packet: Packet): number {
  const offset = packet.transportOffset;
  if (packet.transportEnd - offset >= TYPE_AND_CODE_BYTES) packet.icmp = view.getUint16(offset);
  return HEADER_BYTES;
}
