import { CUT_VARINT, readVarint, varintBytes } from './quic-varint.js';

/**
 * Versions that are read. All but version 2 have the packets of version 1 and other salts of the keys at most; so have those that are
 * reserved for forcing a negotiation, see `isReservedVersion`.
 */
export const enum QuicVersion {
  /** Stands in a Version Negotiation packet. */
  Negotiation = 0,
  /** RFC 9000. */
  V1 = 0x00000001,
  /** RFC 9369. */
  V2 = 0x6b3343cf,
  Draft22 = 0xff000016,
  Draft28 = 0xff00001c,
  Draft32 = 0xff000020,
  Draft34 = 0xff000022,
  /** mvfst, with which the apps of Facebook began: two drafts under numbers of its own, and one for trials. */
  Mvfst22 = 0xfaceb001,
  Mvfst27 = 0xfaceb002,
  MvfstTrial = 0xfaceb00e,
}

/** Types of packets with a long header, numbered as in version 1 (RFC 9000 section 17.2). */
export const enum QuicPacket {
  Initial = 0,
  ZeroRtt = 1,
  Handshake = 2,
  Retry = 3,
}

/** Long header (RFC 8999 section 5.1): flags, version, then both connection ids, each with its length before it. */
const VERSION = 1;
const CONNECTION_IDS = 5;
const HEADER_BYTES_MIN = 7;
const LONG_FORM = 0x80;
const FIXED_BIT = 0x40;
/** RFC 9000 section 17.2. */
const CONNECTION_ID_BYTES_MAX = 20;
const VERSION_BYTES = 4;
const RESERVED_NIBBLES = 0x0f0f0f0f;
const RESERVED_VERSION = 0x0a0a0a0a;
/** A server that negotiates gives back the id that the client chose for it, which has no fewer bytes (RFC 9000 sections 7.2 and 17.2.1). */
const CHOSEN_ID_BYTES_MIN = 8;

/** A packet with a long header. One instance is reused; all fields are valid only after `readLongHeader` gave true. */
export class LongHeader {
  version = 0;
  type: QuicPacket = QuicPacket.Initial;
  /** Destination connection id, 0–20 bytes. */
  dcidOffset = 0;
  dcidBytes = 0;
  /** Offset of the packet number, which is protected. */
  numberOffset = 0;
  /** Behind the packet, where the next one of the datagram may start. */
  end = 0;
}

function isKnownVersion(version: number): boolean {
  switch (version) {
    case QuicVersion.V1:
    case QuicVersion.V2:
    case QuicVersion.Mvfst22:
    case QuicVersion.Mvfst27:
    case QuicVersion.MvfstTrial:
      return true;
    default:
      return (version >= QuicVersion.Draft22 && version <= QuicVersion.Draft34) || isReservedVersion(version);
  }
}

/** `0x?a?a?a?a`, which no server has (RFC 9000 section 15). */
export function isReservedVersion(version: number): boolean {
  return (version & RESERVED_NIBBLES) === RESERVED_VERSION;
}

/** Version 2 numbers the types one higher, in a circle (RFC 9369 section 3.2). */
function packetType(flags: number, version: number): QuicPacket {
  const bits = (flags >> 4) & 3;
  return version === QuicVersion.V2 ? (bits + 3) & 3 : bits;
}

/** Offset behind the source connection id, or -1 if that is cut or an id is longer than any. */
function endOfConnectionIds(view: DataView, offset: number, end: number): number {
  if (end - offset < HEADER_BYTES_MIN) return -1;
  const dcidBytes = view.getUint8(offset + CONNECTION_IDS);
  const scid = offset + CONNECTION_IDS + 1 + dcidBytes;
  if (dcidBytes > CONNECTION_ID_BYTES_MAX || scid >= end) return -1;
  const scidBytes = view.getUint8(scid);
  const idsEnd = scid + 1 + scidBytes;
  return scidBytes > CONNECTION_ID_BYTES_MAX || idsEnd > end ? -1 : idsEnd;
}

/**
 * Whether a QUIC Initial packet of a version that is read starts at `offset`, as far as its header can tell; it may be cut behind the
 * connection ids. Allocates nothing.
 */
export function isQuicInitial(view: DataView, offset: number, end: number): boolean {
  if (end - offset < HEADER_BYTES_MIN) return false;
  const flags = view.getUint8(offset);
  if ((flags & (LONG_FORM | FIXED_BIT)) !== (LONG_FORM | FIXED_BIT)) return false;
  const version = view.getUint32(offset + VERSION);
  if (!isKnownVersion(version) || packetType(flags, version) !== QuicPacket.Initial) return false;
  return endOfConnectionIds(view, offset, end) >= 0;
}

/**
 * Whether a QUIC packet with a long header starts at `offset`: of a version that is read, or a Version Negotiation packet (RFC 8999
 * section 6), whose list of versions fills it to `end`. Allocates nothing.
 */
export function isQuic(view: DataView, offset: number, end: number): boolean {
  const idsEnd = endOfConnectionIds(view, offset, end);
  if (idsEnd < 0) return false;
  const flags = view.getUint8(offset);
  if ((flags & LONG_FORM) === 0) return false;
  const version = view.getUint32(offset + VERSION);
  if (version === QuicVersion.Negotiation) {
    const srcIdBytes = idsEnd - offset - HEADER_BYTES_MIN - view.getUint8(offset + CONNECTION_IDS);
    return srcIdBytes >= CHOSEN_ID_BYTES_MIN && end > idsEnd && (end - idsEnd) % VERSION_BYTES === 0;
  }
  return (flags & FIXED_BIT) !== 0 && isKnownVersion(version);
}

/**
 * Reads the header of the packet at `offset` up to the packet number. Returns whether it is one with a long header of a version that is
 * read and lies before `end` whole; `out` is valid only then. Allocates nothing.
 */
export function readLongHeader(view: DataView, offset: number, end: number, out: LongHeader): boolean {
  const idsEnd = endOfConnectionIds(view, offset, end);
  if (idsEnd < 0) return false;
  const flags = view.getUint8(offset);
  out.version = view.getUint32(offset + VERSION);
  if ((flags & (LONG_FORM | FIXED_BIT)) !== (LONG_FORM | FIXED_BIT) || !isKnownVersion(out.version)) return false;
  out.type = packetType(flags, out.version);
  out.dcidOffset = offset + CONNECTION_IDS + 1;
  out.dcidBytes = view.getUint8(offset + CONNECTION_IDS);
  if (out.type === QuicPacket.Retry) {
    out.numberOffset = end;
    out.end = end;
    return true;
  }
  let at = idsEnd;
  if (out.type === QuicPacket.Initial) {
    const tokenBytes = readVarint(view, at, end);
    if (tokenBytes === CUT_VARINT) return false;
    at += varintBytes(view.getUint8(at)) + tokenBytes;
  }
  const bytes = readVarint(view, at, end);
  if (bytes === CUT_VARINT) return false;
  out.numberOffset = at + varintBytes(view.getUint8(at));
  out.end = out.numberOffset + bytes;
  return out.end <= end;
}
