import { Drop } from '../ring/drop-reason.js';
import { EtherType } from './ether-type.js';
import type { LinkLayer } from './link-layer.js';

/** IEEE 802.2: destination and source access point, control; SNAP (IEEE 802 section 9.2) adds an organization and a type. */
const LLC_BYTES = 3;
const SNAP_ORGANIZATION = 3;
const SNAP_TYPE = 6;
const SNAP_BYTES = 8;

const enum AccessPoint {
  Ip = 0x06,
  SpanningTree = 0x42,
  Snap = 0xaa,
  Ipx = 0xe0,
  Osi = 0xfe,
  Global = 0xff,
}

const enum Organization {
  Ethernet = 0x000000,
  Cisco = 0x00000c,
  /** Bridges across which EtherTypes are translated (IEEE 802.1H). */
  Bridge = 0x0000f8,
}

/** Spanning tree per VLAN, as Cisco numbers it over SNAP. */
const CISCO_SPANNING_TREE = 0x010b;
/** Network layer protocol id of IS-IS, the first byte behind LLC (ISO/IEC TR 9577). */
const NLPID_ISIS = 0x83;

function readSnap(view: DataView, offset: number, end: number, out: LinkLayer): Drop {
  if (end - offset < SNAP_BYTES) return Drop.LinkTruncated;
  const type = view.getUint16(offset + SNAP_TYPE);
  switch (view.getUint32(offset + SNAP_ORGANIZATION) >>> 8) {
    case Organization.Ethernet:
    case Organization.Bridge:
      if (type < EtherType.Min) return Drop.Llc;
      out.etherType = type;
      out.offset = offset + SNAP_BYTES;
      return Drop.None;
    case Organization.Cisco:
      return type === CISCO_SPANNING_TREE ? Drop.Stp : Drop.Cdp;
    default:
      return Drop.Llc;
  }
}

/** Reads LLC and SNAP; what is neither SNAP nor IP ends here, by name. Allocates nothing. */
export function readLlc(view: DataView, end: number, out: LinkLayer): Drop {
  const offset = out.offset;
  if (end - offset < LLC_BYTES) return Drop.LinkTruncated;
  switch (view.getUint8(offset)) {
    case AccessPoint.Snap:
      return readSnap(view, offset, end, out);
    case AccessPoint.Ip:
      out.etherType = EtherType.Ipv4;
      out.offset = offset + LLC_BYTES;
      return Drop.None;
    case AccessPoint.SpanningTree:
      return Drop.Stp;
    case AccessPoint.Ipx:
      return Drop.Ipx;
    case AccessPoint.Global:
      // Novell's raw 802.3 has no LLC: these are the checksum of IPX, which is never used.
      return view.getUint8(offset + 1) === AccessPoint.Global ? Drop.Ipx : Drop.Llc;
    case AccessPoint.Osi:
      return end - offset > LLC_BYTES && view.getUint8(offset + LLC_BYTES) === NLPID_ISIS ? Drop.Isis : Drop.Llc;
    default:
      return Drop.Llc;
  }
}
