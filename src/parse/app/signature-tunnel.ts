/** WireGuard (the protocol's page, "Protocol"): a type in little-endian 32 bits; lengths are those of its messages. */
const enum WireGuardMessage {
  Initiation = 1,
  Response = 2,
  CookieReply = 3,
  Data = 4,
  InitiationBytes = 148,
  ResponseBytes = 92,
  CookieReplyBytes = 64,
  DataBytesMin = 32,
}

/** Of a datagram with `bytes` of payload. Data are padded to 16 bytes. Allocates nothing, as all functions here. */
export function isWireGuard(view: DataView, offset: number, end: number, bytes: number): boolean {
  if (end - offset < WireGuardMessage.DataBytesMin) return false;
  switch (view.getUint32(offset, true)) {
    case WireGuardMessage.Initiation:
      return bytes === WireGuardMessage.InitiationBytes;
    case WireGuardMessage.Response:
      return bytes === WireGuardMessage.ResponseBytes;
    case WireGuardMessage.CookieReply:
      return bytes === WireGuardMessage.CookieReplyBytes;
    case WireGuardMessage.Data:
      return bytes % 16 === 0;
    default:
      return false;
  }
}

/**
 * OpenVPN ("Network protocol"): operation in five bits and key in three, session of eight bytes, a number of acknowledgements, these and
 * the session of the other side if there are any, the message's number. A control channel that is authenticated has, behind the session,
 * a hash, a packet number and a time; one that is encrypted has number and time there, and the rest is hidden.
 */
const enum OpenVpn {
  ClientResetV2 = 7 << 3,
  ServerResetV2 = 8 << 3,
  ClientResetV3 = 10 << 3,
  /** Without hash; the server's with one acknowledgement. */
  ClientResetBytes = 14,
  ServerResetBytes = 26,
  /** What follows the time in resets whose rest is not hidden. */
  ClientTailBytes = 5,
  ServerTailBytes = 17,
  /** Number and time. */
  ReplayBytes = 8,
  HiddenNumber = 9,
  HiddenBytesMin = 54,
}
/** The first packet number; the other one tells newer servers that the client knows cookies. */
const OPENVPN_NUMBER = 1;
const OPENVPN_NUMBER_COOKIES = 0x0f00_0001;

/** A reset, with which either side starts. */
export function isOpenVpnReset(view: DataView, offset: number, end: number): boolean {
  if (end - offset < OpenVpn.ClientResetBytes || view.getUint32(offset + 1) === 0) return false;
  switch (view.getUint8(offset)) {
    case OpenVpn.ClientResetV2:
      if (isOpenReset(view, offset, end, OpenVpn.ClientResetBytes, OpenVpn.ClientTailBytes, 0)) return true;
      return isHiddenReset(view, offset, end);
    case OpenVpn.ServerResetV2:
      if (isOpenReset(view, offset, end, OpenVpn.ServerResetBytes, OpenVpn.ServerTailBytes, 1)) return true;
      return isHiddenReset(view, offset, end);
    case OpenVpn.ClientResetV3:
      return isHiddenReset(view, offset, end);
    default:
      return false;
  }
}

/** A reset that ends in the number of acknowledgements, these, and message 0; if it is longer, it is authenticated. */
function isOpenReset(
  view: DataView,
  offset: number,
  end: number,
  plainBytes: number,
  tailBytes: number,
  acknowledgements: number,
): boolean {
  if (end - offset < plainBytes || view.getUint32(end - 4) !== 0) return false;
  if (view.getUint8(end - tailBytes) !== acknowledgements) return false;
  return end - offset === plainBytes || isFirstNumber(view.getUint32(end - tailBytes - OpenVpn.ReplayBytes));
}

function isHiddenReset(view: DataView, offset: number, end: number): boolean {
  return end - offset >= OpenVpn.HiddenBytesMin && isFirstNumber(view.getUint32(offset + OpenVpn.HiddenNumber));
}

function isFirstNumber(number: number): boolean {
  return number === OPENVPN_NUMBER || number === OPENVPN_NUMBER_COOKIES;
}

