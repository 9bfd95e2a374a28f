import { Drop } from '../ring/drop-reason.js';
import { dropOfEtherType, EtherType } from '../wire/ether-type.js';
import { readIcmp } from '../wire/icmp.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { readIpv4 } from '../wire/ipv4.js';
import { readIpv6 } from '../wire/ipv6.js';
import { LinkLayer, readLink } from '../wire/link.js';
import type { Packet } from '../wire/packet.js';
import { readPorts } from '../wire/ports.js';
import { readTcp } from '../wire/tcp.js';

/** Header lengths of UDP and UDP-Lite (RFC 768, RFC 3828), and of SCTP and DCCP at least (RFC 9260, RFC 4340). */
const UDP_HEADER_BYTES = 8;
const SCTP_HEADER_BYTES = 12;

const link = new LinkLayer();

/** Reads the transport header and returns its length in bytes. */
function readTransport(view: DataView, packet: Packet): number {
  switch (packet.protocol) {
    case IpProtocol.Tcp:
      return readTcp(view, packet);
    case IpProtocol.Udp:
    case IpProtocol.UdpLite:
      readPorts(view, packet);
      return UDP_HEADER_BYTES;
    case IpProtocol.Icmp:
    case IpProtocol.Icmpv6:
      return readIcmp(view, packet);
    case IpProtocol.Sctp:
    case IpProtocol.Dccp:
      readPorts(view, packet);
      return SCTP_HEADER_BYTES;
    default:
      return 0;
  }
}

/**
 * Walks the layers of one frame. The captured bytes are those of `view` from `offset` to `end`; `wireBytes` is the frame's
 * length on the wire. Returns `Drop.None` and fills `packet`, or the reason why the frame belongs to no flow. A packet whose
 * transport header is cut off or malformed is counted with ports 0: its addresses are known. Never throws on wire input;
 * allocates nothing.
 */
export function decode(view: DataView, offset: number, end: number, wireBytes: number, linkType: number, packet: Packet): Drop {
  let drop = readLink(view, offset, end, linkType, link);
  if (drop !== Drop.None) return drop;
  if (link.etherType === EtherType.Ipv4) drop = readIpv4(view, link.offset, end, offset + wireBytes, packet);
  else if (link.etherType === EtherType.Ipv6) drop = readIpv6(view, link.offset, end, packet);
  else return dropOfEtherType(link.etherType);
  if (drop !== Drop.None) return drop;
  packet.vlanId = link.vlanId;
  packet.srcPort = 0;
  packet.dstPort = 0;
  packet.tcpFlags = 0;
  packet.hasTcp = 0;
  packet.icmp = 0;
  const headerBytes = packet.isLaterFragment === 0 ? readTransport(view, packet) : 0;
  const payloadBytes = packet.transportBytes - headerBytes;
  packet.payloadBytes = payloadBytes > 0 ? payloadBytes : 0;
  return Drop.None;
}
