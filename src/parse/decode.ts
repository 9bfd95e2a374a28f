import { Drop } from '../ring/drop-reason.js';
import { TunnelType } from '../ring/tunnel-type.js';
import { dropOfEtherType, EtherType } from '../wire/ether-type.js';
import { EthernetHeader } from '../wire/ethernet.js';
import { readIcmp } from '../wire/icmp.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { readIpv4 } from '../wire/ipv4.js';
import { readIpv6 } from '../wire/ipv6.js';
import { etherTypeOfPlain, readLink } from '../wire/link.js';
import { LAYERS_MAX, LinkLayer } from '../wire/link-layer.js';
import { FragmentKind, type Packet } from '../wire/packet.js';
import { readPorts } from '../wire/ports.js';
import { readTcp } from '../wire/tcp.js';
import { mayCarry, readTunnel } from '../wire/tunnel.js';
import { readUdp } from '../wire/udp.js';
import { TunnelPort } from '../wire/udp-tunnel.js';
import { walkLayers } from '../wire/walk-layers.js';
import type { FragmentTable } from './fragment-table.js';

/** Header lengths of UDP-Lite (RFC 3828), and of SCTP and DCCP at least (RFC 9260, RFC 4340). */
const UDP_LITE_HEADER_BYTES = 8;
const SCTP_HEADER_BYTES = 12;
/** IPv6 (RFC 8200 section 3): its length does not count the header. The length of IPv4 (RFC 791) stands two bytes before it. */
const IPV6_HEADER_BYTES = 40;
const LENGTHS_END = 6;

