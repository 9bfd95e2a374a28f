import { Drop } from '../ring/drop-reason.js';
import type { LinkLayer } from './link-layer.js';

/** A tag behind its EtherType (IEEE 802.1Q section 9.6): priority and id, then the EtherType of what follows. */
const TAG_BYTES = 4;
const INNER_TYPE = 2;
const ID_MASK = 0x0fff;

/** Reads a VLAN tag; the outermost id with a number is kept, as 0 only gives a priority. Allocates nothing. */
export function readVlan(view: DataView, end: number, out: LinkLayer): Drop {
  const offset = out.offset;
  if (end - offset < TAG_BYTES) return Drop.VlanTruncated;
  if (out.vlanId === 0) out.vlanId = view.getUint16(offset) & ID_MASK;
  out.etherType = view.getUint16(offset + INNER_TYPE);
  out.offset = offset + TAG_BYTES;
  return Drop.None;
}
