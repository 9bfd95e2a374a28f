import { EtherType } from '../wire/ether-type.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { LinkType } from '../wire/link-type.js';

const ETHERNET_TYPE = 12;
const ETHERNET_BYTES = 14;
/** LINKTYPE_LINUX_SLL2. */
const COOKED_PROTOCOL = 0;
const COOKED_HARDWARE = 8;
const COOKED_BYTES = 20;
const HARDWARE_LOOPBACK = 772;
/** Offsets in an IP header. */
const IPV4_PROTOCOL = 9;
const IPV4_SRC = 12;
const IPV4_DST = 16;
const IPV6_NEXT_HEADER = 6;
const IPV6_SRC = 8;
const IPV6_DST = 24;
const IPV6_BYTES = 40;
/** Shortest frame with ports: IPv4 without options over Ethernet. */
const BYTES_MIN = ETHERNET_BYTES + 24;
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
 * apart; cooked ones name the kind of interface. The caller guarantees `capturedBytes` bytes from `offset`. Allocates nothing.
 */
export function isOwnTraffic(view: DataView, offset: number, capturedBytes: number, linkType: number, port: number): boolean {
  if (capturedBytes < BYTES_MIN) return false;
  if (linkType === LinkType.Ethernet)
    return (
      view.getInt32(offset) === 0 &&
      isOwnPacket(view, offset + ETHERNET_BYTES, offset + capturedBytes, view.getUint16(offset + ETHERNET_TYPE), port)
    );
  return (
    linkType === LinkType.LinuxSll2 &&
    view.getUint16(offset + COOKED_HARDWARE) === HARDWARE_LOOPBACK &&
    isOwnPacket(view, offset + COOKED_BYTES, offset + capturedBytes, view.getUint16(offset + COOKED_PROTOCOL), port)
  );
}

/** The same of the packet at `ip`, of which at least 18 bytes are there. */
function isOwnPacket(view: DataView, ip: number, end: number, etherType: number, port: number): boolean {
  if (etherType === EtherType.Ipv4) {
    if (view.getUint8(ip + IPV4_PROTOCOL) !== IpProtocol.Tcp) return false;
    const ports = ip + ((view.getUint8(ip) & 0x0f) << 2);
    if (ports + 4 > end) return false;
    return (
      (view.getUint16(ports) === port && view.getUint8(ip + IPV4_SRC) === LOOPBACK_IPV4_NETWORK) ||
      (view.getUint16(ports + 2) === port && view.getUint8(ip + IPV4_DST) === LOOPBACK_IPV4_NETWORK)
    );
  }
  const ports = ip + IPV6_BYTES;
  if (etherType !== EtherType.Ipv6 || ports + 4 > end || view.getUint8(ip + IPV6_NEXT_HEADER) !== IpProtocol.Tcp) return false;
  return (
    (view.getUint16(ports) === port && isLoopbackIpv6(view, ip + IPV6_SRC)) ||
    (view.getUint16(ports + 2) === port && isLoopbackIpv6(view, ip + IPV6_DST))
  );
}
