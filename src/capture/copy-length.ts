import { EtherType } from '../wire/ether-type.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { LinkType } from '../wire/link-type.js';
import { isNamePort, NamePort } from '../wire/name-ports.js';
import { mayTunnel } from '../wire/udp-tunnel.js';
import { StreamStarts, tcpPayloadOffset } from './stream-starts.js';

/** Offsets in an Ethernet frame with a plain IP header. */
const ETHERNET_TYPE = 12;
const IP = 14;
const IPV4_TOTAL_BYTES = IP + 2;
const IPV4_PROTOCOL = IP + 9;
const IPV4_SRC = IP + 12;
const IPV6_PAYLOAD_BYTES = IP + 4;
const IPV6_NEXT_HEADER = IP + 6;
const IPV6_SRC = IP + 8;
const IPV6_BYTES = 40;
/** What is read of a transport header: TCP without its options, and all of the others. */
const TRANSPORT_BYTES = 20;
const UDP_BYTES = 8;
/** Shortest frame that has all of these. */
const FRAME_BYTES_MIN = IP + 20 + TRANSPORT_BYTES;
/** What is copied of a datagram by whose start an application is recognised: a WireGuard handshake, the longest start, whole. */
const DATAGRAM_START_BYTES = 160;
/** The two upper bits of a QUIC packet with a long header (RFC 9000 section 17.2): its first packets, where the name is. */
const QUIC_LONG = 0xc0;

/**
 * How much of a frame the parser needs: of IPv4 and IPv6 over Ethernet the headers without TCP options where neither a tunnel nor a
 * name is possible, of any other frame everything. Keeps the starts of TCP streams, so it belongs to one capture. Allocates nothing.
 */
export class CopyLength {
  private readonly starts = new StreamStarts();

  /** The caller guarantees `capturedBytes` bytes from `offset`. */
  of(view: DataView, offset: number, capturedBytes: number, linkType: number): number {
    if (capturedBytes < FRAME_BYTES_MIN || linkType !== LinkType.Ethernet) return capturedBytes;
    const etherType = view.getUint16(offset + ETHERNET_TYPE);
    if (etherType === EtherType.Ipv4) {
      const transport = IP + ((view.getUint8(offset + IP) & 0x0f) << 2);
      if (transport + TRANSPORT_BYTES > capturedBytes) return capturedBytes;
      const protocol = view.getUint8(offset + IPV4_PROTOCOL);
      if (protocol === IpProtocol.Udp) return ofUdp(view, offset, transport, capturedBytes);
      if (protocol === IpProtocol.Icmp) return transport + TRANSPORT_BYTES;
      if (protocol !== IpProtocol.Tcp) return capturedBytes;
      const src = view.getInt32(offset + IPV4_SRC);
      const dst = view.getInt32(offset + IPV4_SRC + 4);
      const end = endOf(capturedBytes, IP, view.getUint16(offset + IPV4_TOTAL_BYTES));
      return this.ofTcp(view, offset, transport, end, src, dst);
    }
    if (etherType !== EtherType.Ipv6 || IP + IPV6_BYTES + TRANSPORT_BYTES > capturedBytes) return capturedBytes;
    const protocol = view.getUint8(offset + IPV6_NEXT_HEADER);
    if (protocol === IpProtocol.Udp) return ofUdp(view, offset, IP + IPV6_BYTES, capturedBytes);
    if (protocol !== IpProtocol.Tcp) return capturedBytes;
    const src = sumOfIpv6(view, offset + IPV6_SRC);
    const dst = sumOfIpv6(view, offset + IPV6_SRC + 16);
    const end = endOf(capturedBytes, IP + IPV6_BYTES, view.getUint16(offset + IPV6_PAYLOAD_BYTES));
    return this.ofTcp(view, offset, IP + IPV6_BYTES, end, src, dst);
  }

  /** What is captured of the packet ends `end` bytes behind `offset`. `src` and `dst` stand for the addresses, or for their sums. */
  private ofTcp(view: DataView, offset: number, transport: number, end: number, src: number, dst: number): number {
    const at = offset + transport;
    // Wanted in any case, also where the packet says that it is shorter.
    const headerEnd = transport + TRANSPORT_BYTES;
    const srcPort = view.getUint16(at);
    const dstPort = view.getUint16(at + 2);
    if (srcPort === NamePort.Dns || dstPort === NamePort.Dns) return Math.max(headerEnd, end);
    const payload = tcpPayloadOffset(view, at);
    const isFromHi = src === dst ? srcPort > dstPort : src > dst;
    const wanted = this.starts.wanted(view, at, payload, offset + end, src ^ dst, isFromHi);
    return wanted === 0 ? headerEnd : Math.max(headerEnd, Math.min(end, payload - offset + wanted));
  }
}

/**
 * Where a packet ends that says so: behind a short one comes the padding of Ethernet (IEEE 802.3 section 4.2.3.3), which is no payload. A
 * length of 0 says nothing: the card shall cut the packet (TSO), or it is longer than 64 KiB.
 */
function endOf(capturedBytes: number, from: number, bytes: number): number {
  return bytes === 0 ? capturedBytes : Math.min(capturedBytes, from + bytes);
}

function sumOfIpv6(view: DataView, at: number): number {
  return (view.getInt32(at) + view.getInt32(at + 4) + view.getInt32(at + 8) + view.getInt32(at + 12)) | 0;
}

function ofUdp(view: DataView, offset: number, transport: number, capturedBytes: number): number {
  const at = offset + transport;
  const src = view.getUint16(at);
  const dst = view.getUint16(at + 2);
  if (mayTunnel(src, dst) || isNamePort(src) || isNamePort(dst)) return capturedBytes;
  // 20 bytes from the transport header on are there, so the first of the payload is.
  if ((view.getUint8(at + UDP_BYTES) & QUIC_LONG) === QUIC_LONG) return capturedBytes;
  return Math.min(capturedBytes, transport + UDP_BYTES + DATAGRAM_START_BYTES);
}
