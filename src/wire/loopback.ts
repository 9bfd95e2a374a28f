import { Drop } from '../ring/drop-reason.js';
import { EtherType } from './ether-type.js';
import type { LinkLayer } from './link-layer.js';

/** LINKTYPE_NULL and LINKTYPE_LOOP: an address family of four bytes. */
const HEADER_BYTES = 4;
const FAMILY_MAX = 0xffff;

/** EtherType of an address family; the numbers differ between systems (FreeBSD 28, macOS 30, Linux 10, …). */
export function etherTypeOfFamily(family: number): number {
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
      return EtherType.None;
  }
}

/**
 * Reads the header of a loopback frame. The family is in the byte order of the machine that captured, and a small number in one
 * of the two; where it is small in neither, the last two bytes are an EtherType (some drivers do that). Allocates nothing.
 */
export function readLoopback(view: DataView, end: number, out: LinkLayer): Drop {
  const offset = out.offset;
  if (end - offset < HEADER_BYTES) return Drop.LinkTruncated;
  out.offset = offset + HEADER_BYTES;
  const bigEndian = view.getUint32(offset);
  const littleEndian = view.getUint32(offset, true);
  if (bigEndian <= FAMILY_MAX) out.etherType = etherTypeOfFamily(bigEndian);
  else if (littleEndian <= FAMILY_MAX) out.etherType = etherTypeOfFamily(littleEndian);
  else out.etherType = view.getUint16(offset + 2);
  return Drop.None;
}
