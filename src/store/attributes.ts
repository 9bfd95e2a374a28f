/**
 * The lowest bit of each field of `flows.attributes`; a field ends where the next begins. Drawn once, for the writer and for
 * the view:
 *
 * ```
 * 52           40             32          24          16          12           8          0
 *  |  VLAN id  | interface id | dst flags | src flags | TCP state | end reason | protocol |
 * ```
 *
 * What most rows have stands low, since SQLite stores an integer in as few bytes as it needs: 2 for UDP, 4 for TCP. The IP
 * version needs no bit: only an IPv6 address is 2^32 or more (see `addresses`).
 */
export const enum Attribute {
  Protocol = 0,
  EndReason = 8,
  TcpState = 12,
  SrcTcpFlags = 16,
  DstTcpFlags = 24,
  InterfaceId = 32,
  VlanId = 40,
  End = 52,
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
    cut(protocol, Attribute.EndReason - Attribute.Protocol) |
    (cut(endReason, Attribute.TcpState - Attribute.EndReason) << Attribute.EndReason) |
    (cut(tcpState, Attribute.SrcTcpFlags - Attribute.TcpState) << Attribute.TcpState) |
    (cut(srcTcpFlags, Attribute.DstTcpFlags - Attribute.SrcTcpFlags) << Attribute.SrcTcpFlags) |
    (cut(dstTcpFlags, Attribute.InterfaceId - Attribute.DstTcpFlags) << Attribute.DstTcpFlags);
  const high =
    cut(interfaceId, Attribute.VlanId - Attribute.InterfaceId) |
    (cut(vlanId, Attribute.End - Attribute.VlanId) << (Attribute.VlanId - Attribute.InterfaceId));
  return high * 2 ** 32 + (low >>> 0);
}

function cut(value: number, bits: number): number {
  return value & ((1 << bits) - 1);
}

/** SQL that takes the field from bit `first` to before bit `next` out of the column `attributes`. */
export function attributeSql(first: Attribute, next: Attribute): string {
  const mask = (1 << (next - first)) - 1;
  return first === 0 ? `(attributes & ${mask})` : `((attributes >> ${first}) & ${mask})`;
}
