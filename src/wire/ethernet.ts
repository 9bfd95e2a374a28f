import { Drop } from '../ring/drop-reason.js';
import type { LinkLayer } from './link-layer.js';

/** Ethernet II header: destination, source, EtherType (IEEE 802.3 section 3.1.1). */
export const enum EthernetHeader {
  Type = 12,
  Bytes = 14,
}

/** Reads an Ethernet header that stands inside another layer. Allocates nothing. */
export function readEthernet(view: DataView, end: number, out: LinkLayer): Drop {
  const offset = out.offset;
  if (end - offset < EthernetHeader.Bytes) return Drop.LinkTruncated;
  out.etherType = view.getUint16(offset + EthernetHeader.Type);
  out.offset = offset + EthernetHeader.Bytes;
  return Drop.None;
}
