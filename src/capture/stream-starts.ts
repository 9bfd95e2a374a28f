import { TcpFlag } from '../wire/tcp.js';

/** Connections that are remembered at a time; a newer one with the same hash takes the place of an older one. 256 KiB. */
const ENTRIES = 65_536;
/** Client segments that may be wanted: 16 KiB of usual ones, as much as servers take of a request head. */
const CLIENT_SEGMENTS = 12;
/** Client segments of a stream that is neither TLS nor HTTP: some protocols begin with a greeting of a few bytes. */
const OTHER_SEGMENTS = 2;
/** An interim answer may come before the final one (RFC 9110 section 15.2). */
const SERVER_SEGMENTS = 3;
/** What is wanted of a segment: merged ones (GRO) can be 64 KiB long, a request head 16 KiB, and an answer is told by its beginning. */
const CLIENT_BYTES = 16_384;
const SERVER_BYTES = 128;
/** What tells a TLS record: its header, and the byte behind it. A flow that goes on after its idle timeout is new to the parser. */
const TLS_RECORD_BYTES = 8;

const TLS_HANDSHAKE = 0x16;
/** Content types from change_cipher_spec to application_data; versions from SSL 3.0 to TLS 1.3. */
const TLS_TYPE_FIRST = 0x14;
const TLS_TYPE_LAST = 0x17;
const TLS_MINOR_MAX = 4;
const TLS_HEADER_BYTES = 5;
const CLIENT_HELLO = 1;
/** Type and length of a handshake message (RFC 8446 section 4). */
const HANDSHAKE_HEADER_BYTES = 4;
/** The end of a request head: CR LF CR LF. */
const HEAD_END = 0x0d0a0d0a;

/** Bits of an entry, below the 16 bits of the hash by which it is told from others. */
const enum Entry {
  /** The sender of the SYN has the greater (address, port). */
  ClientIsHi = 0x100,
  ClientLeft = 0x10,
  ClientMask = 0xf0,
  ServerLeft = 0x01,
  ServerMask = 0x0f,
}

/** Offsets in a TCP header (RFC 9293 section 3.1). */
const DATA_OFFSET = 12;
const FLAGS = 13;

function isHttp(start: number): boolean {
  switch (start) {
    case 0x47455420: // GET
    case 0x504f5354: // POST
    case 0x48454144: // HEAD
    case 0x50555420: // PUT
    case 0x4f505449: // OPTIONS
    case 0x44454c45: // DELETE
    case 0x434f4e4e: // CONNECT
    case 0x50415443: // PATCH
    case 0x50524f50: // PROPFIND
      return true;
    default:
      return false;
  }
}

/** A TLS record with a handshake, version 1.0 to 1.3 as records have it (RFC 8446 section 5.1). */
const isTls = (start: number): boolean => start >> 24 === TLS_HANDSHAKE && ((start >> 16) & 0xff) === 3;

/** Any TLS record (RFC 8446 section 5.1): where the start of a connection was not seen, this is all that tells it. */
const isTlsRecord = (start: number): boolean => {
  const type = start >>> 24;
  return (
    type >= TLS_TYPE_FIRST && type <= TLS_TYPE_LAST && ((start >> 16) & 0xff) === 3 && ((start >> 8) & 0xff) <= TLS_MINOR_MAX
  );
};

/** So many bytes of a segment that begins with a TLS record; 0 of any other. */
function recordBytes(view: DataView, payload: number, end: number): number {
  return end - payload >= TLS_RECORD_BYTES && isTlsRecord(view.getInt32(payload)) ? TLS_RECORD_BYTES : 0;
}

/** Whether the first handshake message is all there, and in one record: it may go on in others (RFC 8446 section 5.1). */
function isWholeHandshake(view: DataView, payload: number, end: number): boolean {
  const message = payload + TLS_HEADER_BYTES;
  if (message + HANDSHAKE_HEADER_BYTES > end) return false;
  const bytes = HANDSHAKE_HEADER_BYTES + (view.getUint32(message) & 0xffffff);
  return bytes <= view.getUint16(payload + 3) && message + bytes <= end;
}

