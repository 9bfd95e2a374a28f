/**
 * Adds a word to a hash. The upper bits of the result are the good ones. Not keyed: whoever sends the packets may choose them so that
 * they meet, so what looks up by it bounds its steps.
 */
export function mixWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word ^ (word >>> 15), 0x2c1b3c6d);
  return Math.imul(mixed ^ (mixed >>> 13), 0x297a2d39);
}

/** Hash of the bytes from `offset` to `end` (FNV-1a, 32 bits). */
export function hashBytes(bytes: Uint8Array, offset: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = offset; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash;
}
