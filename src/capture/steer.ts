import { Drop } from '../ring/drop-reason.js';
import { EtherType } from '../wire/ether-type.js';
import { EthernetHeader } from '../wire/ethernet.js';
import { etherTypeOfPlain, readLink } from '../wire/link.js';
import { LinkLayer } from '../wire/link-layer.js';

/** Where the address pair of an IP header stands, and how long it is (RFC 791, RFC 8200). */
const IPV4_ADDRESSES = 12;
const IPV4_ADDRESS_WORDS = 2;
const IPV6_ADDRESSES = 8;
const IPV6_ADDRESS_WORDS = 8;

const link = new LinkLayer();

/**
 * Picks the parse worker of a frame, 0 to `workerCount - 1`: a symmetric hash of the outermost IP address pair. Ports have no
 * part in it, so that both directions, all fragments and the ICMP errors between two hosts meet in one worker. What is not IP
 * goes to worker 0. The caller guarantees `capturedBytes` bytes from `offset`. Allocates nothing.
 */
export function steer(view: DataView, offset: number, capturedBytes: number, linkType: number, workerCount: number): number {
  const end = offset + capturedBytes;
  let etherType = etherTypeOfPlain(view, offset, end, linkType);
  let at = offset + EthernetHeader.Bytes;
  if (etherType === 0) {
    if (readLink(view, offset, end, linkType, link) !== Drop.None) return 0;
    etherType = link.etherType;
    at = link.offset;
  }
  let words = 0;
  if (etherType === EtherType.Ipv4) {
    at += IPV4_ADDRESSES;
    words = IPV4_ADDRESS_WORDS;
  } else if (etherType === EtherType.Ipv6) {
    at += IPV6_ADDRESSES;
    words = IPV6_ADDRESS_WORDS;
  }
  if (words === 0 || at + words * 4 > end) return 0;
  // The sum of both addresses' words does not depend on their order.
  let sum = 0;
  for (let i = 0; i < words; i++) sum = (sum + view.getInt32(at + i * 4)) | 0;
  let hash = Math.imul(sum ^ (sum >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) % workerCount;
}
