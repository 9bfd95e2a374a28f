/** Link types as pcap files number them (https://www.tcpdump.org/linktypes.html); those that the decoder knows. */
export const enum LinkType {
  Null = 0,
  Ethernet = 1,
  /** PPP, with or without address and control in front, or Cisco's own framing. */
  Ppp = 9,
  /** Raw IP as some systems' DLT_RAW is numbered in old files. */
  RawBsd = 12,
  RawOpenBsd = 14,
  /** PPP in HDLC-like framing, or Cisco's own framing. */
  PppHdlc = 50,
  /** PPPoE without the Ethernet header. */
  PppEther = 51,
  Raw = 101,
  CiscoHdlc = 104,
  Ieee80211 = 105,
  Loop = 108,
  LinuxSll = 113,
  /** Packet filter of OpenBSD, FreeBSD, pfSense, OPNsense. */
  PfLog = 117,
  Ieee80211Prism = 119,
  Ieee80211Radiotap = 127,
  Ieee80211Avs = 163,
  /** Per-packet information: the link type stands in the frame. */
  Ppi = 192,
  Ipv4 = 228,
  Ipv6 = 229,
  NfLog = 239,
  LinuxSll2 = 276,
}
