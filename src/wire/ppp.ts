import { Drop } from '../ring/drop-reason.js';
import { EtherType } from './ether-type.js';
import type { LinkLayer } from './link-layer.js';

/** PPP protocol numbers (IANA) of what can be followed. */
const enum PppProtocol {
  Ipv4 = 0x0021,
  Ipv6 = 0x0057,
  MplsUnicast = 0x0281,
  MplsMulticast = 0x0283,
}

/** Address "all stations" and control "unnumbered information" (RFC 1662 section 3.1), which may be left out. */
const ADDRESS_AND_CONTROL = 0xff03;
/** Cisco's framing: an address of its own, a control of zero, an EtherType. */
const CISCO_UNICAST = 0x0f00;
const CISCO_MULTICAST = 0x8f00;
const CISCO_BYTES = 4;
const CISCO_TYPE = 2;
/** Cisco's keep-alive and address query (SLARP), which has the number of reverse ARP. */
const CISCO_SLARP = 0x8035;

/** Reads PPP (RFC 1661 section 2), with a protocol of two bytes or one (section 6.5). Allocates nothing. */
export function readPpp(view: DataView, end: number, out: LinkLayer): Drop {
  let offset = out.offset;
  if (end - offset < 2) return Drop.LinkTruncated;
  if (view.getUint16(offset) === ADDRESS_AND_CONTROL) offset += 2;
  if (end - offset < 1) return Drop.LinkTruncated;
  let protocol = view.getUint8(offset++);
  // The last byte of a protocol number is odd, and no other byte of it is.
  if ((protocol & 1) === 0) {
    if (end - offset < 1) return Drop.LinkTruncated;
    protocol = (protocol << 8) | view.getUint8(offset++);
  }
  out.offset = offset;
  switch (protocol) {
    case PppProtocol.Ipv4:
      out.etherType = EtherType.Ipv4;
      return Drop.None;
    case PppProtocol.Ipv6:
      out.etherType = EtherType.Ipv6;
      return Drop.None;
    case PppProtocol.MplsUnicast:
    case PppProtocol.MplsMulticast:
      out.etherType = EtherType.MplsUnicast;
      return Drop.None;
    default:
      return Drop.Ppp;
  }
}

/** Reads Cisco's framing; a header that is none of it is PPP's, of which no protocol begins like that. Allocates nothing. */
export function readCiscoHdlc(view: DataView, end: number, out: LinkLayer): Drop {
  const offset = out.offset;
  if (end - offset < 2) return Drop.LinkTruncated;
  const addressAndControl = view.getUint16(offset);
  if (addressAndControl !== CISCO_UNICAST && addressAndControl !== CISCO_MULTICAST) return readPpp(view, end, out);
  if (end - offset < CISCO_BYTES) return Drop.LinkTruncated;
  const type = view.getUint16(offset + CISCO_TYPE);
  // Below the EtherTypes there are bridging protocols of Cisco's own.
  out.etherType = type < EtherType.Min || type === CISCO_SLARP ? EtherType.None : type;
  out.offset = offset + CISCO_BYTES;
  return Drop.None;
}
