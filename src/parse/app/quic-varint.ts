/** What `readVarint` gives for a number that is cut. */
export const CUT_VARINT = -1;

/** Bytes that a number takes whose first byte is `first`: 1, 2, 4 or 8 (RFC 9000 section 16). */
export function varintBytes(first: number): number {
  return 1 << (first >> 6);
}

/**
 * The number at `at`, or `CUT_VARINT` if it does not lie before `end` whole. Numbers of 2^53 and more lose their last digits, which does
 * not matter where every length and offset is compared with something small. Allocates nothing.
 */
export function readVarint(view: DataView, at: number, end: number): number {
  if (at >= end) return CUT_VARINT;
  const first = view.getUint8(at);
  if (at + varintBytes(first) > end) return CUT_VARINT;
  switch (first >> 6) {
    case 0:
      return first;
    case 1:
      return view.getUint16(at) & 0x3fff;
    case 2:
      return view.getUint32(at) & 0x3fffffff;
    default:
      return (view.getUint32(at) & 0x3fffffff) * 2 ** 32 + view.getUint32(at + 4);
  }
}
