import type { Packet } from './packet.js';
import { readPorts } from './ports.js';

/** TCP header (RFC 9293 section 3.1): offsets of its fields. */
const SEQUENCE = 4;
const ACKNOWLEDGEMENT = 8;
const DATA_OFFSET = 12;
const FLAGS = 13;
const WINDOW = 14;
const WINDOW_END = 16;
const HEADER_BYTES_MIN = 20;

/** The flag bits of a TCP header. */
export const enum TcpFlag {
  Fin = 0x01,
  Syn = 0x02,
  Rst = 0x04,
  Psh = 0x08,
  Ack = 0x10,
}

/**
 * Reads a TCP header into `packet` and returns its length in bytes, 20 where the capture ends before the length. What was cut
 * off stays 0. The length is not checked against the packet's; the caller must not trust it as an offset.
 */
export function readTcp(view: DataView, packet: Packet): number {
  readPorts(view, packet);
  const offset = packet.transportOffset;
  if (packet.transportEnd - offset <= FLAGS) return HEADER_BYTES_MIN;
  packet.tcpFlags = view.getUint8(offset + FLAGS);
  if (packet.transportEnd - offset >= WINDOW_END) {
    packet.tcpSeq = view.getInt32(offset + SEQUENCE);
    packet.tcpAck = view.getInt32(offset + ACKNOWLEDGEMENT);
    packet.tcpWindow = view.getUint16(offset + WINDOW);
    packet.hasTcp = 1;
  }
  return (view.getUint8(offset + DATA_OFFSET) >> 4) << 2;
}
