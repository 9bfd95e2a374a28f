import { Slot, TunnelBit } from '../ring/layout.js';
import type { Packet } from '../wire/packet.js';

/** Writes the tunnel of a flow's first packet, which went in `direction`, into the slot at `word`. Allocates nothing. */
export function keepTunnel(words: Int32Array, word: number, packet: Packet, direction: number): void {
  const bits = (packet.hasTunnelId === 1 ? TunnelBit.HasId : 0) | (direction === 1 ? TunnelBit.IsFromHi : 0);
  words[word + Slot.Tunnel] = packet.tunnelType | bits | (packet.tunnelIpVersion << TunnelBit.IpVersion);
  words[word + Slot.TunnelId] = packet.tunnelId;
  if (packet.tunnelIpVersion === 0) return;
  words[word + Slot.TunnelSrc] = packet.tunnelSrc0;
  words[word + Slot.TunnelSrc + 1] = packet.tunnelSrc1;
  words[word + Slot.TunnelSrc + 2] = packet.tunnelSrc2;
  words[word + Slot.TunnelSrc + 3] = packet.tunnelSrc3;
  words[word + Slot.TunnelDst] = packet.tunnelDst0;
  words[word + Slot.TunnelDst + 1] = packet.tunnelDst1;
  words[word + Slot.TunnelDst + 2] = packet.tunnelDst2;
  words[word + Slot.TunnelDst + 3] = packet.tunnelDst3;
}
