import { FILL_BYTE, foldChecksum, sumFill, sumWords } from './checksum.js';
import { dnsBytes, writeDnsMessage } from './dns-message.js';
import { FirstBytes, requestBytes } from './first-bytes.js';
import { transportOffset, writeNetworkHeader } from './network-header.js';
import { FlowKind, type OpenFlows, TcpProfile } from './open-flows.js';
import { Flag, FULL_SEGMENT, HANDSHAKE_PACKETS, type TcpPacket, tcpPacket } from './tcp-script.js';

/** Longest and shortest frame, without the frame check sequence. */
export const FRAME_BYTES_MAX = 1514;
const FRAME_BYTES_MIN = 60;

const UDP_BYTES = 8;
const TCP_BYTES = 20;
const TCP_TIMESTAMP_BYTES = 12;
const TCP_WINDOW = 64_240;
const ICMP_BYTES = 8;
const ICMP_PAYLOAD_BYTES = 56;
const UDP_BULK_FRAME_BYTES = 1292;
const UDP_BULK_ACK_BYTES = 33;
const QUIC_PORT = 443;
const PROTOCOL_ICMP = 1;
const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
const PROTOCOL_ICMPV6 = 58;

/** Writes the next packet of an open flow as an Ethernet frame, with all checksums. Allocates nothing per frame. */
export class FrameWriter {
  private readonly packet: TcpPacket = { fromClient: true, flags: 0, payloadBytes: 0 };
  private readonly firstBytes: FirstBytes;
  private identification = 0;

