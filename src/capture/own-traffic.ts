import { EtherType } from '../wire/ether-type.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { LinkType } from '../wire/link-type.js';

/** Offsets in an Ethernet frame with a plain IP header. */
const ETHERNET_TYPE = 12;
const IP = 14;
const IPV4_PROTOCOL = IP + 9;
const IPV4_SRC = IP + 12;
const IPV4_DST = IP + 16;
const IPV4_BYTES_MIN = 20;
const IPV6_NEXT_HEADER = IP + 6;
const IPV6_SRC = IP + 8;
const IPV6_DST = IP + 24;
const IPV6_BYTES = 40;
/** Longest of the headers that are looked at: IPv4 with all its options, and the ports. */
const BYTES_MIN = IP + IPV4_BYTES_MIN + 4;
const LOOPBACK_IPV4_NETWORK = 127;

/** Whether the 16 bytes are ::1. */
function isLoopbackIpv6(view: DataView, offset: number): boolean {
  return (
    view.getInt32(offset + 12) === 1 &&
    view.getInt32(offset + 8) === 0 &&
    view.getInt32(offset + 4) === 0 &&
    view.getInt32(offset) === 0
  );
}

/**
 * Whether a frame belongs to a TCP connection with a server on `port` of a loopback address: with the port of our API, that is our
 * own traffic, since the API listens on loopback addresses only. Another program on this port of another address is not ours.
 *
 * Frames of the loopback interface have hardware addresses of zeros, and no others have, so one comparison tells all other frames
 * apart. The caller guarantees `capturedBytes` bytes from `offset`. Allocates nothing.
 */
export function isOwnTraffic(view: DataView, offset: number, capturedBytes: number, linkType: number, port: number): boolean {
  if (capturedBytes < BYTES_MIN || linkType !== LinkType.Ethernet || view.getInt32(offset) !== 0) return false;
  const etherType = view.getUint16(offset + ETHERNET_TYPE);
  if (etherType === EtherType.Ipv4) {
    if (view.getUint8(offset + IPV4_PROTOCOL) !== IpProtocol.Tcp) return false;
    const ports = IP + ((view.getUint8(offset + IP) & 0x0f) << 2);
    if (capturedBytes < ports + 4) return false;
    return (
      (view.getUint16(offset + ports) === port && view.getUint8(offset + IPV4_SRC) === LOOPBACK_IPV4_NETWORK) ||
      (view.getUint16(offset + ports + 2) === port && view.getUint8(offset + IPV4_DST) === LOOPBACK_IPV4_NETWORK)
    );
  }
  if (etherType !== EtherType.Ipv6 || capturedBytes < IP + IPV6_BYTES + 4) return false;
  if (view.getUint8(offset + IPV6_NEXT_HEADER) !== IpProtocol.Tcp) return false;
  const ports = offset + IP + IPV6_BYTES;
  return (
    (view.getUint16(ports) === port && isLoopbackIpv6(view, offset + IPV6_SRC)) ||
    (view.getUint16(ports + 2) === port && isLoopbackIpv6(view, offset + IPV6_DST))
  );
}
