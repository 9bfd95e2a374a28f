/** TLS records (RFC 8446 section 5.1; RFC 5246 and RFC 2246, section 6.2.1): content type, version, length, then so many bytes. */
const VERSION_MAJOR = 1;
const VERSION_MINOR = 2;
const LENGTH = 3;
const HEADER_BYTES = 5;
const HANDSHAKE = 22;
/** The upper byte of every version from SSL 3.0 to TLS 1.3; the lower one is 0 to 4. */
const MAJOR = 3;
const MINOR_MAX = 4;
const RECORD_BYTES_MAX = 16_384;

/** A handshake message (RFC 8446 section 4): type, length of three bytes, then so many bytes. */
const MESSAGE_HEADER_BYTES = 4;
const CLIENT_HELLO = 1;
/** Longest ClientHello, header included, that is waited for. Those of browsers, with post-quantum keys, have less than 2,000 bytes. */
export const HELLO_BYTES_MAX = 16_384;

/** Where a handshake message lies, its header first. */
export interface HelloMessage {
  readonly view: DataView;
  readonly offset: number;
  readonly end: number;
}

const NOT_HANDSHAKE = -1;
const CUT = 0;

/** Whether a ClientHello may begin at `at`. Allocates nothing. */
export function isClientHelloStart(view: DataView, at: number, end: number): boolean {
  return recordBytes(view, at, end) > 0 && at + HEADER_BYTES < end && view.getUint8(at + HEADER_BYTES) === CLIENT_HELLO;
}

/** Length of the handshake record at `at`, or `CUT` where its header has not come whole; each byte that has come is checked. */
function recordBytes(view: DataView, at: number, end: number): number {
  if (at < end && view.getUint8(at) !== HANDSHAKE) return NOT_HANDSHAKE;
  if (at + VERSION_MAJOR < end && view.getUint8(at + VERSION_MAJOR) !== MAJOR) return NOT_HANDSHAKE;
  if (at + VERSION_MINOR < end && view.getUint8(at + VERSION_MINOR) > MINOR_MAX) return NOT_HANDSHAKE;
  if (end - at < HEADER_BYTES) return CUT;
  const length = view.getUint16(at + LENGTH);
  return length === 0 || length > RECORD_BYTES_MAX ? NOT_HANDSHAKE : length;
}

/**
 * Finds the ClientHello with which a TLS client begins, in the bytes of its stream from the first one on. It may be spread over any
 * number of records, and the last one may be cut. Returns 'incomplete' while what has come can be the beginning of one, and 'none'
 * as soon as it cannot: other protocols, other handshake messages, the hello of SSL 2, one that is longer than `HELLO_BYTES_MAX`.
 * The message lies where it was found if one record holds it, and in a copy otherwise. Allocates nothing before it is whole.
 */
export function clientHelloMessage(view: DataView, offset: number, end: number): HelloMessage | 'none' | 'incomplete' {
  let header = 0;
  let collectedBytes = 0;
  for (let at = offset; ; ) {
    const length = recordBytes(view, at, end);
    if (length === NOT_HANDSHAKE) return 'none';
    if (length === CUT) return 'incomplete';
    const body = at + HEADER_BYTES;
    const bodyEnd = Math.min(body + length, end);
    for (let i = body; i < bodyEnd && collectedBytes + i - body < MESSAGE_HEADER_BYTES; i++)
      header = (header << 8) | view.getUint8(i);
    if (collectedBytes === 0 && body < bodyEnd && view.getUint8(body) !== CLIENT_HELLO) return 'none';
    collectedBytes += bodyEnd - body;
    if (collectedBytes >= MESSAGE_HEADER_BYTES) {
      const bytes = MESSAGE_HEADER_BYTES + (header & 0xffffff);
      if (bytes > HELLO_BYTES_MAX) return 'none';
      if (collectedBytes >= bytes) return at === offset ? { view, offset: body, end: body + bytes } : joined(view, offset, bytes);
    }
    if (body + length > end) return 'incomplete';
    at = body + length;
  }
}

/** The first `bytes` bytes of what the records at `offset` hold; the caller has seen that they hold so many. */
function joined(view: DataView, offset: number, bytes: number): HelloMessage {
  const message = new Uint8Array(bytes);
  let filled = 0;
  for (let at = offset; filled < bytes; at += HEADER_BYTES + view.getUint16(at + LENGTH)) {
    const body = at + HEADER_BYTES;
    const bodyEnd = body + Math.min(view.getUint16(at + LENGTH), bytes - filled);
    for (let i = body; i < bodyEnd; i++) message[filled++] = view.getUint8(i);
  }
  return { view: new DataView(message.buffer), offset: 0, end: bytes };
}
