import { Drop } from '../ring/drop-reason.js';

/** EtherTypes (IEEE 802 numbers, as IANA lists them) that decide how a frame goes on. */
export const enum EtherType {
  /** No EtherType: what follows is known to be none of them. */
  None = 0xffff,
  Ipv4 = 0x0800,
  Arp = 0x0806,
  WakeOnLan = 0x0842,
  /** An Ethernet frame without its check sequence (RFC 1701, "Transparent Ethernet Bridging"). */
  Ethernet = 0x6558,
  Rarp = 0x8035,
  Vlan = 0x8100,
  Ipx = 0x8137,
  Ipv6 = 0x86dd,
  SlowProtocol = 0x8809,
  Ppp = 0x880b,
  MplsUnicast = 0x8847,
  MplsMulticast = 0x8848,
  PppoeDiscovery = 0x8863,
  PppoeSession = 0x8864,
  HomeplugOne = 0x887b,
  Eapol = 0x888e,
  ServiceVlan = 0x88a8,
  Lldp = 0x88cc,
  HomeplugAv = 0x88e1,
  Macsec = 0x88e5,
  /** Provider backbone bridging (IEEE 802.1ah). */
  BackboneService = 0x88e7,
  Ptp = 0x88f7,
  FabricPath = 0x8903,
  CiscoMetadata = 0x8909,
  HomeplugPhy = 0x8912,
  VnTag = 0x8926,
  /** High-availability seamless redundancy (IEC 62439-3). */
  Hsr = 0x892f,
  Ieee1905 = 0x893a,
  ServiceHeader = 0x894f,
  LoopTest = 0x9000,
  /** Stacked VLAN tags as vendors wrote them before 802.1ad. */
  OldServiceVlan = 0x9100,
  /** No EtherTypes, which have 16 bits: a frame of 802.11 without its check sequence, and one whose fields of two bytes are turned. */
  Ieee80211 = 0x1_0000,
  Ieee80211Turned = 0x1_0001,
  /** Below this the field is a length (IEEE 802.3 section 3.2.6). */
  Min = 0x0600,
}

/** Names the reason why a frame of this EtherType ends without a flow. */
export function dropOfEtherType(etherType: number): Drop {
  switch (etherType) {
    case EtherType.Arp:
      return Drop.Arp;
    case EtherType.Rarp:
      return Drop.Rarp;
    case EtherType.Lldp:
      return Drop.Lldp;
    case EtherType.Eapol:
      return Drop.Eapol;
    case EtherType.PppoeDiscovery:
      return Drop.Pppoe;
    case EtherType.SlowProtocol:
      return Drop.SlowProtocol;
    case EtherType.LoopTest:
      return Drop.LoopTest;
    case EtherType.Macsec:
      return Drop.Macsec;
    case EtherType.Ptp:
      return Drop.Ptp;
    case EtherType.WakeOnLan:
      return Drop.WakeOnLan;
    case EtherType.HomeplugOne:
    case EtherType.HomeplugAv:
    case EtherType.HomeplugPhy:
      return Drop.Homeplug;
    case EtherType.Ieee1905:
      return Drop.Ieee1905;
    case EtherType.Ipx:
      return Drop.Ipx;
    default:
      return Drop.NotIp;
  }
}

/** EtherType of a bare IP packet by its first byte. */
export function etherTypeOfIp(firstByte: number): number {
  const version = firstByte >> 4;
  return version === 4 ? EtherType.Ipv4 : version === 6 ? EtherType.Ipv6 : EtherType.None;
}
