import { Drop } from '../ring/drop-reason.js';

/** EtherTypes (IEEE 802 numbers, as IANA lists them) that decide how a frame goes on. */
export const enum EtherType {
  Ipv4 = 0x0800,
  Arp = 0x0806,
  Vlan = 0x8100,
  Ipv6 = 0x86dd,
  MplsUnicast = 0x8847,
  MplsMulticast = 0x8848,
  PppoeDiscovery = 0x8863,
  PppoeSession = 0x8864,
  Eapol = 0x888e,
  ServiceVlan = 0x88a8,
  Lldp = 0x88cc,
  /** Stacked VLAN tags as vendors wrote them before 802.1ad. */
  OldServiceVlan = 0x9100,
  /** Below this the field is a length (IEEE 802.3 section 3.2.6). */
  Min = 0x0600,
}

/** Names the reason why a frame of this EtherType ends without a flow. */
export function dropOfEtherType(etherType: number): Drop {
  switch (etherType) {
    case EtherType.Arp:
      return Drop.Arp;
    case EtherType.Lldp:
      return Drop.Lldp;
    case EtherType.Eapol:
      return Drop.Eapol;
    case EtherType.MplsUnicast:
    case EtherType.MplsMulticast:
      return Drop.Mpls;
    case EtherType.PppoeDiscovery:
    case EtherType.PppoeSession:
      return Drop.Pppoe;
    default:
      return etherType < EtherType.Min ? Drop.Llc : Drop.NotIp;
  }
}
