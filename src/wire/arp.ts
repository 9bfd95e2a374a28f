/** ARP for IPv4 over Ethernet (RFC 826): offsets of its fields, and their only values that are read. */
export const enum ArpPacket {
  HardwareType = 0,
  ProtocolType = 2,
  HardwareLength = 4,
  ProtocolLength = 5,
  Operation = 6,
  SenderMac = 8,
  SenderAddress = 14,
  TargetMac = 18,
  TargetAddress = 24,
  Bytes = 28,
  /** Ethernet; the numbers of ARP's hardware types are those of DHCP too (IANA). */
  Ethernet = 1,
  MacBytes = 6,
  Ipv4Bytes = 4,
  Request = 1,
  Reply = 2,
}
