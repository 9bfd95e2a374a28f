/**
 * Records of what was learnt besides flows, as they lie in the ring to the writer. Words from the payload's start; a name that ends in
 * `F64` is an index of 64-bit words.
 */

/** One DNS transaction, the payload of a `RecordKind.Dns`: words from its start, `...F64` in 64-bit words. */
export const enum Dns {
  /** Table clock at the emission. */
  EmittedUsF64 = 0,
  /** Packet time of the query, or of the answer where no query was seen; µs since 1970. */
  SeenUsF64 = 1,
  /** From the query to the answer; -1 where one of them was not seen. */
  LatencyUs = 4,
  /** Query type (RFC 1035 section 3.2.2); that of NetBIOS names is 32. */
  Type = 5,
  /** A `DnsTransport`. */
  Transport = 6,
  /** Response code, with the upper bits of EDNS (RFC 6891 section 6.1.3); -1 without an answer. */
  Code = 7,
  /** Records in the answer section, as its header tells. */
  AnswerCount = 8,
  /** Smallest time to live among the addresses in the answer, s; 0 if there is none. */
  TtlS = 9,
  /** 4 or 6. */
  IpVersion = 10,
  /** Client's port in the upper, server's in the lower 16 bits. */
  Ports = 11,
  /** Addresses as in a slot. */
  Client = 12,
  Server = 16,
  InterfaceIndex = 20,
  /** Length of the query's name, escaped ASCII, at `HeaderBytes`. */
  NameBytes = 21,
  /** Length of the answers behind the name: each a type byte (1 A, 28 AAAA, other: name), a length byte, and so many bytes: the
   * address as on the wire, or a name as escaped ASCII. */
  AnswerBytes = 22,
  HeaderBytes = 96,
  NameBytesMax = 253,
  /** Answers that do not fit are left out, whole. */
  AnswerBytesMax = 1024,
  RecordBytesMax = 1376,
}

/** How a DNS message came. The names are in `DNS_TRANSPORTS`. */
export const enum DnsTransport {
  Udp = 0,
  Tcp = 1,
  Mdns = 2,
  Llmnr = 3,
  Netbios = 4,
}

/** Names of `DnsTransport`, in its order. */
export const DNS_TRANSPORTS = ['udp', 'tcp', 'mdns', 'llmnr', 'netbios'] as const;

/** A device that was seen, the payload of a `RecordKind.Device`: words from its start, `...F64` in 64-bit words. */
export const enum Device {
  /** Table clock at the emission. */
  EmittedUsF64 = 0,
  /** Packet time, µs since 1970. */
  SeenUsF64 = 1,
  /** A `DeviceSource`. */
  Source = 4,
  /** Hardware address: the upper 16 bits, then the lower 32 as a signed word. Both 0 where it is not known. */
  MacHigh = 5,
  MacLow = 6,
  /** 4 or 6, or 0 where the address is not known. */
  IpVersion = 7,
  Address = 8,
  InterfaceIndex = 12,
  /** Length of the name, escaped ASCII, at `HeaderBytes`; 0 for none. */
  NameBytes = 13,
  HeaderBytes = 56,
  NameBytesMax = 253,
}

/** Where a device was seen. The names are in `DEVICE_SOURCES`. */
export const enum DeviceSource {
  Arp = 0,
  Ndp = 1,
  Dhcp = 2,
  Dhcpv6 = 3,
  Mdns = 4,
  Llmnr = 5,
  Netbios = 6,
}

/** Names of `DeviceSource`, in its order. */
export const DEVICE_SOURCES = ['arp', 'ndp', 'dhcp', 'dhcpv6', 'mdns', 'llmnr', 'netbios'] as const;

if (Dns.HeaderBytes < (Dns.AnswerBytes + 1) * 4 || Dns.RecordBytesMax < Dns.HeaderBytes + Dns.NameBytesMax + Dns.AnswerBytesMax)
  throw new Error('DNS record: fields overlap');
if (Device.HeaderBytes < (Device.NameBytes + 1) * 4) throw new Error('device record: fields overlap');
