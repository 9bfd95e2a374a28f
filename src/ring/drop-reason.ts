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
  /** The capture thread died before it published the frame. */
  CaptureCrash = 3,
  LinkTypeUnsupported = 4,
  LinkTruncated = 5,
  VlanTruncated = 6,
  /** More layers than the decoder follows. */
  LayersTooMany = 7,
  /** IEEE 802.3 frame with a length instead of an EtherType: STP, LLDP over SNAP, IPX, … */
  Llc = 8,
  Arp = 9,
  Lldp = 10,
  Eapol = 11,
  Mpls = 12,
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
  Count = 20,
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
] as const;

if (DROP_REASONS.length !== Drop.Count) throw new Error('drop reasons: names and numbers differ');
