/** STUN (RFC 8489 section 5): type, whose upper two bits are 0, length, cookie. */
const STUN_HEADER_BYTES = 20;
const STUN_COOKIE = 0x2112_a442;
const STUN_PORT = 3478;
/** The other port of a server that tells what a client's router does (RFC 5780 section 9.2). */
const STUN_OTHER_PORT = 3479;
/** Binding request, response and error; all that STUN was before it had a cookie (RFC 3489 section 11.1). */
const STUN_BINDINGS = [0x0001, 0x0101, 0x0111] as const;

/** Allocates nothing, as all functions here. */
export function isStun(
  view: DataView,
  offset: number,
  end: number,
  srcPort: number,
  dstPort: number,
  datagramBytes: number,
): boolean {
  if (end - offset < STUN_HEADER_BYTES || view.getUint8(offset) > 0x3f) return false;
  const bytes = view.getUint16(offset + 2);
  if (bytes % 4 !== 0) return false;
  if (view.getUint32(offset + 4) === STUN_COOKIE) return true;
  const type = view.getUint16(offset);
  const isBinding = type === STUN_BINDINGS[0] || type === STUN_BINDINGS[1] || type === STUN_BINDINGS[2];
  return isBinding && bytes === datagramBytes - STUN_HEADER_BYTES && (isStunPort(srcPort) || isStunPort(dstPort));
}

function isStunPort(port: number): boolean {
  return port === STUN_PORT || port === STUN_OTHER_PORT;
}

/** RTP (RFC 3550 section 5.1): version, padding, extension, count of sources; marker, payload type; number, time, source. */
const enum Rtp {
  Source = 8,
  HeaderBytes = 12,
  /** Version 2, no padding and no further sources, as nearly every sender writes it; with the bit of an extension. */
  Plain = 0x80,
  Extended = 0x90,
  ExtensionLength = 14,
  ExtensionBytes = 4,
  DynamicTypeFirst = 96,
  DynamicTypeLast = 127,
  TransportStream = 33,
}
/** An MPEG transport stream is made of packets of 188 bytes that begin with this byte (RFC 2250 section 2). */
const TRANSPORT_STREAM_BYTES = 188;
const TRANSPORT_STREAM_SYNC = 0x47;
/** Payload types that RFC 3551 section 6 gives away, bit by bit. */
const STATIC_TYPES_LOW = 0b1001_0110_0000_0111_1111_1111_1111_1001;
const STATIC_TYPES_HIGH = 0b111;
/** Samples of one byte, 8,000 a second: senders cut them in multiples of 5 ms (RFC 3551 section 4.2). */
const TELEPHONE_TYPES = (1 << 0) | (1 << 8) | (1 << 9);
const TELEPHONE_BYTES = 40;
/** Ports below are not given to media. */
const MEDIA_PORT_MIN = 1024;

/**
 * Whether a datagram has the form of RTP. One datagram is little to go by, so this is strict: no padding, no contributing sources, a
 * payload type that is assigned or dynamic, a source that is not 0, ports from 1024 on, an even one where it is sent to (RFC 3550
 * section 11), and a payload that its type allows where that is known. One random datagram in 1,000 passes.
 */
export function isRtp(
  view: DataView,
  offset: number,
  end: number,
  srcPort: number,
  dstPort: number,
  datagramBytes: number,
): boolean {
  if (end - offset <= Rtp.HeaderBytes || srcPort < MEDIA_PORT_MIN || dstPort < MEDIA_PORT_MIN || dstPort % 2 !== 0) return false;
  const first = view.getUint8(offset);
  if ((first !== Rtp.Plain && first !== Rtp.Extended) || view.getUint32(offset + Rtp.Source) === 0) return false;
  let payload = offset + Rtp.HeaderBytes;
  if (first === Rtp.Extended) {
    if (end - payload < Rtp.ExtensionBytes) return false;
    payload += Rtp.ExtensionBytes + 4 * view.getUint16(offset + Rtp.ExtensionLength);
  }
  // Of the datagram, not of what the capture has copied of it.
  const bytes = offset + datagramBytes - payload;
  return bytes > 0 && payload < end && isPayloadOf(view, payload, bytes, view.getUint8(offset + 1) & 0x7f);
}

/** The source of a datagram that `isRtp` is true of; each sender of a flow keeps one. */
export function rtpSource(view: DataView, offset: number): number {
  return view.getInt32(offset + Rtp.Source);
}

function isPayloadOf(view: DataView, offset: number, bytes: number, type: number): boolean {
  if (type >= Rtp.DynamicTypeFirst && type <= Rtp.DynamicTypeLast) return true;
  if (type === Rtp.TransportStream)
    return bytes % TRANSPORT_STREAM_BYTES === 0 && view.getUint8(offset) === TRANSPORT_STREAM_SYNC;
  if (type >= 35 || (((type < 32 ? STATIC_TYPES_LOW : STATIC_TYPES_HIGH) >>> (type % 32)) & 1) === 0) return false;
  return type >= 32 || ((TELEPHONE_TYPES >>> type) & 1) === 0 || bytes % TELEPHONE_BYTES === 0;
}

/** RTCP (RFC 3550 section 6.4): the first packet of a datagram is a report, without padding; its length is in words less one. */
const enum Rtcp {
  SenderReport = 200,
  ReceiverReport = 201,
  LastType = 204,
  SenderReportBytes = 28,
  HeaderBytes = 8,
}

export function isRtcp(
  view: DataView,
  offset: number,
  end: number,
  srcPort: number,
  dstPort: number,
  datagramBytes: number,
): boolean {
  if (end - offset < Rtcp.HeaderBytes || srcPort < MEDIA_PORT_MIN || dstPort < MEDIA_PORT_MIN) return false;
  const first = view.getUint8(offset);
  const type = view.getUint8(offset + 1);
  if ((first & 0xe0) !== 0x80 || type < Rtcp.SenderReport || type > Rtcp.LastType) return false;
  const bytes = 4 * (view.getUint16(offset + 2) + 1);
  if (bytes < Rtcp.HeaderBytes || bytes > datagramBytes) return false;
  if (type === Rtcp.SenderReport) return bytes >= Rtcp.SenderReportBytes + 24 * (first & 0x1f);
  return type !== Rtcp.ReceiverReport || bytes >= Rtcp.HeaderBytes + 24 * (first & 0x1f);
}

/** DTLS (RFC 9147 section 4, RFC 6347 section 4.1): type, version, epoch, number of 48 bits, length; then type of the handshake. */
const enum Dtls {
  Handshake = 22,
  /** DTLS 1.0 as OpenSSL wrote it before 0.9.8f; Cisco AnyConnect still does. */
  VersionOld = 0x0100,
  Version10 = 0xfeff,
  Version12 = 0xfefd,
  Epoch = 3,
  Length = 11,
  HeaderBytes = 13,
  HandshakeHeaderBytes = 12,
}

/** A first flight: ClientHello, ServerHello or HelloVerifyRequest. */
export function isDtls(view: DataView, offset: number, end: number): boolean {
  if (end - offset <= Dtls.HeaderBytes || view.getUint8(offset) !== Dtls.Handshake) return false;
  const version = view.getUint16(offset + 1);
  const isKnown = version === Dtls.Version12 || version === Dtls.Version10 || version === Dtls.VersionOld;
  if (!isKnown || view.getUint16(offset + Dtls.Epoch) !== 0) return false;
  const type = view.getUint8(offset + Dtls.HeaderBytes);
  return view.getUint16(offset + Dtls.Length) >= Dtls.HandshakeHeaderBytes && type >= 1 && type <= 3;
}
