import { TunnelType } from '../ring/tunnel-type.js';
import { readErspan2, readErspan3 } from './erspan.js';
import { EtherType } from './ether-type.js';
import { EthernetHeader } from './ethernet.js';
import type { LinkLayer } from './link-layer.js';

/** GRE (RFC 2784, RFC 2890; version 1: RFC 2637): flags and version, protocol, then the fields that the flags announce. */
const PROTOCOL = 2;
const HEADER_BYTES = 4;
const FIELD_BYTES = 4;

const enum Flag {
  Checksum = 0x8000,
  Routing = 0x4000,
  Key = 0x2000,
  Sequence = 0x1000,
  /** Version 1 only. */
  Acknowledgement = 0x0080,
  Version = 0x0007,
}

/** Protocol types that mean something in GRE alone; all others are EtherTypes. */
const enum Protocol {
  Eoip = 0x6400,
  Wccp = 0x883e,
  Erspan2 = 0x88be,
  Erspan3 = 0x22eb,
  /** Aruba's access points: frames of 802.11, by the queue in steps of 16 (Wireshark, packet-gre.h). */
  ArubaFirst = 0x8200,
  ArubaLast = 0x8370,
  ArubaStepMask = 0x000f,
}

/** The redirect header of WCCP version 2, which version 1 does not have, is told from IPv4 by its first byte. */
const WCCP_BYTES = 4;
const CALL_MASK = 0xffff;

/** MikroTik's Ethernet over IP: key and version 1 are set, the frame's length and the tunnel's number follow. */
function readEoip(view: DataView, offset: number, end: number, out: LinkLayer): boolean {
  const start = offset + HEADER_BYTES + FIELD_BYTES;
  if (end - start < EthernetHeader.Bytes) return false;
  out.tunnelType = TunnelType.Eoip;
  out.tunnelId = view.getUint16(offset + HEADER_BYTES + 2, true);
  out.hasTunnelId = 1;
  out.etherType = EtherType.Ethernet;
  out.offset = start;
  return true;
}

/** Version 1 carries PPP; the lower half of the key is the call, and without a sequence number there is no payload. */
function readVersion1(view: DataView, offset: number, end: number, flags: number, out: LinkLayer): boolean {
  const protocol = view.getUint16(offset + PROTOCOL);
  if ((flags & Flag.Key) === 0) return false;
  if (protocol === Protocol.Eoip) return readEoip(view, offset, end, out);
  if (protocol !== EtherType.Ppp || (flags & Flag.Sequence) === 0) return false;
  const start = offset + HEADER_BYTES + FIELD_BYTES * ((flags & Flag.Acknowledgement) === 0 ? 2 : 3);
  if (start > end) return false;
  out.tunnelType = TunnelType.Pptp;
  out.tunnelId = view.getUint32(offset + HEADER_BYTES) & CALL_MASK;
  out.hasTunnelId = 1;
  out.etherType = EtherType.Ppp;
  out.offset = start;
  return true;
}

function isAruba(protocol: number): boolean {
  return protocol >= Protocol.ArubaFirst && protocol <= Protocol.ArubaLast && (protocol & Protocol.ArubaStepMask) === 0;
}

/**
 * Reads a GRE header. Returns whether it carries something that can be followed; `out` then has its EtherType, offset and the
 * tunnel. Source routes, which nobody has used since RFC 2784, are not followed. Allocates nothing.
 */
export function readGre(view: DataView, offset: number, end: number, out: LinkLayer): boolean {
  if (end - offset < HEADER_BYTES) return false;
  const flags = view.getUint16(offset);
  const version = flags & Flag.Version;
  if (version === 1) return readVersion1(view, offset, end, flags, out);
  if (version !== 0 || (flags & Flag.Routing) !== 0) return false;
  let next = offset + HEADER_BYTES;
  if ((flags & Flag.Checksum) !== 0) next += FIELD_BYTES;
  const keyOffset = next;
  if ((flags & Flag.Key) !== 0) next += FIELD_BYTES;
  if ((flags & Flag.Sequence) !== 0) next += FIELD_BYTES;
  if (next >= end) return false;
  out.tunnelType = TunnelType.Gre;
  out.hasTunnelId = (flags & Flag.Key) !== 0 ? 1 : 0;
  out.tunnelId = out.hasTunnelId === 1 ? view.getInt32(keyOffset) : 0;
  out.etherType = view.getUint16(offset + PROTOCOL);
  out.offset = next;
  switch (out.etherType) {
    case Protocol.Erspan2:
      return readErspan2(view, end, (flags & Flag.Sequence) !== 0, out);
    case Protocol.Erspan3:
      return readErspan3(view, end, out);
    case Protocol.Wccp:
      out.etherType = EtherType.Ipv4;
      if (view.getUint8(next) >> 4 !== 4) out.offset = next + WCCP_BYTES;
      return true;
    default:
      if (isAruba(out.etherType)) out.etherType = EtherType.Ieee80211;
      return out.etherType >= EtherType.Min;
  }
}
