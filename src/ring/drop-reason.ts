/**
 * Why a frame ended without a flow. Names are what operators read in `/health`, the ledger and `--json`; they never change
 * their meaning, and the list is closed: what has no name of its own is `not_ip` or `llc`. A drop is counted in the block of the
 * thread that decided it.
 */
export const enum Drop {
  None = 0,
  /** The ring of the parse worker was full (live capture only). */
  RingFull = 1,
  /** The parse worker died with this packet in hand. */
  WorkerCrash = 2,
  /** The capture thread died before it published the frame. */
  CaptureCrash = 3,
  LinkTypeUnsupported = 4,
  LinkTruncated = 5,
  VlanTruncated = 6,
  /** More layers than the decoder follows. */
  LayersTooMany = 7,
  /** IEEE 802.2 with a protocol that has no reason of its own. */
  Llc = 8,
  Arp = 9,
  Lldp = 10,
  Eapol = 11,
  /** A label stack that is cut off, or under which there is no IP. */
  Mpls = 12,
  /** PPPoE discovery, or a session header that is none. */
  Pppoe = 13,
  /** Any other EtherType or address family. */
  NotIp = 14,
  Ipv4Truncated = 15,
  /** Version nibble is not 4. */
  Ipv4Version = 16,
  /** Header length below 20 bytes, or more than the total length says. */
  Ipv4HeaderLength = 17,
  Ipv6Truncated = 18,
  Ipv6Version = 19,
  Rarp = 20,
  /** Spanning tree, of any vendor. */
  Stp = 21,
  /** Discovery protocols of Cisco over SNAP: CDP, VTP, DTP, UDLD, … */
  Cdp = 22,
  /** IEEE 802.3 slow protocols: LACP, marker, OAM. */
  SlowProtocol = 23,
  /** Ethernet configuration testing, with which switches look for loops. */
  LoopTest = 24,
  Macsec = 25,
  Ptp = 26,
  WakeOnLan = 27,
  /** Power-line adapters. */
  Homeplug = 28,
  /** IEEE 1905.1, which home meshes speak. */
  Ieee1905 = 29,
  Ipx = 30,
  Isis = 31,
  /** PPP that carries no IP: control protocols, compressed or encrypted payload. */
  Ppp = 32,
  /** IEEE 802.11: beacons, probes, association, … */
  WlanManagement = 33,
  /** IEEE 802.11: acknowledgements, clear to send, … */
  WlanControl = 34,
  /** IEEE 802.11 data frames without data. */
  WlanNoData = 35,
  /** IEEE 802.11 data frames that are encrypted. */
  WlanProtected = 36,
  /** IEEE 802.11 fragments behind the first: what they carry began in another frame. */
  WlanFragment = 37,
  /** A connection with our own API. */
  OwnTraffic = 38,
  Count = 39,
}

/** Names of `Drop`, in its order. */
export const DROP_REASONS = [
  '',
  'ring_full',
  'worker_crash',
  'capture_crash',
  'link_type_unsupported',
  'link_truncated',
  'vlan_truncated',
  'layers_too_many',
  'llc',
  'arp',
  'lldp',
  'eapol',
  'mpls',
  'pppoe',
  'not_ip',
  'ipv4_truncated',
  'ipv4_version',
  'ipv4_header_length',
  'ipv6_truncated',
  'ipv6_version',
  'rarp',
  'stp',
  'cdp',
  'slow_protocol',
  'loop_test',
  'macsec',
  'ptp',
  'wake_on_lan',
  'homeplug',
  'ieee1905',
  'ipx',
  'isis',
  'ppp',
  'wlan_management',
  'wlan_control',
  'wlan_no_data',
  'wlan_protected',
  'wlan_fragment',
  'own_traffic',
] as const;

if (DROP_REASONS.length !== Drop.Count) throw new Error('drop reasons: names and numbers differ');
