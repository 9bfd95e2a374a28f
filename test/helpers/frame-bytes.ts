/** Source and destination of the enclosing IP layer, for the pseudo-header of the checksums above it. */
export interface AddressPair {
  readonly src: Uint8Array;
  readonly dst: Uint8Array;
}

/** A view of exactly these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** 4 or 16 bytes of an address in text form. */
export function address(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.').map(Number));
  const [head = '', tail] = text.split('::');
  const words = (part: string): number[] => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  const before = words(head);
  const after = words(tail ?? '');
  const all = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

/** Six bytes of a MAC address in text form. */
export function mac(text: string): Uint8Array {
  return Uint8Array.from(text.split(':').map((byte) => Number.parseInt(byte, 16)));
}

/** All parts, one behind the other. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/** `bytes` with zeros behind, up to a multiple of `multiple`. */
export function padded(bytes: Uint8Array, multiple: number): Uint8Array {
  return join(bytes, new Uint8Array((multiple - (bytes.length % multiple)) % multiple));
}

/** The Internet checksum (RFC 1071) of `bytes`, whose checksum field is zero. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** Writes the checksum at `offset`, with the pseudo-header of RFC 9293 section 3.1 or RFC 8200 section 8.1 where there is one. */
export function withChecksum(
  bytes: Uint8Array,
  offset: number,
  protocol: number,
  addresses: AddressPair | undefined,
): Uint8Array {
  const tail = new Uint8Array(8);
  viewOf(tail).setUint32(0, bytes.length);
  tail[7] = protocol;
  const pseudo = addresses ? join(addresses.src, addresses.dst, tail) : new Uint8Array(0);
  const sum = checksum(join(pseudo, bytes));
  viewOf(bytes).setUint16(offset, sum === 0 && protocol === 17 ? 0xffff : sum);
  return bytes;
}