/** Reads the transport header and returns its length in bytes. */
function readTransport(view: DataView, packet: Packet): number {
  switch (packet.protocol) {
    case IpProtocol.Tcp:
      return readTcp(view, packet);
    case IpProtocol.Udp:
      return readUdp(view, packet);
    case IpProtocol.UdpLite:
      readPorts(view, packet);
      return UDP_LITE_HEADER_BYTES;
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

/** Reads the IP header at `offset`; the reason why there is none otherwise. */
function readIp(view: DataView, etherType: number, offset: number, end: number, wireEnd: number, packet: Packet): Drop {
  if (etherType === EtherType.Ipv4) return readIpv4(view, offset, end, wireEnd, packet);
  if (etherType === EtherType.Ipv6) return readIpv6(view, offset, end, wireEnd, packet);
  return dropOfEtherType(etherType);
}

/** Keeps the addresses of the IP header that carries the outermost tunnel. */
function keepTunnelAddresses(packet: Packet): void {
  packet.tunnelIpVersion = packet.ipVersion;
  packet.tunnelSrc0 = packet.src0;
  packet.tunnelSrc1 = packet.src1;
  packet.tunnelSrc2 = packet.src2;
  packet.tunnelSrc3 = packet.src3;
  packet.tunnelDst0 = packet.dst0;
  packet.tunnelDst1 = packet.dst1;
  packet.tunnelDst2 = packet.dst2;
  packet.tunnelDst3 = packet.dst3;
}

/**
 * Whether a packet at `offset` may be inside one that ends at `wireEnd` on the wire. A length of 0 fits: a card leaves it so. What the
 * capture cuts off is not asked for.
 */
function fits(view: DataView, etherType: number, offset: number, end: number, wireEnd: number): boolean {
  if (end - offset < LENGTHS_END) return true;
  const isIpv4 = etherType === EtherType.Ipv4;
  return offset + (isIpv4 ? view.getUint16(offset + 2) : IPV6_HEADER_BYTES + view.getUint16(offset + 4)) <= wireEnd;
}

function keepTunnel(packet: Packet, link: LinkLayer): void {
  packet.tunnelType = link.tunnelType;
  packet.tunnelId = link.hasTunnelId === 1 ? link.tunnelId : 0;
  packet.hasTunnelId = link.hasTunnelId;
}

/** Walks the layers of frames, each into the same `Packet`. */
export class Decoder {
  private readonly link = new LinkLayer();
  private readonly inner = new LinkLayer();

  /** Where the payload of the link layer starts, of a frame that was dropped for what it is. */
  get linkPayload(): number {
    return this.link.offset;
  }

  /** `isDecapsulating`: the innermost IP header makes the flow. Later fragments keep ports 0 where `fragments` is null. */
  constructor(
    private readonly isDecapsulating: boolean,
    private readonly fragments: FragmentTable | null,
  ) {}

  /**
   * Walks the layers of one frame, seen at `seconds` (a word). The captured bytes are those of `view` from `offset` to `end`;
   * `wireBytes` is the frame's length on the wire. Returns `Drop.None` and fills `packet`, or the reason why the frame belongs to
   * no flow. A packet whose transport header is cut off or malformed is counted with ports 0: its addresses are known. Never
   * throws on wire input; allocates nothing.
   */
  decode(
    view: DataView,
    offset: number,
    end: number,
    wireBytes: number,
    linkType: number,
    seconds: number,
    packet: Packet,
  ): Drop {
    const etherType = etherTypeOfPlain(view, offset, end, linkType);
    let drop: Drop;
    if (etherType !== 0) {
      this.link.layers = 0;
      packet.vlanId = 0;
      packet.tunnelType = TunnelType.None;
      // Spelled out, not through readIp, and TCP below asked for by itself: measured, 3 ns of 42.
      drop =
        etherType === EtherType.Ipv4
          ? readIpv4(view, offset + EthernetHeader.Bytes, end, offset + wireBytes, packet)
          : readIpv6(view, offset + EthernetHeader.Bytes, end, offset + wireBytes, packet);
    } else {
      drop = this.readOuter(view, offset, end, wireBytes, linkType, packet);
    }
    if (drop !== Drop.None) return drop;
    this.readAboveIp(view, packet, 0, seconds);
    if (packet.protocol !== IpProtocol.Tcp && this.isDecapsulating && mayCarry(packet)) this.decapsulate(view, packet, seconds);
    return Drop.None;
  }

  /** Walks to the outermost IP header and reads it. */
  private readOuter(view: DataView, offset: number, end: number, wireBytes: number, linkType: number, packet: Packet): Drop {
    const { link } = this;
    const drop = readLink(view, offset, end, linkType, link);
    if (drop !== Drop.None) return drop;
    packet.vlanId = link.vlanId;
    packet.tunnelType = TunnelType.None;
    if (link.tunnelType !== TunnelType.None) {
      keepTunnel(packet, link);
      packet.tunnelIpVersion = 0;
    }
    return readIp(view, link.etherType, link.offset, end, offset + wireBytes, packet);
  }

  private readAboveIp(view: DataView, packet: Packet, level: number, seconds: number): void {
    packet.srcPort = 0;
    packet.dstPort = 0;
    packet.tcpFlags = 0;
    packet.hasTcp = 0;
    packet.icmp = 0;
    let headerBytes = 0;
    if (packet.fragment === FragmentKind.Whole)
      headerBytes = packet.protocol === IpProtocol.Tcp ? readTcp(view, packet) : readTransport(view, packet);
    else headerBytes = this.readFragment(view, packet, level, seconds);
    const payloadBytes = packet.transportBytes - headerBytes;
    packet.payloadBytes = payloadBytes > 0 ? payloadBytes : 0;
  }

  /** Reads the transport header of a first fragment, and gives a later one the ports of its first; returns the header's length. */
  private readFragment(view: DataView, packet: Packet, level: number, seconds: number): number {
    const headerBytes = packet.fragment === FragmentKind.First ? readTransport(view, packet) : 0;
    if (this.fragments !== null) this.fragments.join(packet, level, seconds);
    return headerBytes;
  }

  /**
   * Goes from tunnel to tunnel inwards. Whatever cannot be read, is no IP, or lies deeper than `LAYERS_MAX` leaves the packet as the
   * last good IP header describes it. The packet quoted in an ICMP error is not carried by it, and so is not looked at.
   */
  private decapsulate(view: DataView, packet: Packet, seconds: number): void {
    const { inner } = this;
    inner.layers = this.link.layers;
    for (let level = 1; mayCarry(packet); level++) {
      if (packet.fragment === FragmentKind.Later || inner.layers++ >= LAYERS_MAX) return;
      const end = packet.transportEnd;
      const wireEnd = packet.transportOffset + packet.transportBytes;
      inner.vlanId = 0;
      // Nothing but a port tells MPLS in UDP, and its labels may be anything, so what they carry must fit; a first fragment has not all.
      const mustFit =
        packet.protocol === IpProtocol.Udp && packet.dstPort === TunnelPort.Mpls && packet.fragment === FragmentKind.Whole;
      if (!readTunnel(view, packet, inner) || walkLayers(view, end, inner) !== Drop.None) return;
      if (mustFit && !fits(view, inner.etherType, inner.offset, end, wireEnd)) return;
      const isOutermost = packet.tunnelType === TunnelType.None;
      if (isOutermost) keepTunnelAddresses(packet);
      if (readIp(view, inner.etherType, inner.offset, end, wireEnd, packet) !== Drop.None) return;
      if (isOutermost) keepTunnel(packet, inner);
      if (packet.vlanId === 0) packet.vlanId = inner.vlanId;
      this.readAboveIp(view, packet, level, seconds);
    }
  }
}
