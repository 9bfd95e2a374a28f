import { Drop } from '../ring/drop-reason.js';
import { EtherType } from '../wire/ether-type.js';
import { EthernetHeader } from '../wire/ethernet.js';
import { IpProtocol } from '../wire/ip-protocol.js';
import { etherTypeOfPlain, readLink } from '../wire/link.js';
import { LinkLayer } from '../wire/link-layer.js';
import { isGroupQueryPort } from '../wire/name-ports.js';

/** Where in an IP header the address pair stands and how long it is, and what tells a whole datagram of UDP (RFC 791, RFC 8200). */
const IPV4_FRAGMENT = 6;
const IPV4_FRAGMENT_MASK = 0x3fff;
const IPV4_PROTOCOL = 9;
const IPV4_ADDRESSES = 12;
const IPV4_ADDRESS_WORDS = 2;
const IPV6_NEXT_HEADER = 6;
const IPV6_ADDRESSES = 8;
const IPV6_ADDRESS_WORDS = 8;
const IPV6_BYTES = 40;
const PORTS_BYTES = 4;

const link = new LinkLayer();

/**
 * Picks the parse worker of a frame, 0 to `workerCount - 1`: a symmetric hash of the outermost IP address pair. Ports have no
 * part in it, so that both directions, all fragments and the ICMP errors between two hosts meet in one worker. What is not IP
 * goes to worker 0, and so do the datagrams of LLMNR and NetBIOS names: they ask a group or a broadcast address and are answered
 * from another one (RFC 4795 section 2, RFC 1002 section 4.2.13), so that a hash would part the two. Of these, fragments stay with
 * the hash, since later ones have no ports. The caller guarantees `capturedBytes` bytes from `offset`. Allocates nothing.
 */
export function steer(view: DataView, offset: number, capturedBytes: number, linkType: number, workerCount: number): number {
  const end = offset + capturedBytes;
  let etherType = etherTypeOfPlain(view, offset, end, linkType);
  let ip = offset + EthernetHeader.Bytes;
  if (etherType === 0) {
    if (readLink(view, offset, end, linkType, link) !== Drop.None) return 0;
    etherType = link.etherType;
    ip = link.offset;
  }
  let at = ip;
  let words = 0;
  if (etherType === EtherType.Ipv4) {
    at += IPV4_ADDRESSES;
    words = IPV4_ADDRESS_WORDS;
  } else if (etherType === EtherType.Ipv6) {
    at += IPV6_ADDRESSES;
    words = IPV6_ADDRESS_WORDS;
  }
  if (words === 0 || at + words * 4 > end) return 0;
  const protocol = view.getUint8(ip + (words === IPV4_ADDRESS_WORDS ? IPV4_PROTOCOL : IPV6_NEXT_HEADER));
  if (protocol === IpProtocol.Udp && isGroupQuery(view, ip, end, words)) return 0;
  // The sum of both addresses' words does not depend on their order.
  let sum = 0;
  for (let i = 0; i < words; i++) sum = (sum + view.getInt32(at + i * 4)) | 0;
  let hash = Math.imul(sum ^ (sum >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) % workerCount;
}

/** Whether the packet of UDP whose IP header starts at `ip` is a whole datagram of LLMNR or NetBIOS names, by either port. */
function isGroupQuery(view: DataView, ip: number, end: number, addressWords: number): boolean {
  let ports = ip + IPV6_BYTES;
  if (addressWords === IPV4_ADDRESS_WORDS) {
    if ((view.getUint16(ip + IPV4_FRAGMENT) & IPV4_FRAGMENT_MASK) !== 0) return false;
    ports = ip + ((view.getUint8(ip) & 0x0f) << 2);
  }
  if (ports + PORTS_BYTES > end) return false;
  return isGroupQueryPort(view.getUint16(ports)) || isGroupQueryPort(view.getUint16(ports + 2));
}
