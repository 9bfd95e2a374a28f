import type { Packet } from './packet.js';

/** TCP, UDP, UDP-Lite, SCTP and DCCP all begin with the source and the destination port. */
const PORTS_BYTES = 4;

/** Reads both ports if the capture holds them; otherwise they stay as they are. */
export function readPorts(view: DataView, packet: Packet): void {
  const offset = packet.transportOffset;
  if (packet.transportEnd - offset < PORTS_BYTES) return;
  packet.srcPort = view.getUint16(offset);
  packet.dstPort = view.getUint16(offset + 2);
}
