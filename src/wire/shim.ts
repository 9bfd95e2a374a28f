import { Drop } from '../ring/drop-reason.js';
import { EtherType } from './ether-type.js';
import type { LinkLayer } from './link-layer.js';

/** Tags whose length does not vary, behind their EtherType; an EtherType ends the first three, an Ethernet frame follows the others. */
const CISCO_METADATA_BYTES = 8;
const VN_TAG_BYTES = 6;
const HSR_BYTES = 6;
const BACKBONE_SERVICE_BYTES = 4;
const FABRIC_PATH_BYTES = 2;

/** Network service header (RFC 8300 section 2.2): its length in words of four bytes, and what follows it. */
const SERVICE_HEADER_BYTES_MIN = 8;
const SERVICE_LENGTH = 1;
const SERVICE_LENGTH_MASK = 0x3f;
const SERVICE_NEXT = 3;

function readTyped(view: DataView, end: number, bytes: number, out: LinkLayer): Drop {
  const next = out.offset + bytes;
  if (next > end) return Drop.LinkTruncated;
  out.etherType = view.getUint16(next - 2);
  out.offset = next;
  return Drop.None;
}

function readUntyped(end: number, bytes: number, out: LinkLayer): Drop {
  if (out.offset + bytes > end) return Drop.LinkTruncated;
  out.etherType = EtherType.Ethernet;
  out.offset += bytes;
  return Drop.None;
}

/** EtherType of a "next protocol", as the service header and VXLAN-GPE number them. */
export function etherTypeOfNextProtocol(next: number): number {
  switch (next) {
    case 1:
      return EtherType.Ipv4;
    case 2:
      return EtherType.Ipv6;
    case 3:
      return EtherType.Ethernet;
    case 4:
      return EtherType.ServiceHeader;
    case 5:
      return EtherType.MplsUnicast;
    default:
      return EtherType.None;
  }
}

function readServiceHeader(view: DataView, end: number, out: LinkLayer): Drop {
  const offset = out.offset;
  if (end - offset < SERVICE_HEADER_BYTES_MIN) return Drop.LinkTruncated;
  const bytes = (view.getUint8(offset + SERVICE_LENGTH) & SERVICE_LENGTH_MASK) << 2;
  if (bytes < SERVICE_HEADER_BYTES_MIN) return Drop.NotIp;
  if (end - offset < bytes) return Drop.LinkTruncated;
  out.etherType = etherTypeOfNextProtocol(view.getUint8(offset + SERVICE_NEXT));
  out.offset = offset + bytes;
  return Drop.None;
}

/** Reads the tag that `out.etherType` names, one of those that this file knows. Allocates nothing. */
export function readShim(view: DataView, end: number, out: LinkLayer): Drop {
  switch (out.etherType) {
    case EtherType.CiscoMetadata:
      return readTyped(view, end, CISCO_METADATA_BYTES, out);
    case EtherType.VnTag:
      return readTyped(view, end, VN_TAG_BYTES, out);
    case EtherType.Hsr:
      return readTyped(view, end, HSR_BYTES, out);
    case EtherType.BackboneService:
      return readUntyped(end, BACKBONE_SERVICE_BYTES, out);
    case EtherType.FabricPath:
      return readUntyped(end, FABRIC_PATH_BYTES, out);
    default:
      return readServiceHeader(view, end, out);
  }
}
