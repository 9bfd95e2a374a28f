import { Drop } from '../ring/drop-reason.js';
import { EtherType } from './ether-type.js';
import { LinkType } from './link-type.js';
import { isVlanTag, VLAN_TAG_BYTES, vlanIdAt, vlanInnerTypeAt } from './vlan.js';

/** Tags that are followed before a frame is refused. */
const LAYERS_MAX = 16;

const ETHERNET_BYTES = 14;
const ETHERNET_TYPE = 12;
/** LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2: header length and where the EtherType stands. */
const SLL_BYTES = 16;
const SLL_TYPE = 14;
const SLL2_BYTES = 20;
const SLL2_TYPE = 0;
/** LINKTYPE_NULL and LINKTYPE_LOOP: an address family of four bytes. */
const NULL_BYTES = 4;
const FAMILY_MAX = 0xffff;

/** Where the network layer of a frame starts and what it is. Reused for every frame. */
export class LinkLayer {
  /** Offset in the view of the network layer. */
  offset = 0;
  etherType = 0;
  /** Outermost VLAN id, 0 for none. */
  vlanId = 0;
}

/** EtherType of an address family of LINKTYPE_NULL; the numbers differ between systems (FreeBSD 28, macOS 30, Linux 10, …). */
function etherTypeOfFamily(family: number): number {
  switch (family) {
    case 2:
      return EtherType.Ipv4;
    case 10:
    case 23:
    case 24:
    case 28:
    case 30:
      return EtherType.Ipv6;
    default:
      return 0xffff;
  }
}

/**
 * EtherType of a frame of LINKTYPE_NULL or LINKTYPE_LOOP. The family is in the byte order of the machine that captured, and a
 * small number in one of the two; where it is small in neither, the last two bytes are an EtherType (some drivers do that).
 */
function etherTypeOfNull(view: DataView, offset: number): number {
  const bigEndian = view.getUint32(offset);
  if (bigEndian <= FAMILY_MAX) return etherTypeOfFamily(bigEndian);
  const littleEndian = view.getUint32(offset, true);
  return littleEndian <= FAMILY_MAX ? etherTypeOfFamily(littleEndian) : view.getUint16(offset + 2);
}

/** EtherType of a bare IP packet by its version nibble. */
function etherTypeOfVersion(version: number): number {
  return version === 4 ? EtherType.Ipv4 : version === 6 ? EtherType.Ipv6 : 0xffff;
}

/**
 * Walks the link layer and its VLAN tags. `view` must hold the bytes from `offset` to `end`. Returns `Drop.None` and fills
 * `out`, or the reason why there is no network layer. Allocates nothing.
 */
export function readLink(view: DataView, offset: number, end: number, linkType: number, out: LinkLayer): Drop {
  const captured = end - offset;
  let etherType: number;
  let next: number;
  switch (linkType) {
    case LinkType.Ethernet:
      if (captured < ETHERNET_BYTES) return Drop.LinkTruncated;
      etherType = view.getUint16(offset + ETHERNET_TYPE);
      next = offset + ETHERNET_BYTES;
      break;
    case LinkType.LinuxSll:
      if (captured < SLL_BYTES) return Drop.LinkTruncated;
      etherType = view.getUint16(offset + SLL_TYPE);
      next = offset + SLL_BYTES;
      break;
    case LinkType.LinuxSll2:
      if (captured < SLL2_BYTES) return Drop.LinkTruncated;
      etherType = view.getUint16(offset + SLL2_TYPE);
      next = offset + SLL2_BYTES;
      break;
    case LinkType.Null:
    case LinkType.Loop: {
      if (captured < NULL_BYTES) return Drop.LinkTruncated;
      etherType = etherTypeOfNull(view, offset);
      next = offset + NULL_BYTES;
      break;
    }
    case LinkType.Raw:
    case LinkType.RawBsd:
    case LinkType.RawOpenBsd:
      if (captured < 1) return Drop.LinkTruncated;
      etherType = etherTypeOfVersion(view.getUint8(offset) >> 4);
      next = offset;
      break;
    case LinkType.Ipv4:
      etherType = EtherType.Ipv4;
      next = offset;
      break;
    case LinkType.Ipv6:
      etherType = EtherType.Ipv6;
      next = offset;
      break;
    default:
      return Drop.LinkTypeUnsupported;
  }
  let vlanId = 0;
  for (let layers = 0; isVlanTag(etherType); layers++) {
    if (layers === LAYERS_MAX) return Drop.LayersTooMany;
    if (end - next < VLAN_TAG_BYTES) return Drop.VlanTruncated;
    if (layers === 0) vlanId = vlanIdAt(view, next);
    etherType = vlanInnerTypeAt(view, next);
    next += VLAN_TAG_BYTES;
  }
  out.offset = next;
  out.etherType = etherType;
  out.vlanId = vlanId;
  return Drop.None;
}
