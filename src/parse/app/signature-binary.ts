import { startsWith } from './byte-match.js';
import { isDnsHeader, isDnsMessage } from './signature-dns.js';

/** TLS records (RFC 8446 section 5.1): type, version, length; a handshake goes on with its type. */
const enum Tls {
  ChangeCipherSpec = 20,
  Alert = 21,
  Handshake = 22,
  ApplicationData = 23,
  HeaderBytes = 5,
  Major = 3,
  MinorMax = 4,
  ClientHello = 1,
  ServerHello = 2,
  AlertBytesMax = 256,
  /** RFC 5246 section 6.2.3. */
  RecordBytesMax = 16_384 + 2_048,
}

/**
 * Whether a stream begins with a TLS record, or goes on with one where its start was not seen: a first handshake message, or a record of
 * another type with a length that is allowed to it. Allocates nothing, as all functions here.
 */
export function isTls(view: DataView, offset: number, end: number): boolean {
  if (end - offset <= Tls.HeaderBytes) return false;
  if (view.getUint8(offset + 1) !== Tls.Major || view.getUint8(offset + 2) > Tls.MinorMax) return false;
  const bytes = view.getUint16(offset + 3);
  const first = view.getUint8(offset + Tls.HeaderBytes);
  switch (view.getUint8(offset)) {
    case Tls.Handshake:
      return bytes >= 4 && bytes <= Tls.RecordBytesMax && (first === Tls.ClientHello || first === Tls.ServerHello);
    case Tls.ChangeCipherSpec:
      return bytes === 1 && first === 1;
    case Tls.Alert:
      // Two bytes, or more where they are encrypted.
      return bytes >= 2 && bytes <= Tls.AlertBytesMax;
    case Tls.ApplicationData:
      return bytes > 0 && bytes <= Tls.RecordBytesMax;
    default:
      return false;
  }
}

/** The ClientHello of SSL 2 that announces a later version (RFC 5246 appendix E.2): length, type, version, three lengths. */
export function isSsl2Hello(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 11 || view.getUint8(offset + 2) !== 1) return false;
  if (view.getUint8(offset + 3) !== Tls.Major || view.getUint8(offset + 4) > Tls.MinorMax) return false;
  return (view.getUint16(offset) & 0x7fff) === end - offset - 2;
}

/** TPKT (RFC 1006 section 6): version 3, 0, length; X.224: length, connect request or confirm, both references, class. */
const enum Tpkt {
  Version = 3,
  Bytes = 4,
  ConnectRequest = 0xe0,
  ConnectConfirm = 0xd0,
  /** With the header of X.224. */
  ConnectBytes = 11,
}
/** What RDP writes behind it (MS-RDPBCGR section 2.2.1.1): a cookie, or a negotiation of eight bytes, little-endian. */
const RDP_COOKIE = 'Cookie: ';
const RDP_NEGOTIATION_BYTES = 8;
const RDP_NEGOTIATION_TYPE_MAX = 3;
const RDP_PORT = 3389;

export function isRdp(view: DataView, offset: number, end: number, srcPort: number, dstPort: number): boolean {
  if (end - offset < Tpkt.ConnectBytes || view.getUint16(offset) !== Tpkt.Version << 8) return false;
  const bytes = view.getUint16(offset + 2);
  if (bytes > end - offset || view.getUint8(offset + Tpkt.Bytes) !== bytes - Tpkt.Bytes - 1) return false;
  const code = view.getUint8(offset + Tpkt.Bytes + 1);
  if (code !== Tpkt.ConnectRequest && code !== Tpkt.ConnectConfirm) return false;
  if (srcPort === RDP_PORT || dstPort === RDP_PORT) return true;
  const next = offset + Tpkt.ConnectBytes;
  if (startsWith(view, next, end, RDP_COOKIE)) return true;
  if (end - next < RDP_NEGOTIATION_BYTES) return false;
  const type = view.getUint8(next);
  return type >= 1 && type <= RDP_NEGOTIATION_TYPE_MAX && view.getUint16(next + 2, true) === RDP_NEGOTIATION_BYTES;
}

/** RTMP ("Real-Time Messaging Protocol" section 5.2): version 3, then a time and four zero bytes before 1,528 random ones. */
const RTMP_VERSION = 3;
const RTMP_BYTES_MIN = 512;

export function isRtmp(view: DataView, offset: number, end: number): boolean {
  return end - offset >= RTMP_BYTES_MIN && view.getUint8(offset) === RTMP_VERSION && view.getUint32(offset + 5) === 0;
}

/** MQTT CONNECT (MQTT 5.0 section 3.1, 3.1.1, and 3.1 with its longer name): type, remaining length in 1 to 4 bytes, name. */
const MQTT_CONNECT = 0x10;
const MQTT_NAMES = ['\0\x04MQTT', '\0\x06MQIsdp'] as const;

export function isMqttConnect(view: DataView, offset: number, end: number): boolean {
  if (view.getUint8(offset) !== MQTT_CONNECT) return false;
  let at = offset + 1;
  while (at < end && at < offset + 4 && view.getUint8(at) >= 0x80) at++;
  at++;
  return startsWith(view, at, end, MQTT_NAMES[0]) || startsWith(view, at, end, MQTT_NAMES[1]);
}

/** Telnet (RFC 854): IAC, WILL, WON'T, DO or DON'T, and an option that IANA lists below 50. */
const TELNET_OPTION_MAX = 49;

export function isTelnet(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 3 || view.getUint8(offset) !== 0xff) return false;
  const command = view.getUint8(offset + 1);
  return command >= 0xfb && command <= 0xfe && view.getUint8(offset + 2) <= TELNET_OPTION_MAX;
}

/** BGP (RFC 4271 section 4.1): 16 bytes of ones, length, type. */
const BGP_HEADER_BYTES = 19;
const BGP_MARKER_BYTES = 16;

export function isBgp(view: DataView, offset: number, end: number): boolean {
  if (end - offset < BGP_HEADER_BYTES) return false;
  for (let at = offset; at < offset + BGP_MARKER_BYTES; at++) if (view.getUint8(at) !== 0xff) return false;
  const type = view.getUint8(offset + 18);
  return type >= 1 && type <= 5 && view.getUint16(offset + BGP_MARKER_BYTES) >= BGP_HEADER_BYTES;
}

/** AJP 1.3: from the web server 0x1234, from the container "AB"; length; then a code: forward, ping and pong are what comes first. */
const AJP_REQUEST = 0x1234;
const AJP_FORWARD = 2;
const AJP_PING = 10;

export function isAjp(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 5 || view.getUint16(offset) !== AJP_REQUEST) return false;
  const code = view.getUint8(offset + 4);
  return (code === AJP_FORWARD || code === AJP_PING) && view.getUint16(offset + 2) >= 1;
}

/** DNS over TCP (RFC 1035 section 4.2.2): a length, then a header that makes sense; on other ports, just one whole message. */
const DNS_PREFIX_BYTES = 2;
const DNS_PORT = 53;

export function isDnsStream(view: DataView, offset: number, end: number, srcPort: number, dstPort: number): boolean {
  const message = offset + DNS_PREFIX_BYTES;
  if (end < message) return false;
  if (srcPort === DNS_PORT || dstPort === DNS_PORT) return isDnsHeader(view, message, end);
  return view.getUint16(offset) === end - message && isDnsMessage(view, message, end, end - message);
}
