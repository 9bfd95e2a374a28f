/** Link types as pcap files number them (https://www.tcpdump.org/linktypes.html); those that the decoder knows. */
export const enum LinkType {
  Null = 0,
  Ethernet = 1,
  /** Raw IP as some systems' DLT_RAW is numbered in old files. */
  RawBsd = 12,
  RawOpenBsd = 14,
  Raw = 101,
  Loop = 108,
  LinuxSll = 113,
  Ipv4 = 228,
  Ipv6 = 229,
  LinuxSll2 = 276,
}
