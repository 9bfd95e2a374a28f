import { EtherType } from '../wire/ether-type.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { LinkType } from '../wire/link-type.js';

/** Offsets in an Ethernet frame with a plain IP header. */
const ETHERNET_TYPE = 12;
const IP = 14;
const IPV6_NEXT_HEADER = IP + 6;
const IPV6_BYTES = 40;
/** What is read of a transport header: TCP without its options, and all of the others. */
const TRANSPORT_BYTES = 20;
/** Longest of these: IPv4 with all its options. */
const PLAIN_BYTES_MAX = IP + 60 + TRANSPORT_BYTES;

/**
 * How much of a frame the parser needs: of plain IPv4 and IPv6 over Ethernet the headers without TCP options, of any other frame
 * everything. The caller guarantees `capturedBytes` bytes from `offset`.
 */
export function copyLength(view: DataView, offset: number, capturedBytes: number, linkType: number): number {
  if (capturedBytes < PLAIN_BYTES_MAX || linkType !== LinkType.Ethernet) return capturedBytes;
  const etherType = view.getUint16(offset + ETHERNET_TYPE);
  if (etherType === EtherType.Ipv4) return IP + ((view.getUint8(offset + IP) & 0x0f) << 2) + TRANSPORT_BYTES;
  if (etherType !== EtherType.Ipv6) return capturedBytes;
  const next = view.getUint8(offset + IPV6_NEXT_HEADER);
  const isPlain = next === IpProtocol.Tcp || next === IpProtocol.Udp || next === IpProtocol.Icmpv6;
  return isPlain ? IP + IPV6_BYTES + TRANSPORT_BYTES : capturedBytes;
}
