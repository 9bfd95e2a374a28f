import { Details } from './layout.js';

/**
 * What the payload told of a flow, as entries one behind the other: kind (1 byte), length (1 byte), so many bytes. Texts are
 * ASCII, escaped; numbers are big-endian. A kind stands there at most once; the first one stays.
 */
export const enum Detail {
  /** Names of the server: TLS server name (RFC 6066), that of a QUIC ClientHello, host of the first HTTP request. */
  Sni = 1,
  QuicSni = 2,
  HttpHost = 3,
  /** Protocols that the client offers (RFC 7301), joined by commas. */
  Alpn = 4,
  /** Highest TLS version that the client offers, 2 bytes, as on the wire: 0x0304 is TLS 1.3. */
  TlsVersion = 5,
  /** JA4 fingerprint of the ClientHello, 36 characters. */
  Ja4 = 6,
  /** QUIC version, 4 bytes (RFC 9000, RFC 9369). */
  QuicVersion = 7,
  HttpMethod = 8,
  HttpPath = 9,
  HttpUserAgent = 10,
  /** Status of the first response, 2 bytes, 100–999. */
  HttpStatus = 11,
}

const ENTRY_HEADER_BYTES = 2;
/** Longest value of an entry. */
export const DETAIL_BYTES_MAX = 253;

/**
 * Appends an entry, the first `valueBytes` bytes of `value`, to the `usedBytes` bytes that stand from `start` on, and returns how many
 * there are then: the same number if the kind is there already or the block, which holds `Details.BytesMax`, has no room. A longer
 * value than `DETAIL_BYTES_MAX` is cut. Allocates nothing.
 */
export function appendDetail(
  bytes: Uint8Array,
  start: number,
  usedBytes: number,
  kind: Detail,
  value: Uint8Array,
  valueBytes: number,
): number {
  const length = Math.min(valueBytes, DETAIL_BYTES_MAX);
  if (usedBytes + ENTRY_HEADER_BYTES + length > Details.BytesMax) return usedBytes;
  if (findDetail(bytes, start, usedBytes, kind) >= 0) return usedBytes;
  const at = start + usedBytes;
  bytes[at] = kind;
  bytes[at + 1] = length;
  for (let i = 0; i < length; i++) bytes[at + ENTRY_HEADER_BYTES + i] = value[i] as number;
  return usedBytes + ENTRY_HEADER_BYTES + length;
}

/** Offset of the value of an entry, whose length is the byte before it; -1 if there is none. */
export function findDetail(bytes: Uint8Array, start: number, usedBytes: number, kind: Detail): number {
  const end = start + usedBytes;
  for (let at = start; at < end; at += ENTRY_HEADER_BYTES + (bytes[at + 1] as number))
    if (bytes[at] === kind) return at + ENTRY_HEADER_BYTES;
  return -1;
}
