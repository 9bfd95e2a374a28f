import { Drop } from '../ring/drop-reason.js';
import { TunnelType } from '../ring/tunnel-type.js';
import { readCooked1, readCooked2 } from './cooked.js';
import { EtherType, etherTypeOfIp } from './ether-type.js';
import { EthernetHeader } from './ethernet.js';
import { readIeee80211 } from './ieee80211.js';
import type { LinkLayer } from './link-layer.js';
import { LinkType } from './link-type.js';
import { readLoopback } from './loopback.js';
import { readNfLog } from './nflog.js';
import { readPfLog } from './pflog.js';
import { PPI_TRUNCATED, readPpi } from './ppi.js';
import { readCiscoHdlc } from './ppp.js';
import { readPrism } from './prism.js';
import { readRadiotap } from './radiotap.js';
import { walkLayers } from './walk-layers.js';

/** The layer that a link type announces by itself, as an EtherType; `EtherType.None` for all others. */
function etherTypeOfLink(linkType: number): number {
  switch (linkType) {
    case LinkType.Ethernet:
      return EtherType.Ethernet;
    case LinkType.PppEther:
      return EtherType.PppoeSession;
    case LinkType.Ipv4:
      return EtherType.Ipv4;
    case LinkType.Ipv6:
      return EtherType.Ipv6;
    default:
      return EtherType.None;
  }
}

/** Reads the link header, for all link types that have one of their own. */
function readLinkHeader(view: DataView, end: number, linkType: number, out: LinkLayer): Drop {
  switch (linkType) {
    case LinkType.LinuxSll:
      return readCooked1(view, end, out);
    case LinkType.LinuxSll2:
      return readCooked2(view, end, out);
    case LinkType.Null:
    case LinkType.Loop:
      return readLoopback(view, end, out);
    case LinkType.Raw:
    case LinkType.RawBsd:
    case LinkType.RawOpenBsd:
      if (end - out.offset < 1) return Drop.LinkTruncated;
      out.etherType = etherTypeOfIp(view.getUint8(out.offset));
      return Drop.None;
    case LinkType.Ppp:
    case LinkType.PppHdlc:
    case LinkType.CiscoHdlc:
      return readCiscoHdlc(view, end, out);
    case LinkType.Ieee80211:
      return readIeee80211(view, end, false, out);
    case LinkType.Ieee80211Radiotap:
      return readRadiotap(view, end, out);
    case LinkType.Ieee80211Prism:
    case LinkType.Ieee80211Avs:
      return readPrism(view, end, out);
    case LinkType.NfLog:
      return readNfLog(view, end, out);
    case LinkType.PfLog:
      return readPfLog(view, end, out);
    default:
      return Drop.LinkTypeUnsupported;
  }
}

/** Any link type but plain Ethernet. */
function readOtherLink(view: DataView, end: number, linkType: number, out: LinkLayer): Drop {
  let inner = linkType;
  if (linkType === LinkType.Ppi) {
    inner = readPpi(view, end, out);
    if (inner === PPI_TRUNCATED) return Drop.LinkTruncated;
  }
  out.etherType = etherTypeOfLink(inner);
  const drop = out.etherType === EtherType.None ? readLinkHeader(view, end, inner, out) : Drop.None;
  return drop === Drop.None ? walkLayers(view, end, out) : drop;
}

/**
 * EtherType of a frame that is nothing but Ethernet and IP, 0 for all others: what nearly every frame is costs no walk. IP then
 * starts behind `EthernetHeader.Bytes`.
 */
export function etherTypeOfPlain(view: DataView, offset: number, end: number, linkType: number): number {
  if (linkType !== LinkType.Ethernet || end - offset < EthernetHeader.Bytes) return 0;
  const etherType = view.getUint16(offset + EthernetHeader.Type);
  return etherType === EtherType.Ipv4 || etherType === EtherType.Ipv6 ? etherType : 0;
}

/**
 * Walks from the start of a frame to its first network layer. `view` must hold the bytes from `offset` to `end`. Returns
 * `Drop.None` and fills `out`, or the reason why there is no network layer. Allocates nothing.
 */
export function readLink(view: DataView, offset: number, end: number, linkType: number, out: LinkLayer): Drop {
  out.vlanId = 0;
  out.layers = 0;
  out.tunnelType = TunnelType.None;
  if (linkType !== LinkType.Ethernet) {
    out.offset = offset;
    return readOtherLink(view, end, linkType, out);
  }
  if (end - offset < EthernetHeader.Bytes) return Drop.LinkTruncated;
  out.offset = offset + EthernetHeader.Bytes;
  out.etherType = view.getUint16(offset + EthernetHeader.Type);
  return walkLayers(view, end, out);
}
