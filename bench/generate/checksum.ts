/** Payload bytes that nobody reads are all this value, so that their share of a checksum is a product. */
export const FILL_BYTE = 0x62;

/**
 * One's complement sum (RFC 1071) of the 16-bit words from `start` to `end`, an odd last byte padded with zero; not folded. The
 * caller guarantees the range; up to 128 KiB fit.
 */
export function sumWords(view: DataView, start: number, end: number): number {
  let sum = 0;
  let offset = start;
  for (; offset + 1 < end; offset += 2) sum += view.getUint16(offset);
  return offset < end ? sum + (view.getUint8(offset) << 8) : sum;
}

/** The same sum over `bytes` of `FILL_BYTE`, without reading them. */
export function sumFill(bytes: number): number {
  return (bytes >> 1) * (FILL_BYTE * 257) + (bytes & 1) * (FILL_BYTE << 8);
}

/** Folds a sum of words into the checksum field's value. */
export function foldChecksum(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return ~((once & 0xffff) + (once >>> 16)) & 0xffff;
}
