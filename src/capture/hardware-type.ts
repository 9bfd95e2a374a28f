import { LinkType } from '../wire/link-type.js';

/** Hardware types of Linux (linux/if_arp.h) that are handled by name. */
const enum HardwareType {
  Ethernet = 1,
  Loopback = 772,
  Ieee80211 = 801,
  Ieee80211Prism = 802,
  Ieee80211Radiotap = 803,
}

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
    case HardwareType.Ieee80211:
      return LinkType.Ieee80211;
    case HardwareType.Ieee80211Prism:
      return LinkType.Ieee80211Prism;
    case HardwareType.Ieee80211Radiotap:
      return LinkType.Ieee80211Radiotap;
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
    case LinkType.Ieee80211:
      return '802.11';
    case LinkType.Ieee80211Prism:
      return 'prism';
    case LinkType.Ieee80211Radiotap:
      return 'radiotap';
    default:
      return String(linkType);
  }
}