/** Over TCP, a length of 16 bits stands before each packet. */
export function isOpenVpnStream(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 2) return false;
  const packetEnd = offset + 2 + view.getUint16(offset);
  return packetEnd <= end && isOpenVpnReset(view, offset + 2, packetEnd);
}

/** IKE (RFC 7296 section 3.1, RFC 2408 section 3.1): both cookies, next payload, version, exchange, flags, message, length. */
const enum Ike {
  Version = 17,
  Exchange = 18,
  Length = 24,
  Bytes = 28,
}
const IKE_VERSIONS = [0x10, 0x20] as const;
const IKE_EXCHANGE_MAX = 43;
/** On port 4500, four zero bytes tell IKE from ESP (RFC 3948 section 2.2). */
const NON_ESP_MARKER_BYTES = 4;

export function isIke(view: DataView, offset: number, end: number, bytes: number): boolean {
  if (end - offset < Ike.Bytes || view.getUint32(offset) === 0) return false;
  const version = view.getUint8(offset + Ike.Version);
  if (version !== IKE_VERSIONS[0] && version !== IKE_VERSIONS[1]) return false;
  if (view.getUint8(offset + Ike.Exchange) > IKE_EXCHANGE_MAX) return false;
  return view.getUint32(offset + Ike.Length) === bytes;
}

export function isIkeOverEspPort(view: DataView, offset: number, end: number, bytes: number): boolean {
  if (end - offset < NON_ESP_MARKER_BYTES || view.getUint32(offset) !== 0) return false;
  return isIke(view, offset + NON_ESP_MARKER_BYTES, end, bytes - NON_ESP_MARKER_BYTES);
}

/** ESP on the port that it shares with IKE (RFC 3948 sections 2.1 and 2.2): an association, which is not 0, a number, and what is hidden. */
const ESP_UDP_PORT = 4500;
const ESP_BYTES_MIN = 8;

export function isEspOverUdp(view: DataView, offset: number, end: number, srcPort: number, dstPort: number): boolean {
  if (srcPort !== ESP_UDP_PORT && dstPort !== ESP_UDP_PORT) return false;
  return end - offset > ESP_BYTES_MIN && view.getUint32(offset) !== 0;
}

/** SOCKS 5 (RFC 1928 section 3): version, number of methods, methods; those above 9 and below 128 are nobody's (IANA). */
const SOCKS_METHOD_MAX = 9;
const SOCKS_METHOD_PRIVATE = 0x80;

/** A client's greeting, which ends with its last method. */
export function isSocks5Greeting(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 3 || view.getUint8(offset) !== 5) return false;
  if (view.getUint8(offset + 1) !== end - offset - 2) return false;
  for (let at = offset + 2; at < end; at++) {
    const method = view.getUint8(at);
    if (method > SOCKS_METHOD_MAX && method < SOCKS_METHOD_PRIVATE) return false;
  }
  return true;
}

/** SOCKS 4: version, connect or bind, port, address, a user of printable characters, and a zero byte at the end. */
const SOCKS4_HEADER_BYTES = 8;

export function isSocks4Request(view: DataView, offset: number, end: number): boolean {
  if (end - offset <= SOCKS4_HEADER_BYTES || view.getUint8(offset) !== 4 || view.getUint8(end - 1) !== 0) return false;
  const command = view.getUint8(offset + 1);
  if (command !== 1 && command !== 2) return false;
  for (let at = offset + SOCKS4_HEADER_BYTES; at < end - 1; at++) {
    const byte = view.getUint8(at);
    // Behind the user, a name of the host may follow (SOCKS 4a).
    if (byte !== 0 && (byte < 0x20 || byte > 0x7e)) return false;
  }
  return true;
}

/** VXLAN (RFC 7348 section 5): a flag that the network is given, zeros, network, zero. */
const VXLAN_FLAGS = 0x0800_0000;
const VXLAN_BYTES = 8;

export function isVxlan(view: DataView, offset: number, end: number): boolean {
  return end - offset > VXLAN_BYTES && view.getUint32(offset) === VXLAN_FLAGS && view.getUint8(offset + 7) === 0;
}
