import { startsWith } from './byte-match.js';

const BITTORRENT_HANDSHAKE = '\x13BitTorrent protocol';
/** Dictionaries of the distributed hash table (BEP 5, BEP 42), whose keys stand in order. */
const DHT_STARTS = ['d1:ad2:id20:', 'd1:rd2:id20:', 'd2:ip6:', 'd1:eli20'] as const;
const LOCAL_DISCOVERY = 'BT-SEARCH * HTTP/1.1';
/** A request to a tracker (BEP 15): this number, then action 0. */
const TRACKER_HIGH = 0x0000_0417;
const TRACKER_LOW = 0x2710_1980;
const TRACKER_REQUEST_BYTES = 16;

/** The handshake of BEP 3. Allocates nothing, as all functions here. */
export function isBitTorrentHandshake(view: DataView, offset: number, end: number): boolean {
  return startsWith(view, offset, end, BITTORRENT_HANDSHAKE);
}

export function isBitTorrentDatagram(view: DataView, offset: number, end: number): boolean {
  if (end - offset < TRACKER_REQUEST_BYTES) return false;
  switch (view.getUint8(offset)) {
    case 0x64:
      for (const start of DHT_STARTS) if (startsWith(view, offset, end, start)) return true;
      return false;
    case 0x42:
      return startsWith(view, offset, end, LOCAL_DISCOVERY);
    case 0x00:
      return (
        view.getUint32(offset) === TRACKER_HIGH && view.getUint32(offset + 4) === TRACKER_LOW && view.getUint32(offset + 8) === 0
      );
    default:
      return isMicroTransportStart(view, offset, end);
  }
}

/** uTP (BEP 29): type and version, extension, connection, time, difference of times, window, number, number acknowledged. */
const enum MicroTransport {
  Syn = 0x41,
  Extension = 1,
  Difference = 8,
  Acknowledged = 18,
  HeaderBytes = 20,
  /** With the one extension that is sent with it: kind, length 8, eight bits' worth of bytes. */
  ExtendedBytes = 30,
}

/** A connection's first packet: nothing was received before, so two fields are 0. */
function isMicroTransportStart(view: DataView, offset: number, end: number): boolean {
  if (view.getUint8(offset) !== MicroTransport.Syn || end - offset < MicroTransport.HeaderBytes) return false;
  const bytes =
    view.getUint8(offset + MicroTransport.Extension) === 0 ? MicroTransport.HeaderBytes : MicroTransport.ExtendedBytes;
  if (end - offset !== bytes) return false;
  return view.getUint32(offset + MicroTransport.Difference) === 0 && view.getUint16(offset + MicroTransport.Acknowledged) === 0;
}

/** Steam: a query to a server ("Server queries"), the discovery of clients in a local network, and datagrams through its relays. */
const NO_CONNECTION = 0xffff_ffff;
const SERVER_QUERY = 'TSource Engine Query';
const LOCAL_STEAM = '!L_\xa0';
const RELAYED = 'VS01';

export function isSteam(view: DataView, offset: number, end: number): boolean {
  if (startsWith(view, offset, end, RELAYED)) return true;
  if (end - offset < 8 || view.getUint32(offset) !== NO_CONNECTION) return false;
  return startsWith(view, offset + 4, end, SERVER_QUERY) || startsWith(view, offset + 4, end, LOCAL_STEAM);
}

/** Over TCP, a length of 32 bits, little-endian, and a magic word stand before each message of Steam's. */
const STEAM_MESSAGE = 'VT01';

export function isSteamStream(view: DataView, offset: number, end: number): boolean {
  return startsWith(view, offset + 4, end, STEAM_MESSAGE);
}

const VARINT_BYTES_MAX = 5;

/**
 * Minecraft ("Java Edition protocol", handshake): length, packet 0, version as a varint, the server's name with its length, port, and
 * what comes next: 1 status, 2 login, 3 transfer. What the client sends next may follow.
 */
export function isMinecraftHandshake(view: DataView, offset: number, end: number): boolean {
  if (end - offset < 8 || view.getUint8(offset) >= 0x80 || view.getUint8(offset + 1) !== 0) return false;
  const packetEnd = offset + 1 + view.getUint8(offset);
  if (packetEnd > end) return false;
  let at = offset + 2;
  while (at < packetEnd && at < offset + 2 + VARINT_BYTES_MAX && view.getUint8(at) >= 0x80) at++;
  const name = at + 2;
  if (name >= packetEnd) return false;
  const nameEnd = name + view.getUint8(name - 1);
  if (nameEnd === name || nameEnd + 3 !== packetEnd) return false;
  const next = view.getUint8(packetEnd - 1);
  return next >= 1 && next <= 3 && view.getUint8(name) > 0x20 && view.getUint8(name) < 0x7f;
}

/** Dropbox looks for others in a local network with an object that begins like this; Spotify with a magic word. */
const DROPBOX = '{"host_int": ';
const SPOTIFY = 'SpotUdp';

export function isDropbox(view: DataView, offset: number, end: number): boolean {
  return startsWith(view, offset, end, DROPBOX);
}

export function isSpotify(view: DataView, offset: number, end: number): boolean {
  return startsWith(view, offset, end, SPOTIFY);
}
