import { TcpProfile } from './open-flows.js';

/** TCP flags (RFC 9293 section 3.1). */
export const enum Flag {
  Fin = 1,
  Syn = 2,
  Rst = 4,
  Psh = 8,
  Ack = 16,
}

/** Transport payload of a full segment is the MTU less the headers; the script says `Full` and the writer knows how much it is. */
export const FULL_SEGMENT = -1;
const REQUEST_BYTES = 420;
const ANSWER_BYTES = 522;
const CHAT_BYTES = 18;
export const HANDSHAKE_PACKETS = 3;
export const FIN_PACKETS = 3;

/** One packet of a TCP flow, filled by `tcpPacket`. */
export interface TcpPacket {
  fromClient: boolean;
  /** `Flag`s. */
  flags: number;
  /** Payload bytes, or `FULL_SEGMENT`. */
  payloadBytes: number;
}

function fill(packet: TcpPacket, fromClient: boolean, flags: number, payloadBytes: number): void {
  packet.fromClient = fromClient;
  packet.flags = flags;
  packet.payloadBytes = payloadBytes;
}

/** Packets at the end of a flow of `packets` that carry no data. */
function closingPackets(packets: number, endsWithReset: boolean): number {
  return endsWithReset || packets <= HANDSHAKE_PACKETS + FIN_PACKETS ? 1 : FIN_PACKETS;
}

/**
 * Says what packet `index` of a TCP flow of `packets` is: handshake, request, data as the profile runs, and the end by FIN both
 * ways or RST. A flow of one packet is an attempt, a flow of two is rejected, a short one ends by RST.
 */
export function tcpPacket(packet: TcpPacket, index: number, packets: number, profile: TcpProfile, endsWithReset: boolean): void {
  const left = packets - 1 - index;
  const closing = closingPackets(packets, endsWithReset);
  if (index === 0) fill(packet, true, Flag.Syn, 0);
  else if (left === 0 && closing === 1) fill(packet, index === 1 ? false : !endsWithReset, Flag.Rst | Flag.Ack, 0);
  else if (index === 1) fill(packet, false, Flag.Syn | Flag.Ack, 0);
  else if (index === 2) fill(packet, true, Flag.Ack, 0);
  else if (left < closing) fill(packet, left !== 1, left === 0 ? Flag.Ack : Flag.Fin | Flag.Ack, 0);
  else if (index > HANDSHAKE_PACKETS) fillData(packet, index - HANDSHAKE_PACKETS - 1, profile);
  else fill(packet, true, Flag.Psh | Flag.Ack, profile === TcpProfile.Chat ? CHAT_BYTES : REQUEST_BYTES);
}

function fillData(packet: TcpPacket, data: number, profile: TcpProfile): void {
  if (profile === TcpProfile.Chat) {
    const turn = data % 3;
    if (turn === 0) fill(packet, false, Flag.Psh | Flag.Ack, ANSWER_BYTES);
    else if (turn === 1) fill(packet, true, Flag.Ack, 0);
    else fill(packet, true, Flag.Psh | Flag.Ack, CHAT_BYTES);
    return;
  }
  const period = profile === TcpProfile.Download ? 4 : 2;
  const isData = data % period !== period - 1;
  const senderIsClient = profile === TcpProfile.Upload;
  fill(packet, isData ? senderIsClient : !senderIsClient, Flag.Ack, isData ? FULL_SEGMENT : 0);
}
