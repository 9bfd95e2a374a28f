import { EtherType } from '../wire/ether-type.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { LinkType } from '../wire/link-type.js';
import { isTunnelPort } from '../wire/udp-tunnel.js';

/** Offsets in an Ethernet frame with a plain IP header. */
const ETHERNET_TYPE = 12;
const IP = 14;
const IPV4_PROTOCOL = IP + 9;
const IPV6_NEXT_HEADER = IP + 6;
const IPV6_BYTES = 40;
/** What is read of a transport header: TCP without its options, and all of the others. */
const TRANSPORT_BYTES = 20;
/** Longest of these: IPv4 with all its options. */
const PLAIN_BYTES_MAX = IP + 60 + TRANSPORT_BYTES;

/** Whether nothing behind the headers is read: a tunnel is possible behind all others. */
function isPlain(view: DataView, protocol: number, transport: number): boolean {
  switch (protocol) {
    case IpProtocol.Tcp:
    case IpProtocol.Icmp:
    case IpProtocol.Icmpv6:
      return true;
    case IpProtocol.Udp:
      return !isTunnelPort(view.getUint16(transport)) && !isTunnelPort(view.getUint16(transport + 2));
    default:
      return false;
  }
}

/**
 * How much of a frame the parser needs: of IPv4 and IPv6 over Ethernet the headers without TCP options where no tunnel is possible,
 * of any other frame everything. The caller guarantees `capturedBytes` bytes from `offset`.
 */
export function copyLength(view: DataView, offset: number, capturedBytes: number, linkType: number): number {
  if (capturedBytes < PLAIN_BYTES_MAX || linkType !== LinkType.Ethernet) return capturedBytes;
  const etherType = view.getUint16(offset + ETHERNET_TYPE);
  let transport: number;
  let protocol: number;
  if (etherType === EtherType.Ipv4) {
    transport = IP + ((view.getUint8(offset + IP) & 0x0f) << 2);
    protocol = view.getUint8(offset + IPV4_PROTOCOL);
  } else if (etherType === EtherType.Ipv6) {
    transport = IP + IPV6_BYTES;
    protocol = view.getUint8(offset + IPV6_NEXT_HEADER);
  } else {
    return capturedBytes;
  }
  return isPlain(view, protocol, offset + transport) ? transport + TRANSPORT_BYTES : capturedBytes;
}
