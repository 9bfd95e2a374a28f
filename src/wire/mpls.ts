import { Drop } from '../ring/drop-reason.js';
import { TunnelType } from '../ring/tunnel-type.js';
import { EtherType, etherTypeOfIp } from './ether-type.js';
import { EthernetHeader } from './ethernet.js';
import { LAYERS_MAX, type LinkLayer } from './link-layer.js';

/** An entry of the label stack (RFC 3032 section 2.1): label, traffic class, bottom of stack, time to live. */
const ENTRY_BYTES = 4;
const LABEL_SHIFT = 12;
const BOTTOM = 0x100;
/** The control word of a pseudowire begins with four zero bits, so that it is not taken for IP (RFC 4385 section 3). */
const CONTROL_WORD_BYTES = 4;

/** Whether the bytes at `offset` can be an Ethernet header that leads to IP. */
function isEthernetAt(view: DataView, offset: number, end: number): boolean {
  if (end - offset <= EthernetHeader.Bytes) return false;
  const etherType = view.getUint16(offset + EthernetHeader.Type);
  switch (etherType) {
    case EtherType.Ipv4:
    case EtherType.Ipv6:
      return etherTypeOfIp(view.getUint8(offset + EthernetHeader.Bytes)) === etherType;
    case EtherType.Vlan:
    case EtherType.ServiceVlan:
    case EtherType.OldServiceVlan:
    case EtherType.MplsUnicast:
    case EtherType.PppoeSession:
      return true;
    default:
      return false;
  }
}

/**
 * Reads a label stack. Nothing in it says what it carries (RFC 3032 section 2.2), so the version nibble below it does; what is
 * no IP may be Ethernet, with or without a control word. An Ethernet address that begins with 4 or 6 looks like IP, as it does
 * to every router (RFC 4928). Each entry is a layer. Allocates nothing.
 */
export function readMpls(view: DataView, end: number, out: LinkLayer): Drop {
  let offset = out.offset;
  let entry = 0;
  for (let entries = 0; (entry & BOTTOM) === 0; entries++) {
    if (end - offset < ENTRY_BYTES) return Drop.Mpls;
    if (entries > 0 && out.layers++ === LAYERS_MAX) return Drop.LayersTooMany;
    entry = view.getInt32(offset);
    offset += ENTRY_BYTES;
    if (out.tunnelType === TunnelType.None) {
      out.tunnelType = TunnelType.Mpls;
      out.tunnelId = entry >>> LABEL_SHIFT;
      out.hasTunnelId = 1;
    }
  }
  if (end === offset) return Drop.Mpls;
  const first = view.getUint8(offset);
  out.etherType = etherTypeOfIp(first);
  out.offset = offset;
  if (out.etherType !== EtherType.None) return Drop.None;
  out.etherType = EtherType.Ethernet;
  // An address may begin with four zero bits too. Without the word comes first: a VLAN tag looks like one with it, not vice versa.
  if (isEthernetAt(view, offset, end)) return Drop.None;
  if (first >> 4 !== 0 || !isEthernetAt(view, offset + CONTROL_WORD_BYTES, end)) return Drop.Mpls;
  out.offset = offset + CONTROL_WORD_BYTES;
  return Drop.None;
}