/** Whether a ClientHello begins here, so that this is where the client's stream begins, whatever came before it. */
function isClientHello(view: DataView, payload: number, end: number): boolean {
  return (
    end - payload > TLS_HEADER_BYTES &&
    isTls(view.getInt32(payload)) &&
    view.getUint8(payload + TLS_HEADER_BYTES) === CLIENT_HELLO
  );
}

/** How many more segments a parser wants behind a client's first one, whose payload this is. */
function segmentsBehind(view: DataView, payload: number, end: number): number {
  // Too few bytes to tell: some clients send the first few of a hello or request alone.
  if (end - payload < TLS_HEADER_BYTES) return CLIENT_SEGMENTS - 1;
  const start = view.getInt32(payload);
  if (isTls(start)) return isWholeHandshake(view, payload, end) ? 0 : CLIENT_SEGMENTS - 1;
  // Behind the head of a CONNECT comes the client's TLS.
  if (!isHttp(start) || start === 0x434f4e4e) return OTHER_SEGMENTS;
  return view.getInt32(end - 4) === HEAD_END ? 0 : CLIENT_SEGMENTS - 1;
}

/**
 * Tells which TCP segments stand at the start of their stream, where names are: those behind a SYN, the first few of each side, and
 * those that look like a hello or a request. The parse workers know flows better, but they are threads behind a ring; this is a
 * small table of the capture's own. A wrong answer costs a name or a copy, never a count. Allocates nothing.
 */
export class StreamStarts {
  private readonly entries = new Int32Array(ENTRIES);

  /**
   * How many bytes of payload a parser wants of the segment whose TCP header starts at `transport`, where 20 bytes are captured.
   * `addresses` is a hash of the address pair that does not tell its order, `isFromHi` that order. `payload` is where the payload
   * starts, before `end`, or not before it where there is none.
   */
  wanted(view: DataView, transport: number, payload: number, end: number, addresses: number, isFromHi: boolean): number {
    const flags = view.getUint8(transport + FLAGS);
    const isSyn = (flags & TcpFlag.Syn) !== 0;
    if (payload >= end && !isSyn) return 0;
    const ports = view.getUint16(transport) ^ view.getUint16(transport + 2);
    let hash = Math.imul(addresses ^ Math.imul(ports, 0x9e3779b1), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    hash ^= hash >>> 13;
    const index = hash & (ENTRIES - 1);
    const tag = hash & -0x10000;
    if (isSyn) this.start(index, tag, ((flags & TcpFlag.Ack) === 0) === isFromHi);
    if (payload >= end) return 0;
    let entry = this.entries[index] as number;
    if ((entry & -0x10000) !== tag || entry === 0) {
      if (end - payload < TLS_HEADER_BYTES) return 0;
      const start = view.getInt32(payload);
      if (!isTls(start) && !isHttp(start)) return recordBytes(view, payload, end);
      this.start(index, tag, isFromHi);
      entry = this.entries[index] as number;
    }
    if (((entry & Entry.ClientIsHi) !== 0) !== isFromHi) {
      if ((entry & Entry.ServerMask) === 0) return recordBytes(view, payload, end);
      this.entries[index] = entry - Entry.ServerLeft;
      return SERVER_BYTES;
    }
    const left = entry & Entry.ClientMask;
    if (left === CLIENT_SEGMENTS * Entry.ClientLeft || isClientHello(view, payload, end))
      this.entries[index] = (entry & ~Entry.ClientMask) | (segmentsBehind(view, payload, end) * Entry.ClientLeft);
    else if (left === 0) return recordBytes(view, payload, end);
    else this.entries[index] = entry - Entry.ClientLeft;
    return CLIENT_BYTES;
  }

  private start(index: number, tag: number, isClientHi: boolean): void {
    const left = CLIENT_SEGMENTS * Entry.ClientLeft + SERVER_SEGMENTS * Entry.ServerLeft;
    this.entries[index] = tag | left | (isClientHi ? Entry.ClientIsHi : 0);
  }
}

/** Where the payload of the segment starts whose TCP header starts at `transport`. */
export function tcpPayloadOffset(view: DataView, transport: number): number {
  return transport + ((view.getUint8(transport + DATA_OFFSET) >> 4) << 2);
}
