/** Types of records that are looked into (IANA, resource record types). */
export const enum DnsType {
  A = 1,
  Ns = 2,
  Cname = 5,
  Soa = 6,
  Ptr = 12,
  Mx = 15,
  Txt = 16,
  Aaaa = 28,
  /** NetBIOS name (RFC 1002 section 4.2.1.3). */
  Nb = 32,
  Srv = 33,
  /** RFC 6891. */
  Opt = 41,
}

/** The class of the Internet, and the bit above it that multicast DNS uses for something else (RFC 6762 sections 5.4 and 10.2). */
export const enum DnsClass {
  Internet = 1,
  Mask = 0x7fff,
}

/** Operation codes (IANA, DNS OpCodes; RFC 1002 section 4.2.1.1 for names of NetBIOS). */
export const enum DnsOpcode {
  Query = 0,
  Update = 5,
  NetbiosRegistration = 5,
  NetbiosRefresh = 8,
  /** The same, as some implementations have it: RFC 1002 gives both numbers. */
  NetbiosRefreshOther = 9,
  NetbiosMultiHomedRegistration = 15,
}
