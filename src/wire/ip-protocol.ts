/** IP protocol numbers (IANA) that decide how a packet goes on. */
export const enum IpProtocol {
  HopByHop = 0,
  Icmp = 1,
  Tcp = 6,
  Udp = 17,
  Dccp = 33,
  Routing = 43,
  Fragment = 44,
  Icmpv6 = 58,
  NoNext = 59,
  DestinationOptions = 60,
  Sctp = 132,
  Mobility = 135,
  UdpLite = 136,
  Hip = 139,
  Shim6 = 140,
}
