/** What a flow was carried in, outermost tunnel; it stands in the flow record and in the database. Numbers are only added to. */
export const enum TunnelType {
  None = 0,
  /** Label switching; the id is the topmost label. It has no addresses, unless it lies in IP. */
  Mpls = 1,
  /** The id is the key, where there is one. */
  Gre = 2,
  /** The id is the session. */
  Erspan = 3,
  /** PPP in GRE version 1; the id is the call. */
  Pptp = 4,
  Eoip = 5,
  /** IPv4 in IPv4. */
  IpInIp = 6,
  SixInFour = 7,
  FourInSix = 8,
  SixInSix = 9,
  /** The id is the network (VNI), as for the next two. */
  Vxlan = 10,
  VxlanGpe = 11,
  Geneve = 12,
  /** The id is the endpoint (TEID). */
  GtpU = 13,
  Teredo = 14,
  /** IP behind an authentication header; the id is the security association (SPI). */
  Ah = 15,
  EtherIp = 16,
  /** The id is the tunnel in the upper, the session in the lower 16 bits. */
  L2tp = 17,
  /** Ethernet right behind IP (RFC 8986), as segment routing has it. */
  EthernetInIp = 18,
  Ayiya = 19,
  Capwap = 20,
  Count = 21,
}

/** Names of `TunnelType`, in its order. */
export const TUNNEL_TYPES = [
  '',
  'mpls',
  'gre',
  'erspan',
  'pptp',
  'eoip',
  'ipip',
  '6in4',
  '4in6',
  '6in6',
  'vxlan',
  'vxlan_gpe',
  'geneve',
  'gtp_u',
  'teredo',
  'ah',
  'etherip',
  'l2tp',
  'ethernet_in_ip',
  'ayiya',
  'capwap',
] as const;

if (TUNNEL_TYPES.length !== TunnelType.Count) throw new Error('tunnel types: names and numbers differ');
