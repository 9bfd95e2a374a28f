import { TunnelType } from '../ring/tunnel-type.js';
import { etherTypeOfIp } from './ether-type.js';
import type { LinkLayer } from './link-layer.js';

/** GTP-U (3GPP TS 29.281 section 5.1): version, protocol type and flags; message type, length, endpoint. */
const HEADER_BYTES = 8;
const MESSAGE_TYPE = 1;
const ENDPOINT = 4;
const MESSAGE_PACKET = 0xff;
/** Version 1, and GTP, not GTP' which bills. */
const VERSION_AND_TYPE = 0x30;
const VERSION_AND_TYPE_MASK = 0xf0;

/** Any of these flags puts a sequence number, a packet number and the type of an extension header behind the header. */
const FLAGS_OPTIONAL = 0x07;
const FLAG_EXTENSION = 0x04;
const OPTIONAL_BYTES = 4;
const OPTIONAL_NEXT = 11;
/** Extension headers that are followed. */
const EXTENSIONS_MAX = 16;

/**
 * Reads the header of a user packet and skips its extension headers (section 5.2: length in words of four bytes, in front; type
 * of the next one, at the end). What is carried is known by its version nibble alone. Returns whether it is IP. Allocates nothing.
 */
export function readGtpU(view: DataView, offset: number, end: number, out: LinkLayer): boolean {
  if (end - offset < HEADER_BYTES + OPTIONAL_BYTES) return false;
  const flags = view.getUint8(offset);
  if ((flags & VERSION_AND_TYPE_MASK) !== VERSION_AND_TYPE) return false;
  if (view.getUint8(offset + MESSAGE_TYPE) !== MESSAGE_PACKET) return false;
  let next = offset + HEADER_BYTES;
  if ((flags & FLAGS_OPTIONAL) !== 0) {
    next += OPTIONAL_BYTES;
    let type = (flags & FLAG_EXTENSION) !== 0 ? view.getUint8(offset + OPTIONAL_NEXT) : 0;
    for (let count = 0; type !== 0; count++) {
      if (count === EXTENSIONS_MAX || next >= end) return false;
      const bytes = view.getUint8(next) << 2;
      if (bytes === 0 || end - next < bytes) return false;
      next += bytes;
      type = view.getUint8(next - 1);
    }
  }
  if (next >= end) return false;
  out.tunnelType = TunnelType.GtpU;
  out.tunnelId = view.getInt32(offset + ENDPOINT);
  out.hasTunnelId = 1;
  out.etherType = etherTypeOfIp(view.getUint8(next));
  out.offset = next;
  return true;
}
