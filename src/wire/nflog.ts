import { Drop } from '../ring/drop-reason.js';
import { EtherType } from './ether-type.js';
import type { LinkLayer } from './link-layer.js';
import { etherTypeOfFamily } from './loopback.js';

/** LINKTYPE_NFLOG: address family, version, resource; then attributes, each with its length and type in front. */
const HEADER_BYTES = 4;
const VERSION = 1;
const ATTRIBUTE_BYTES = 4;
const ATTRIBUTE_TYPE = 2;

/** Attribute types (linux/netfilter/nfnetlink_log.h). */
const enum Attribute {
  /** Begins with the EtherType. */
  PacketHeader = 1,
  Payload = 9,
}

/** Types are small and lengths are not zero, so the wrong byte order shows in the first attribute. */
const TYPE_MAX = 0xff;

/**
 * Finds the packet among the attributes of a frame that the kernel's packet filter has logged. They are in the byte order of the
 * machine that captured. Allocates nothing.
 */
export function readNfLog(view: DataView, end: number, out: LinkLayer): Drop {
  let offset = out.offset;
  if (end - offset < HEADER_BYTES + ATTRIBUTE_BYTES) return Drop.LinkTruncated;
  if (view.getUint8(offset + VERSION) !== 0) return Drop.NotIp;
  let etherType = etherTypeOfFamily(view.getUint8(offset));
  offset += HEADER_BYTES;
  const isLittleEndian = view.getUint16(offset + ATTRIBUTE_TYPE, true) <= TYPE_MAX;
  while (end - offset >= ATTRIBUTE_BYTES) {
    const bytes = view.getUint16(offset, isLittleEndian);
    if (bytes < ATTRIBUTE_BYTES) return Drop.NotIp;
    const type = view.getUint16(offset + ATTRIBUTE_TYPE, isLittleEndian);
    if (type === Attribute.Payload) {
      out.etherType = etherType;
      out.offset = offset + ATTRIBUTE_BYTES;
      return Drop.None;
    }
    const hasType = type === Attribute.PacketHeader && etherType === EtherType.None && end - offset >= ATTRIBUTE_BYTES + 2;
    if (hasType) etherType = Math.max(view.getUint16(offset + ATTRIBUTE_BYTES), EtherType.Min);
    offset += (bytes + 3) & ~3;
  }
  return Drop.LinkTruncated;
}
