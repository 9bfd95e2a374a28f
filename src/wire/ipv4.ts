import { Drop } from '../ring/drop-reason.js';
import { FragmentKind, type Packet } from './packet.js';

/** IPv4 header (RFC 791 section 3.1): offsets of its fields. */
const TOTAL_LENGTH = 2;
const ID = 4;
const FRAGMENT = 6;
const PROTOCOL = 9;
const SRC = 12;
const DST = 16;
const HEADER_BYTES_MIN = 20;
const FRAGMENT_OFFSET_MASK = 0x1fff;
/** The offset and the flag that more fragments follow; 0 in a whole packet. */
const FRAGMENT_MASK = 0x3fff;

/**
 * Reads an IPv4 header, options skipped. `end` is the end of the captured bytes, `wireEnd` where the frame ended on the wire:
 * a total length of 0 stands for a packet that the sender's card was to cut (TSO), so its length is what was on the wire.
 * Returns why the packet is not counted, or none; `packet` is valid only for none. Allocates nothing.
 */
export function readIpv4(view: DataView, offset: number, end: number, wireEnd: number, packet: Packet): Drop {
  if (end - offset < HEADER_BYTES_MIN) return Drop.Ipv4Truncated;
  const first = view.getUint8(offset);
  if (first >> 4 !== 4) return Drop.Ipv4Version;
  const headerBytes = (first & 0x0f) << 2;
  const statedBytes = view.getUint16(offset + TOTAL_LENGTH);
  const totalBytes = statedBytes === 0 ? wireEnd - offset : statedBytes;
  if (headerBytes < HEADER_BYTES_MIN || totalBytes < headerBytes) return Drop.Ipv4HeaderLength;
  packet.ipVersion = 4;
  packet.protocol = view.getUint8(offset + PROTOCOL);
  packet.src0 = 0;
  packet.src1 = 0;
  packet.src2 = 0;
  packet.src3 = view.getInt32(offset + SRC);
  packet.dst0 = 0;
  packet.dst1 = 0;
  packet.dst2 = 0;
  packet.dst3 = view.getInt32(offset + DST);
  packet.ipBytes = totalBytes;
  const fragment = view.getUint16(offset + FRAGMENT) & FRAGMENT_MASK;
  packet.fragment = FragmentKind.Whole;
  if (fragment !== 0) {
    packet.fragment = (fragment & FRAGMENT_OFFSET_MASK) !== 0 ? FragmentKind.Later : FragmentKind.First;
    packet.fragmentId = view.getUint16(offset + ID);
  }
  packet.transportOffset = offset + headerBytes;
  packet.transportBytes = totalBytes - headerBytes;
  // Ethernet pads short frames: what lies behind the total length is no part of the packet.
  packet.transportEnd = offset + totalBytes < end ? offset + totalBytes : end;
  return Drop.None;
}
