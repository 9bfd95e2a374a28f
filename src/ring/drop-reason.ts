/**
 * Why a frame ended without a flow. Names are what operators read in `/health`, the ledger and `--json`; they never change
 * their meaning. A drop is counted in the block of the thread that decided it.
 */
export const enum Drop {
  None = 0,
  /** The ring of the parse worker was full (live capture only). */
  RingFull = 1,
  /** The parse worker died with this packet in hand. */
  WorkerCrash = 2,
  LinkTypeUnsupported = 3,
  LinkTruncated = 4,
  VlanTruncated = 5,
  /** More layers than the decoder follows. */
  LayersTooMany = 6,
  /** IEEE 802.3 frame with a length instead of an EtherType: STP, LLDP over SNAP, IPX, … */
  Llc = 7,
  Arp = 8,
  Lldp = 9,
  Eapol = 10,
  Mpls = 11,
  Pppoe = 12,
  /** Any other EtherType or address family. */
  NotIp = 13,
  Ipv4Truncated = 14,
  /** Version nibble is not 4. */
  Ipv4Version = 15,
  /** Header length below 20 bytes, or more than the total length says. */
  Ipv4HeaderLength = 16,
  Ipv6Truncated = 17,
  Ipv6Version = 18,
  Count = 19,
}

/** Names of `Drop`, in its order. */
export const DROP_REASONS = [
  '',
  'ring_full',
  'worker_crash',
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
] as const;

if (DROP_REASONS.length !== Drop.Count) throw new Error('drop reasons: names and numbers differ');
