import { Drop } from '../ring/drop-reason.js';
import { EtherType } from './ether-type.js';
import { readIeee80211 } from './ieee80211.js';
import type { LinkLayer } from './link-layer.js';
import { readPrism } from './prism.js';
import { readRadiotap } from './radiotap.js';

/** LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2: length, where the hardware type stands, and where the protocol. */
const SLL_BYTES = 16;
const SLL_HARDWARE = 2;
const SLL_PROTOCOL = 14;
const SLL2_BYTES = 20;
const SLL2_HARDWARE = 8;
const SLL2_PROTOCOL = 0;

/** Hardware types (linux/if_arp.h) under which the protocol is no EtherType. */
const enum Hardware {
  Ieee80211 = 801,
  Ieee80211Prism = 802,
  Ieee80211Radiotap = 803,
  Netlink = 824,
}

/** Protocols below the EtherTypes (linux/if_ether.h). */
const PROTOCOL_NOVELL = 1;
const PROTOCOL_LLC = 4;

function readCooked(view: DataView, end: number, hardware: number, protocol: number, out: LinkLayer): Drop {
  switch (hardware) {
    case Hardware.Ieee80211:
      return readIeee80211(view, end, false, out);
    case Hardware.Ieee80211Prism:
      return readPrism(view, end, out);
    case Hardware.Ieee80211Radiotap:
      return readRadiotap(view, end, out);
    case Hardware.Netlink:
      return Drop.NotIp;
  }
  if (protocol === PROTOCOL_NOVELL) return Drop.Ipx;
  if (protocol < EtherType.Min && protocol !== PROTOCOL_LLC) return Drop.NotIp;
  out.etherType = protocol;
  return Drop.None;
}

/** Reads the header of a Linux cooked capture, version 1. Allocates nothing. */
export function readCooked1(view: DataView, end: number, out: LinkLayer): Drop {
  const offset = out.offset;
  if (end - offset < SLL_BYTES) return Drop.LinkTruncated;
  out.offset = offset + SLL_BYTES;
  return readCooked(view, end, view.getUint16(offset + SLL_HARDWARE), view.getUint16(offset + SLL_PROTOCOL), out);
}

/** Reads the header of a Linux cooked capture, version 2. Allocates nothing. */
export function readCooked2(view: DataView, end: number, out: LinkLayer): Drop {
  const offset = out.offset;
  if (end - offset < SLL2_BYTES) return Drop.LinkTruncated;
  out.offset = offset + SLL2_BYTES;
  return readCooked(view, end, view.getUint16(offset + SLL2_HARDWARE), view.getUint16(offset + SLL2_PROTOCOL), out);
}
