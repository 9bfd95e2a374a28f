import { Drop } from '../ring/drop-reason.js';
import { IpProtocol } from './ip-protocol.js';
import { FragmentKind, type Packet } from './packet.js';

/** IPv6 header (RFC 8200 section 3): offsets of its fields. */
const PAYLOAD_LENGTH = 4;
const NEXT_HEADER = 6;
const SRC = 8;
const DST = 24;
const HEADER_BYTES = 40;
/** What the length field can say. */
const PAYLOAD_BYTES_MAX = 0xffff;
/** Hop-by-hop options (RFC 8200 section 4.2): one byte of padding, and the length of a jumbo payload (RFC 2675 section 2). */
const OPTION_PAD1 = 0;
const OPTION_JUMBO = 0xc2;
const OPTION_JUMBO_BYTES = 6;
/** Shortest extension header; its second byte counts the further units of eight bytes (RFC 8200 section 4). */
const EXTENSION_BYTES_MIN = 8;
/** Fragment header (RFC 8200 section 4.5): offset and flags, identification. */
const FRAGMENT_OFFSET_MASK = 0xfff8;
const FRAGMENT_MASK = 0xfff9;
const FRAGMENT_ID = 4;
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
 * Whether this header is the message, and no way to one. Mobility (RFC 6275 section 6.1.1), HIP (RFC 7401 section 5.1) and shim6 (RFC
 * 5533 section 5.3) say so by naming no next header; shim6 names one where it only prepends itself to a payload.
 */
function isMessage(protocol: number, next: number): boolean {
  if (next !== IpProtocol.NoNext) return false;
  return protocol === IpProtocol.Mobility || protocol === IpProtocol.Hip || protocol === IpProtocol.Shim6;
}

/**
 * Follows the extension headers from `transportOffset`. A chain that the capture or the packet cuts off, or that is longer than
 * `EXTENSIONS_MAX`, leaves the packet as the fixed header describes it: its protocol is the first extension header's number.
 */
function readExtensions(view: DataView, packet: Packet): void {
  let offset = packet.transportOffset;
  let protocol = packet.protocol;
  let fragment = FragmentKind.Whole;
  for (let count = 0; isExtension(protocol); count++) {
    if (count === EXTENSIONS_MAX || packet.transportEnd - offset < EXTENSION_BYTES_MIN) return;
    const next = view.getUint8(offset);
    if (isMessage(protocol, next)) break;
    if (protocol === IpProtocol.Fragment) {
      const offsetAndFlags = view.getUint16(offset + 2) & FRAGMENT_MASK;
      // Offset 0 without more to follow is a whole packet in a fragment's clothes (RFC 6946).
      if (offsetAndFlags !== 0) {
        fragment = (offsetAndFlags & FRAGMENT_OFFSET_MASK) !== 0 ? FragmentKind.Later : FragmentKind.First;
        packet.fragmentId = view.getInt32(offset + FRAGMENT_ID);
      }
      offset += EXTENSION_BYTES_MIN;
    } else {
      offset += (view.getUint8(offset + 1) + 1) << 3;
    }
    protocol = next;
    // What follows in a later fragment is data, whatever number the fragment header names.
    if (fragment === FragmentKind.Later) break;
  }
  packet.protocol = protocol;
  packet.fragment = fragment;
  packet.transportBytes = Math.max(0, packet.transportBytes - (offset - packet.transportOffset));
  packet.transportOffset = offset;
}

/**
 * Length of a payload whose field is 0 although more than a field can say follows on the wire: what the jumbo option says (RFC
 * 2675), where there is one and it fits, or else all of it, since a card that segments or merges leaves it so. Both are known by
 * their size: shorter packets with 0 have no payload.
 */
function jumboPayloadBytes(view: DataView, offset: number, end: number, nextHeader: number, wireBytes: number): number {
  if (nextHeader !== IpProtocol.HopByHop || end - offset < EXTENSION_BYTES_MIN) return wireBytes;
  const optionsEnd = Math.min(offset + ((view.getUint8(offset + 1) + 1) << 3), end);
  for (let at = offset + 2; at < optionsEnd; ) {
    const option = view.getUint8(at);
    if (option === OPTION_PAD1) {
      at++;
      continue;
    }
    if (option === OPTION_JUMBO && optionsEnd - at >= OPTION_JUMBO_BYTES) {
      const bytes = view.getUint32(at + 2);
      return bytes > PAYLOAD_BYTES_MAX && bytes <= wireBytes ? bytes : wireBytes;
    }
    if (optionsEnd - at < 2) break;
    at += 2 + view.getUint8(at + 1);
  }
  return wireBytes;
}

/**
 * Reads an IPv6 header and its extension headers. `end` is the end of the captured bytes, `wireEnd` where the frame ended on the
 * wire. Returns why the packet is not counted, or none; `packet` is valid only for none. Allocates nothing.
 */
export function readIpv6(view: DataView, offset: number, end: number, wireEnd: number, packet: Packet): Drop {
  if (end - offset < HEADER_BYTES) return Drop.Ipv6Truncated;
  if (view.getUint8(offset) >> 4 !== 6) return Drop.Ipv6Version;
  const transportOffset = offset + HEADER_BYTES;
  let payloadBytes = view.getUint16(offset + PAYLOAD_LENGTH);
  if (payloadBytes === 0 && wireEnd - transportOffset > PAYLOAD_BYTES_MAX)
    payloadBytes = jumboPayloadBytes(view, transportOffset, end, view.getUint8(offset + NEXT_HEADER), wireEnd - transportOffset);
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
  packet.fragment = FragmentKind.Whole;
  packet.transportOffset = transportOffset;
  packet.transportBytes = payloadBytes;
  packet.transportEnd = transportOffset + payloadBytes < end ? transportOffset + payloadBytes : end;
  if (isExtension(packet.protocol)) readExtensions(view, packet);
  return Drop.None;
}
