import { EtherType } from '../wire/ether-type.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { LinkType } from '../wire/link-type.js';

/** Ethernet, an IPv4 header with all its options, and a TCP header with all its options: 14 + 60 + 60, rounded up. */
const HEADERS_BYTES_MAX = 136;
const ETHERNET_TYPE = 12;
const IPV6_NEXT_HEADER = 14 + 6;

/**
 * How much of a frame the parser needs: the headers of plain IPv4 and IPv6 over Ethernet, and everything of a frame that is not
 * so plain. The caller guarantees `capturedBytes` bytes from `offset`.
 */
export function copyLength(view: DataView, offset: number, capturedBytes: number, linkType: number): number {
  if (capturedBytes <= HEADERS_BYTES_MAX || linkType !== LinkType.Ethernet) return capturedBytes;
  const etherType = view.getUint16(offset + ETHERNET_TYPE);
  if (etherType === EtherType.Ipv4) return HEADERS_BYTES_MAX;
  if (etherType !== EtherType.Ipv6) return capturedBytes;
  const next = view.getUint8(offset + IPV6_NEXT_HEADER);
  return next === IpProtocol.Tcp || next === IpProtocol.Udp || next === IpProtocol.Icmpv6 ? HEADERS_BYTES_MAX : capturedBytes;
}
