import { isDigit, startsWith } from './byte-match.js';

/** Port 138 (RFC 1002 section 4.4.1): type, flags, id, the sender's address and port. */
export function isNetBiosDatagram(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 10) return false;
  const type = view.getUint8(offset);
  return type >= 0x10 && type <= 0x16 && view.getUint8(offset + 1) <= 0x0f;
}

/** NTP (RFC 5905 section 7.3): leap, version and mode in a byte; control messages (RFC 9327) are shorter. */
const NTP_BYTES_MIN = 48;
const NTP_MODE_CONTROL = 6;

export function isNtp(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 8) return false;
  const first = view.getUint8(offset);
  const version = (first >> 3) & 7;
  const mode = first & 7;
  if (version < 1 || version > 5 || mode === 0) return false;
  return end - offset >= NTP_BYTES_MIN || mode >= NTP_MODE_CONTROL;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const PRIORITY_DIGITS_MAX = 3;

/** Syslog: a priority, then a version and a space (RFC 5424 section 6) or a month (RFC 3164 section 4.1.2); on its own port, anything. */
export function isSyslog(view: DataView, offset: number, end: number, isOnPort: boolean): boolean {
  if (end - offset < 5 || view.getUint8(offset) !== 0x3c) return false;
  let at = offset + 1;
  while (at < end && at <= offset + PRIORITY_DIGITS_MAX && isDigit(view.getUint8(at))) at++;
  if (at === offset + 1 || at >= end || view.getUint8(at) !== 0x3e) return false;
  if (isOnPort || startsWith(view, at + 1, end, '1 ')) return true;
  for (const month of MONTHS) if (startsWith(view, at + 1, end, month)) return true;
  return false;
}

/** CoAP (RFC 7252 section 3): version 1, length of the token, code in class and detail. */
export function isCoap(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 4 || view.getUint8(offset) >> 6 !== 1 || (view.getUint8(offset) & 0xf) > 8) return false;
  const codeClass = view.getUint8(offset + 1) >> 5;
  return codeClass === 0 || codeClass === 2 || codeClass === 4 || codeClass === 5;
}

/** RADIUS (RFC 2865 section 3): code, id, length, authenticator; what follows is padding. */
const RADIUS_BYTES_MIN = 20;

export function isRadius(view: DataView, offset: number, end: number, bytes: number): boolean {
  if (end - offset < RADIUS_BYTES_MIN) return false;
  const code = view.getUint8(offset);
  return code >= 1 && code <= 52 && view.getUint16(offset + 2) >= RADIUS_BYTES_MIN && view.getUint16(offset + 2) <= bytes;
}

/** TFTP (RFC 1350 section 5): a request to read or to write, then a file's name. */
export function isTftpRequest(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 6) return false;
  const operation = view.getUint16(offset);
  const first = view.getUint8(offset + 2);
  return (operation === 1 || operation === 2) && first > 0x20 && first !== 0x7f && view.getUint8(end - 1) === 0;
}

/** DHCP: request or reply, Ethernet's sort of address or another, and the cookie (RFC 2131 section 3). */
const DHCP_COOKIE = 236;
const DHCP_COOKIE_VALUE = 0x6382_5363;

export function isDhcp(view: DataView, offset: number, end: number): boolean {
  if (end - offset < DHCP_COOKIE + 4) return false;
  const operation = view.getUint8(offset);
  return (operation === 1 || operation === 2) && view.getUint32(offset + DHCP_COOKIE) === DHCP_COOKIE_VALUE;
}

/** DHCPv6 (RFC 8415 sections 8 and 9): type, three bytes of transaction, options of code and length; relays add 30 bytes. */
const enum Dhcpv6 {
  TypeMax = 36,
  RelayForward = 12,
  RelayReply = 13,
  RelayBytes = 34,
  HeaderBytes = 4,
  OptionHeaderBytes = 4,
  /** IANA has not come that far. */
  OptionMax = 255,
}

export function isDhcpv6(view: DataView, offset: number, end: number): boolean {
  if (end - offset < Dhcpv6.HeaderBytes) return false;
  const type = view.getUint8(offset);
  if (type === 0 || type > Dhcpv6.TypeMax) return false;
  if (type === Dhcpv6.RelayForward || type === Dhcpv6.RelayReply) return end - offset >= Dhcpv6.RelayBytes;
  const option = offset + Dhcpv6.HeaderBytes;
  if (option === end) return true;
  if (end - option < Dhcpv6.OptionHeaderBytes || view.getUint16(option) > Dhcpv6.OptionMax) return false;
  return view.getUint16(option + 2) <= end - option - Dhcpv6.OptionHeaderBytes;
}

/**
 * NetFlow 5 (count of 48-byte records), IPFIX (RFC 7011 section 3.1: its length); NetFlow 9 (RFC 3954 section 5.1) and those that are
 * hardly used only on a usual port.
 */
const enum NetFlow {
  Version1 = 1,
  Version5 = 5,
  Version7 = 7,
  Version9 = 9,
  Ipfix = 10,
  Header5Bytes = 24,
  Record5Bytes = 48,
  Records5Max = 30,
  HeaderBytes = 16,
}

export function isNetFlow(view: DataView, offset: number, end: number, bytes: number, isOnPort: boolean): boolean {
  if (end - offset < NetFlow.HeaderBytes) return false;
  const second = view.getUint16(offset + 2);
  switch (view.getUint16(offset)) {
    case NetFlow.Version5:
      return second >= 1 && second <= NetFlow.Records5Max && bytes === NetFlow.Header5Bytes + second * NetFlow.Record5Bytes;
    case NetFlow.Ipfix:
      return second === bytes;
    case NetFlow.Version1:
    case NetFlow.Version7:
    case NetFlow.Version9:
      return isOnPort;
    default:
      return false;
  }
}

/** RIP (RFC 2453 section 4) and RIPng (RFC 2080 section 2.1): request or response, version, two zero bytes in most versions. */
export function isRip(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 4) return false;
  const command = view.getUint8(offset);
  const version = view.getUint8(offset + 1);
  return (command === 1 || command === 2) && (version === 1 || version === 2) && view.getUint16(offset + 2) === 0;
}

/** sFlow 5 ("Datagram format"): version, then IPv4 or IPv6 as the sort of the agent's address. */
export function isSFlow(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 28 || view.getUint32(offset) !== 5) return false;
  const addressType = view.getUint32(offset + 4);
  return addressType === 1 || addressType === 2;
}
