import { LinkType } from '../wire/link-type.js';

/** Hardware types of Linux (linux/if_arp.h) that are handled by name. */
const enum HardwareType {
  Ethernet = 1,
  Loopback = 772,
  Ieee80211Radiotap = 803,
}

/** Wi-Fi in monitor mode; the decoder does not know it, and so says it by its number. */
export const LINK_TYPE_RADIOTAP = 127;

/**
 * Link type of what a packet socket delivers for an interface of this hardware type. Whatever has no Ethernet header (tunnels,
 * PPP, WireGuard, 6LoWPAN, …) is read without its link header, so that the frame starts at the IP header: some of these drivers
 * hand over a link header and some do not, and none of them says which.
 */
export function linkTypeOfHardware(hardwareType: number): number {
  switch (hardwareType) {
    case HardwareType.Ethernet:
    case HardwareType.Loopback:
      return LinkType.Ethernet;
    case HardwareType.Ieee80211Radiotap:
      return LINK_TYPE_RADIOTAP;
    default:
      return LinkType.Raw;
  }
}

/** Name of a link type that a live source delivers, for people. */
export function linkTypeName(linkType: number): string {
  switch (linkType) {
    case LinkType.Ethernet:
      return 'ethernet';
    case LinkType.Raw:
      return 'ip';
    case LINK_TYPE_RADIOTAP:
      return 'radiotap';
    default:
      return String(linkType);
  }
}
