import { Drop } from '../ring/drop-reason.js';
import { IpProtocol } from './ip-protocol.js';
import type { Packet } from './packet.js';

/** IPv6 header (RFC 8200 section 3): offsets of its fields. */
const PAYLOAD_LENGTH = 4;
const NEXT_HEADER = 6;
const SRC = 8;
const DST = 24;
const HEADER_BYTES = 40;
/** Shortest extension header; its second byte counts the further units of eight bytes (RFC 8200 section 4). */
const EXTENSION_BYTES_MIN = 8;
const FRAGMENT_OFFSET_MASK = 0xfff8;
/** Extension headers that are followed; a longer chain is left where it stands. */
const EXTENSIONS_MAX = 128;

function isExtension(protocol: number): boolean {
  switch (protocol) {
    case IpProtocol.HopByHop:
    case IpProtocol.Routing:
    case IpProtocol.Fragment:
    case IpProtocol.DestinationOptions:
    case IpProtocol.Mobility:
    case IpProtocol.Hip:
    case IpProtocol.Shim6:
      return true;
    default:
      return false;
  }
}

/**
 * Follows the extension headers from `transportOffset`. A chain that the capture or the packet cuts off, or that is longer than
 * `EXTENSIONS_MAX`, leaves the packet as the fixed header describes it: its protocol is the first extension header's number.
 */
function readExtensions(view: DataView, packet: Packet): void {
  let offset = packet.transportOffset;
  let protocol = packet.protocol;
  let isLaterFragment = 0;
  for (let count = 0; isExtension(protocol); count++) {
    if (count === EXTENSIONS_MAX || packet.transportEnd - offset < EXTENSION_BYTES_MIN) return;
    const next = view.getUint8(offset);
    if (protocol === IpProtocol.Fragment) {
      isLaterFragment = (view.getUint16(offset + 2) & FRAGMENT_OFFSET_MASK) !== 0 ? 1 : 0;
      offset += EXTENSION_BYTES_MIN;
    } else {
      offset += (view.getUint8(offset + 1) + 1) << 3;
    }
    protocol = next;
    // What follows in a later fragment is data, whatever number the fragment header names.
    if (isLaterFragment !== 0) break;
  }
  packet.protocol = protocol;
  packet.isLaterFragment = isLaterFragment;
  packet.transportBytes = Math.max(0, packet.transportBytes - (offset - packet.transportOffset));
  packet.transportOffset = offset;
}

/**
 * Reads an IPv6 header and its extension headers. `end` is the end of the captured bytes. Returns why the packet is not counted,
 * or none; `packet` is valid only for none. Allocates nothing.
 */
export function readIpv6(view: DataView, offset: number, end: number, packet: Packet): Drop {
  if (end - offset < HEADER_BYTES) return Drop.Ipv6Truncated;
  if (view.getUint8(offset) >> 4 !== 6) return Drop.Ipv6Version;
  const payloadBytes = view.getUint16(offset + PAYLOAD_LENGTH);
  const transportOffset = offset + HEADER_BYTES;
  packet.ipVersion = 6;
  packet.protocol = view.getUint8(offset + NEXT_HEADER);
  packet.src0 = view.getInt32(offset + SRC);
  packet.src1 = view.getInt32(offset + SRC + 4);
  packet.src2 = view.getInt32(offset + SRC + 8);
  packet.src3 = view.getInt32(offset + SRC + 12);
  packet.dst0 = view.getInt32(offset + DST);
  packet.dst1 = view.getInt32(offset + DST + 4);
  packet.dst2 = view.getInt32(offset + DST + 8);
  packet.dst3 = view.getInt32(offset + DST + 12);
  packet.ipBytes = HEADER_BYTES + payloadBytes;
  packet.isLaterFragment = 0;
  packet.transportOffset = transportOffset;
  packet.transportBytes = payloadBytes;
  packet.transportEnd = transportOffset + payloadBytes < end ? transportOffset + payloadBytes : end;
  if (isExtension(packet.protocol)) readExtensions(view, packet);
  return Drop.None;
}
