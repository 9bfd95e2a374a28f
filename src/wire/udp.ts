import type { Packet } from './packet.js';
import { readPorts } from './ports.js';

/** UDP header (RFC 768): offset of the length, which counts the header. */
const LENGTH = 4;
const LENGTH_END = 6;
const HEADER_BYTES = 8;
/** What the length can say. */
const BYTES_MAX = 0xffff;

/**
 * Reads a UDP header and returns its length in bytes. A datagram may end before its IP packet does: what lies behind it is no
 * payload (RFC 9868 puts options there). The datagram is as long as IP says where its own length is 0, as cards leave it that
 * segment, has no room for the header, or lies beyond the packet, as in a first fragment; and in a jumbogram, for which the field is
 * too small (RFC 2675 section 4). Allocates nothing.
 */
export function readUdp(view: DataView, packet: Packet): number {
  readPorts(view, packet);
  const offset = packet.transportOffset;
  if (packet.transportEnd - offset < LENGTH_END) return HEADER_BYTES;
  const bytes = view.getUint16(offset + LENGTH);
  if (bytes >= HEADER_BYTES && bytes < packet.transportBytes && packet.transportBytes <= BYTES_MAX) {
    packet.transportBytes = bytes;
    if (offset + bytes < packet.transportEnd) packet.transportEnd = offset + bytes;
  }
  return HEADER_BYTES;
}
