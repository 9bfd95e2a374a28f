/** Whether the bytes at `offset` are those of an ASCII text. Checks bounds; allocates nothing. */
export function startsWith(view: DataView, offset: number, end: number, text: string): boolean {
  if (end - offset < text.length) return false;
  for (let i = 0; i < text.length; i++) if (view.getUint8(offset + i) !== text.charCodeAt(i)) return false;
  return true;
}

/** As `startsWith`, but letters may be of either case; `text` is in lower case. */
export function startsWithLetters(view: DataView, offset: number, end: number, text: string): boolean {
  if (end - offset < text.length) return false;
  for (let i = 0; i < text.length; i++) if (lowerCase(view.getUint8(offset + i)) !== text.charCodeAt(i)) return false;
  return true;
}

/** Whether `text`, in lower case, stands anywhere in the first `bytesMax` bytes, in letters of either case. */
export function containsLetters(view: DataView, offset: number, end: number, bytesMax: number, text: string): boolean {
  const last = Math.min(end, offset + bytesMax) - text.length;
  for (let at = offset; at <= last; at++) if (startsWithLetters(view, at, end, text)) return true;
  return false;
}

/** Offset of the first byte of this value in the first `bytesMax` bytes; -1 if there is none. */
export function findByte(view: DataView, offset: number, end: number, bytesMax: number, byte: number): number {
  const last = Math.min(end, offset + bytesMax);
  for (let at = offset; at < last; at++) if (view.getUint8(at) === byte) return at;
  return -1;
}

/** Whether a byte is an ASCII digit. */
export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** An ASCII letter in lower case, any other byte as it is. */
export function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}
