/**
 * The bits of `flows.attributes`, drawn once for the writer and for the view:
 *
 * ```
 * 52   51        40 39          32 31       24 23       16 15       12 11         8 7         0
 * |  0 |  VLAN id  | interface id | dst flags | src flags | TCP state | end reason | protocol |
 * ```
 *
 * What most rows have stands low, since SQLite stores an integer in as few bytes as it needs: 2 for UDP, 4 for TCP. The IP
 * version needs no bit: only an IPv6 address is 2^32 or more (see `addresses`).
 */
export const enum Attribute {
  ProtocolShift = 0,
  ProtocolMask = 0xff,
  EndReasonShift = 8,
  EndReasonMask = 0xf,
  TcpStateShift = 12,
  TcpStateMask = 0xf,
  SrcTcpFlagsShift = 16,
  DstTcpFlagsShift = 24,
  TcpFlagsMask = 0xff,
  InterfaceIdShift = 32,
  InterfaceIdMask = 0xff,
  VlanIdShift = 40,
  VlanIdMask = 0xfff,
}

/**
 * Packs what the attributes hold into one integer below 2^52. The arguments are cut to the bits that they have. Allocates
 * nothing.
 */
export function packAttributes(
  protocol: number,
  endReason: number,
  tcpState: number,
  srcTcpFlags: number,
  dstTcpFlags: number,
  interfaceId: number,
  vlanId: number,
): number {
  const low =
    (protocol & Attribute.ProtocolMask) |
    ((endReason & Attribute.EndReasonMask) << Attribute.EndReasonShift) |
    ((tcpState & Attribute.TcpStateMask) << Attribute.TcpStateShift) |
    ((srcTcpFlags & Attribute.TcpFlagsMask) << Attribute.SrcTcpFlagsShift) |
    ((dstTcpFlags & Attribute.TcpFlagsMask) << Attribute.DstTcpFlagsShift);
  const high =
    (interfaceId & Attribute.InterfaceIdMask) |
    ((vlanId & Attribute.VlanIdMask) << (Attribute.VlanIdShift - Attribute.InterfaceIdShift));
  return high * 2 ** 32 + (low >>> 0);
}

/** SQL that takes one field out of the column `attributes`. */
export function attributeSql(shift: number, mask: number): string {
  return shift === 0 ? `(attributes & ${mask})` : `((attributes >> ${shift}) & ${mask})`;
}
