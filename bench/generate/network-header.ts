import { foldChecksum, sumWords } from './checksum.js';

const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const IPV6_BYTES = 40;
const TTL = 64;

/** Where the transport header starts in a frame. */
export function transportOffset(ipVersion: number): number {
  return ETHERNET_BYTES + (ipVersion === 6 ? IPV6_BYTES : IPV4_BYTES);
}

/** Clients are 192.168.0.1 to .256 as a number behind the prefix, and the same in fd00::/8 (RFC 4193). */
const CLIENT_PREFIX_4 = 0xc0a80001;
const CLIENT_PREFIX_6 = 0xfd00f10b;
/** Servers are in 198.18.0.0/15 (RFC 2544) and 2001:2::/48 (RFC 5180), which are set aside for benchmarks. */
const SERVER_PREFIX_4 = 0xc6120101;
const SERVER_PREFIX_6 = 0x20010002;

/** IPv4 address of a server, as a number. */
export function serverAddress4(server: number): number {
  return SERVER_PREFIX_4 + server;
}

/** Writes the IPv6 address of a server at `offset`. */
export function writeServerAddress6(view: DataView, offset: number, server: number): void {
  writeAddress6(view, offset, SERVER_PREFIX_6, server);
}

function writeAddress6(view: DataView, offset: number, prefix: number, host: number): void {
  view.setUint32(offset, prefix);
  view.setUint32(offset + 4, 0);
  view.setUint32(offset + 8, 0);
  view.setUint32(offset + 12, host + 1);
}

/**
 * Writes Ethernet and IP headers of a frame at `offset` and returns the sum of the pseudo header that the transport checksum
 * starts from (RFC 9293 section 3.1, RFC 8200 section 8.1). `identification` is used for IPv4. Allocates nothing.
 */
export function writeNetworkHeader(
  view: DataView,
  offset: number,
  ipVersion: number,
  protocol: number,
  client: number,
  server: number,
  fromClient: boolean,
  transportBytes: number,
  identification: number,
): number {
  // Locally administered addresses: 02:00:00:00:…; the gateway is :ff:fe.
  view.setUint16(offset, 0x0200);
  view.setUint32(offset + 2, fromClient ? 0xfffe : client);
  view.setUint16(offset + 6, 0x0200);
  view.setUint32(offset + 8, fromClient ? client : 0xfffe);
  const ip = offset + ETHERNET_BYTES;
  if (ipVersion === 6) {
    view.setUint16(offset + 12, 0x86dd);
    view.setUint32(ip, 0x60000000);
    view.setUint16(ip + 4, transportBytes);
    view.setUint8(ip + 6, protocol);
    view.setUint8(ip + 7, TTL);
    writeAddress6(view, ip + (fromClient ? 8 : 24), CLIENT_PREFIX_6, client);
    writeAddress6(view, ip + (fromClient ? 24 : 8), SERVER_PREFIX_6, server);
    return sumWords(view, ip + 8, ip + IPV6_BYTES) + protocol + transportBytes;
  }
  view.setUint16(offset + 12, 0x0800);
  view.setUint16(ip, 0x4500);
  view.setUint16(ip + 2, IPV4_BYTES + transportBytes);
  view.setUint16(ip + 4, identification);
  view.setUint16(ip + 6, 0x4000);
  view.setUint8(ip + 8, TTL);
  view.setUint8(ip + 9, protocol);
  view.setUint16(ip + 10, 0);
  view.setUint32(ip + (fromClient ? 12 : 16), CLIENT_PREFIX_4 + client);
  view.setUint32(ip + (fromClient ? 16 : 12), SERVER_PREFIX_4 + server);
  const addresses = sumWords(view, ip + 12, ip + IPV4_BYTES);
  view.setUint16(ip + 10, foldChecksum(sumWords(view, ip, ip + 12) + addresses));
  return addresses + protocol + transportBytes;
}
