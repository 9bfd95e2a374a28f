import { TunnelType } from '../ring/tunnel-type.js';

/** Which part of a packet a frame holds. */
export const enum FragmentKind {
  Whole = 0,
  /** Offset 0, and more follow: the only fragment with a transport header. */
  First = 1,
  Later = 2,
}

/**
 * A decoded frame: what the flow table needs of it. One instance is reused for every frame. All fields are 32-bit integers
 * that V8 keeps without allocating; addresses and sequence numbers are signed, as `DataView.getInt32` gives them.
 */
export class Packet {
  /** 4 or 6. */
  ipVersion = 0;
  /** IP protocol number, 0–255. */
  protocol = 0;
  /** Addresses as four big-endian words; an IPv4 address is the last one and the others are 0. */
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  /** 0 where the protocol has none, in later fragments, and where the capture is cut before them. */
  srcPort = 0;
  dstPort = 0;
  /** Outermost VLAN id, 0 for none. */
  vlanId = 0;
  /** IPv4: total length. IPv6: 40 + payload length. */
  ipBytes = 0;
  /** Bytes above layer 4, as the headers tell. */
  payloadBytes = 0;
  /** The lower eight flag bits (RFC 9293 section 3.1, RFC 3168), 0 for other protocols. */
  tcpFlags = 0;
  /** TCP: sequence and acknowledgement number, as signed numbers, and window; meaningful if `hasTcp` is 1: the capture holds them. */
  tcpSeq = 0;
  tcpAck = 0;
  tcpWindow = 0;
  hasTcp = 0;
  /** Type << 8 | code for ICMP and ICMPv6, otherwise 0. */
  icmp = 0;
  fragment: FragmentKind = FragmentKind.Whole;
  /** Identification of the packet that this is a fragment of, a signed word; valid only for fragments. */
  fragmentId = 0;
  /** Offset in the view of the IP payload, and the end of what was captured of it. */
  transportOffset = 0;
  transportEnd = 0;
  /** Length of the IP payload as the headers tell, that of UDP among them. */
  transportBytes = 0;
  /** The outermost tunnel that this packet was taken out of; the fields below are valid only if there is one. */
  tunnelType: TunnelType = TunnelType.None;
  /** A signed word, 0 unless `hasTunnelId` is 1. */
  tunnelId = 0;
  hasTunnelId = 0;
  /** 4 or 6; 0 for a tunnel below IP, which has no addresses. */
  tunnelIpVersion = 0;
  tunnelSrc0 = 0;
  tunnelSrc1 = 0;
  tunnelSrc2 = 0;
  tunnelSrc3 = 0;
  tunnelDst0 = 0;
  tunnelDst1 = 0;
  tunnelDst2 = 0;
  tunnelDst3 = 0;
}
