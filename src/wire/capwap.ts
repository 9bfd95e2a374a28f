import { TunnelType } from '../ring/tunnel-type.js';
import { EtherType } from './ether-type.js';
import { ieee80211ByOrder } from './ieee80211.js';
import type { LinkLayer } from './link-layer.js';

/**
 * Header of the data channel of CAPWAP (RFC 5415 section 4.3), in a word of 32 bits: version and type, length in words, radio, kind of
 * radio, flags. Number and offset of a fragment follow; the radio's address and more may stand behind them.
 */
const LENGTH_SHIFT = 19;
const LENGTH_MASK = 0x1f;
const RADIO_SHIFT = 9;
const RADIO_MASK = 0x1f;
const RADIO_IEEE80211 = 1;
/** The payload is a frame of the radio, not of Ethernet. */
const FLAG_NATIVE = 0x0100;
const FLAG_FRAGMENT = 0x0080;
const FLAG_KEEP_ALIVE = 0x0008;
const FRAGMENT_OFFSET = 6;
const FRAGMENT_OFFSET_SHIFT = 3;
const HEADER_BYTES_MIN = 8;

/**
 * Reads the header between an access point and its controller. Returns whether it carries the start of a frame in the clear; what DTLS
 * protects begins with another type. Allocates nothing.
 */
export function readCapwap(view: DataView, offset: number, end: number, out: LinkLayer): boolean {
  if (end - offset < HEADER_BYTES_MIN || view.getUint8(offset) !== 0) return false;
  const word = view.getUint32(offset);
  if ((word & FLAG_KEEP_ALIVE) !== 0) return false;
  if ((word & FLAG_FRAGMENT) !== 0 && view.getUint16(offset + FRAGMENT_OFFSET) >> FRAGMENT_OFFSET_SHIFT !== 0) return false;
  const bytes = ((word >> LENGTH_SHIFT) & LENGTH_MASK) << 2;
  if (bytes < HEADER_BYTES_MIN || end - offset <= bytes) return false;
  out.tunnelType = TunnelType.Capwap;
  out.hasTunnelId = 0;
  out.offset = offset + bytes;
  if ((word & FLAG_NATIVE) === 0) out.etherType = EtherType.Ethernet;
  else if (((word >> RADIO_SHIFT) & RADIO_MASK) === RADIO_IEEE80211) out.etherType = ieee80211ByOrder(view, out.offset, end);
  else return false;
  return true;
}
