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
  /** 1 for every fragment but the first. */
  isLaterFragment = 0;
  /** Offset in the view of the IP payload, and the end of what was captured of it. */
  transportOffset = 0;
  transportEnd = 0;
  /** Length of the IP payload as the headers tell. */
  transportBytes = 0;
}