  /** IP bytes of the last frame. */
  ipBytes = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly view: DataView,
    private readonly flows: OpenFlows,
  ) {
    this.firstBytes = new FirstBytes(bytes, view);
  }

  /**
   * Writes the next packet of the flow in `slot` at `offset`, where `FRAME_BYTES_MAX` bytes have room, and returns its length.
   * `timeMs` goes into TCP's timestamps.
   */
  write(slot: number, offset: number, timeMs: number): number {
    const flows = this.flows;
    const ipVersion = flows.ipVersion[slot] as number;
    const index = flows.packetsSent[slot] as number;
    flows.packetsSent[slot] = index + 1;
    const transport = transportOffset(ipVersion);
    const kind = flows.kind[slot] as FlowKind;
    let transportBytes: number;
    if (kind === FlowKind.Tcp) transportBytes = this.tcp(slot, offset, transport, index, timeMs);
    else if (kind === FlowKind.Dns) transportBytes = this.dns(slot, offset, transport, index);
    else if (kind === FlowKind.UdpBulk) transportBytes = this.udpBulk(slot, offset, transport, index);
    else transportBytes = this.icmp(slot, offset, transport, index);
    const frameBytes = transport + transportBytes;
    this.ipBytes = frameBytes - 14;
    if (frameBytes >= FRAME_BYTES_MIN) return frameBytes;
    this.bytes.fill(0, offset + frameBytes, offset + FRAME_BYTES_MIN);
    return FRAME_BYTES_MIN;
  }

  private network(slot: number, offset: number, protocol: number, fromClient: boolean, transportBytes: number): number {
    const flows = this.flows;
    this.identification = (this.identification + 1) & 0xffff;
    return writeNetworkHeader(
      this.view,
      offset,
      flows.ipVersion[slot] as number,
      protocol,
      flows.client[slot] as number,
      flows.server[slot] as number,
      fromClient,
      transportBytes,
      this.identification,
    );
  }

  private fillPayload(start: number, bytes: number): number {
    if (bytes > 0) this.bytes.fill(FILL_BYTE, start, start + bytes);
    return sumFill(bytes);
  }

  private ports(slot: number, at: number, fromClient: boolean): void {
    const clientPort = this.flows.clientPort[slot] as number;
    const serverPort = this.flows.serverPort[slot] as number;
    this.view.setUint16(at, fromClient ? clientPort : serverPort);
    this.view.setUint16(at + 2, fromClient ? serverPort : clientPort);
  }

  private tcp(slot: number, offset: number, transport: number, index: number, timeMs: number): number {
    const { view, flows, packet } = this;
    const profile = flows.profile[slot] as TcpProfile;
    tcpPacket(packet, index, flows.packets[slot] as number, profile, flows.endsWithReset[slot] === 1);
    const hasTimestamps = flows.timestamps[slot] === 1;
    const headerBytes = hasTimestamps ? TCP_BYTES + TCP_TIMESTAMP_BYTES : TCP_BYTES;
    const full = FRAME_BYTES_MAX - transport - headerBytes;
    const isFirst = profile !== TcpProfile.Chat && packet.payloadBytes !== 0 && index <= HANDSHAKE_PACKETS + 1;
    const port = flows.serverPort[slot] as number;
    const ownBytes = isFirst && packet.fromClient && index === HANDSHAKE_PACKETS ? requestBytes(port) : null;
    const payloadBytes = ownBytes ?? (packet.payloadBytes === FULL_SEGMENT ? full : packet.payloadBytes);
    const pseudo = this.network(slot, offset, PROTOCOL_TCP, packet.fromClient, headerBytes + payloadBytes);
    const at = offset + transport;
    this.ports(slot, at, packet.fromClient);
    const own = packet.fromClient ? flows.clientSequence : flows.serverSequence;
    const other = packet.fromClient ? flows.serverSequence : flows.clientSequence;
    const sequence = own[slot] as number;
    view.setUint32(at + 4, sequence);
    view.setUint32(at + 8, (packet.flags & Flag.Ack) === 0 ? 0 : (other[slot] as number));
    view.setUint16(at + 12, (headerBytes << 10) | packet.flags);
    view.setUint16(at + 14, TCP_WINDOW);
    view.setUint32(at + 16, 0);
    if (hasTimestamps) {
      // Two NOPs to align it, then kind 8 and length 10 (RFC 7323 section 3.2).
      view.setUint32(at + 20, 0x0101080a);
      view.setUint32(at + 24, timeMs);
      view.setUint32(at + 28, timeMs - 1);
    }
    let payloadSum = this.fillPayload(at + headerBytes, payloadBytes);
    if (isFirst) {
      this.firstBytes.tcp(at + headerBytes, payloadBytes, packet.fromClient, port, flows.server[slot] as number);
      payloadSum = sumWords(view, at + headerBytes, at + headerBytes + payloadBytes);
    }
    view.setUint16(at + 16, foldChecksum(pseudo + sumWords(view, at, at + headerBytes) + payloadSum));
    own[slot] = sequence + payloadBytes + ((packet.flags & (Flag.Syn | Flag.Fin)) === 0 ? 0 : 1);
    return headerBytes + payloadBytes;
  }

  /** Writes the UDP header and the checksum over it and a payload whose sum is given. */
  private udpHeader(slot: number, at: number, fromClient: boolean, bytes: number, sum: number): void {
    this.ports(slot, at, fromClient);
    this.view.setUint16(at + 4, bytes);
    this.view.setUint16(at + 6, 0);
    // A checksum of zero would say that there is none (RFC 768).
    this.view.setUint16(at + 6, foldChecksum(sum + sumWords(this.view, at, at + UDP_BYTES)) || 0xffff);
  }

  private dns(slot: number, offset: number, transport: number, index: number): number {
    const ipVersion = this.flows.ipVersion[slot] as number;
    const isAnswer = (index & 1) === 1;
    const bytes = UDP_BYTES + dnsBytes(ipVersion, isAnswer);
    const pseudo = this.network(slot, offset, PROTOCOL_UDP, !isAnswer, bytes);
    const at = offset + transport;
    const identifier = (this.flows.clientSequence[slot] as number) & 0xffff;
    writeDnsMessage(this.view, at + UDP_BYTES, ipVersion, isAnswer, identifier, this.flows.askedServer[slot] as number);
    this.udpHeader(slot, at, !isAnswer, bytes, pseudo + sumWords(this.view, at + UDP_BYTES, at + bytes));
    return bytes;
  }

  /** One large datagram from the client, then two from the server for each small one back, as QUIC downloads run. */
  private udpBulk(slot: number, offset: number, transport: number, index: number): number {
    const fromClient = index % 3 === 0;
    const isLarge = !fromClient || index === 0;
    const bytes = isLarge ? UDP_BULK_FRAME_BYTES - transport : UDP_BYTES + UDP_BULK_ACK_BYTES;
    const pseudo = this.network(slot, offset, PROTOCOL_UDP, fromClient, bytes);
    const at = offset + transport;
    let payloadSum = this.fillPayload(at + UDP_BYTES, bytes - UDP_BYTES);
    if (index === 0 && this.flows.serverPort[slot] === QUIC_PORT) {
      this.firstBytes.quicInitial(at + UDP_BYTES, bytes - UDP_BYTES, this.flows.server[slot] as number);
      payloadSum = sumWords(this.view, at + UDP_BYTES, at + bytes);
    }
    this.udpHeader(slot, at, fromClient, bytes, pseudo + payloadSum);
    return bytes;
  }

  /** Echo request and reply in turn (RFC 792, RFC 4443 section 4). */
  private icmp(slot: number, offset: number, transport: number, index: number): number {
    const view = this.view;
    const isReply = (index & 1) === 1;
    const isIpv6 = this.flows.ipVersion[slot] === 6;
    const bytes = ICMP_BYTES + ICMP_PAYLOAD_BYTES;
    const pseudo = this.network(slot, offset, isIpv6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP, !isReply, bytes);
    const at = offset + transport;
    view.setUint16(at, (isIpv6 ? (isReply ? 129 : 128) : isReply ? 0 : 8) << 8);
    view.setUint16(at + 2, 0);
    view.setUint16(at + 4, this.flows.clientPort[slot] as number);
    view.setUint16(at + 6, index >> 1);
    // ICMP for IPv4 sums no pseudo header.
    const sum =
      (isIpv6 ? pseudo : 0) + sumWords(view, at, at + ICMP_BYTES) + this.fillPayload(at + ICMP_BYTES, ICMP_PAYLOAD_BYTES);
    view.setUint16(at + 2, foldChecksum(sum));
    return bytes;
  }
}
