import { FlowKind, type OpenFlows, TcpProfile } from './open-flows.js';
import type { Random } from './random.js';

/** Clients of the generated network and servers that they talk to. */
const CLIENTS = 256;
const SERVERS = 1024;
/** Servers 0 to 3 are the resolvers that DNS flows go to. */
const RESOLVERS = 4;
const CLIENT_PORT_MIN = 1024;
const PORT_MAX = 65_535;

/** The most flows that have different keys for certain: the clients' ports suffice, and ICMP flows that find no pair are UDP. */
export const FLOWS_MAX = 10_000_000;

/** Shares of the flows out of 256, the rest is TCP. */
const DNS_SHARE = 96;
const UDP_BULK_SHARE = 20;
const ICMP_SHARE = 12;
const IPV6_SHARE = 64;
const RESET_SHARE = 38;
const CHAT_SHARE = 24;
const PACED_SHARE = 24;
const UPLOAD_SHARE = 32;
/** Longer flows move data in full segments. */
const CHAT_PACKETS_MAX = 64;
const SHORT_SHARE = (DNS_SHARE + ICMP_SHARE) / 256;
const DNS_PACKETS = 2;
const ICMP_PACKETS_MEAN = 5;
const SHORT_PACKETS_MEAN = (DNS_SHARE * DNS_PACKETS + ICMP_SHARE * ICMP_PACKETS_MEAN) / (DNS_SHARE + ICMP_SHARE);
/** Handshake, one request and the end: what most TCP flows have at least. */
const LONG_PACKETS_MIN = 7;
/** Mean of the heavy tail as the limits below cut it, in captures of the usual size. */
const HEAVY_TAIL_MEAN = 5.5;
/** No flow but the last takes more than this share of the packets that are left, so that none of them is the whole capture. */
const FLOW_SHARE_MAX = 1 / 256;
const FLOW_PACKETS_MAX_LEAST = 64;

const DNS_PORT = 53;
const TCP_PORTS = [443, 443, 443, 443, 443, 443, 80, 80, 8443, 993, 22, 5223, 1883, 8080, 25, 445];
const UDP_PORTS = [443, 443, 443, 443, 443, 443, 443, 443, 3478, 3478, 51_820, 51_820, 4500, 1194, 5004, 27_015];

/** Server numbers so often as their popularity asks for: the k-th in proportion to 1/k (Zipf). */
function zipfTable(): Uint16Array {
  const table = new Uint16Array(65_536);
  let weights = 0;
  for (let k = 1; k <= SERVERS; k++) weights += 1 / k;
  let cumulated = 0;
  let from = 0;
  for (let k = 1; k <= SERVERS; k++) {
    cumulated += 1 / k;
    const to = k === SERVERS ? table.length : Math.floor((cumulated / weights) * table.length);
    table.fill(k - 1, from, to);
    from = to;
  }
  return table;
}

/**
 * Decides what the next flow is. Every flow has a key of its own, the flows given are as many and have together as many packets
 * as asked for.
 */
export class FlowMix {
  private readonly popular = zipfTable();
  private readonly portsUsed = new Uint16Array(CLIENTS);
  private icmpFlows4 = 0;
  private icmpFlows6 = 0;
  private packetsLeft: number;
  private flowsUnopened: number;

  /** `packets` ≥ `flows` ≥ 1, `flows` ≤ `FLOWS_MAX`; the caller checks that. */
  constructor(
    private readonly random: Random,
    packets: number,
    flows: number,
  ) {
    this.packetsLeft = packets;
    this.flowsUnopened = flows;
  }

  /** Flows that have not been opened yet. */
  get flowsLeft(): number {
    return this.flowsUnopened;
  }

  /** Opens the next flow in `slot`; `flowsLeft` must not be 0. */
  open(flows: OpenFlows, slot: number): void {
    const random = this.random;
    const kind = this.pickKind();
    const ipVersion = random.below(256) < IPV6_SHARE ? 6 : 4;
    flows.kind[slot] = kind;
    flows.ipVersion[slot] = ipVersion;
    const server = this.popular[random.next() >>> 16] as number;
    flows.server[slot] = kind === FlowKind.Dns ? server % RESOLVERS : server;
    flows.askedServer[slot] = server;
    if (kind !== FlowKind.IcmpEcho || !this.takeIcmpPair(flows, slot, ipVersion)) this.takeClientPort(flows, slot);
    flows.endsWithReset[slot] = random.below(256) < RESET_SHARE ? 1 : 0;
    flows.timestamps[slot] = (flows.client[slot] as number) & 1;
    const packets = this.takePackets(flows.kind[slot] as FlowKind);
    flows.packets[slot] = packets;
    flows.profile[slot] = this.pickProfile(packets);
    flows.packetsSent[slot] = 0;
    flows.clientSequence[slot] = random.next();
    flows.serverSequence[slot] = random.next();
  }

  private pickKind(): FlowKind {
    const draw = this.random.below(256);
    if (draw < DNS_SHARE) return FlowKind.Dns;
    if (draw < DNS_SHARE + UDP_BULK_SHARE) return FlowKind.UdpBulk;
    return draw < DNS_SHARE + UDP_BULK_SHARE + ICMP_SHARE ? FlowKind.IcmpEcho : FlowKind.Tcp;
  }

  private pickProfile(packets: number): TcpProfile {
    const draw = this.random.below(256);
    if (draw < CHAT_SHARE && packets <= CHAT_PACKETS_MAX) return TcpProfile.Chat;
    if (draw < CHAT_SHARE + PACED_SHARE) return TcpProfile.DownloadPaced;
    return draw < CHAT_SHARE + PACED_SHARE + UPLOAD_SHARE ? TcpProfile.Upload : TcpProfile.Download;
  }

  /** ICMP has no ports, so each echo flow takes a pair of addresses of its own. False when all are taken: it becomes UDP. */
  private takeIcmpPair(flows: OpenFlows, slot: number, ipVersion: number): boolean {
    const index = ipVersion === 4 ? this.icmpFlows4++ : this.icmpFlows6++;
    if (index >= CLIENTS * SERVERS) {
      flows.kind[slot] = FlowKind.UdpBulk;
      return false;
    }
    flows.client[slot] = index % CLIENTS;
    // The offset by the client spreads the first round of pairs over many servers.
    flows.server[slot] = (Math.floor(index / CLIENTS) + index * 7) % SERVERS;
    flows.clientPort[slot] = index & 0xffff;
    return true;
  }

  /** Some clients are busier than others; each port of a client is used once in the whole capture. */
  private takeClientPort(flows: OpenFlows, slot: number): void {
    let client = Math.min(this.random.below(CLIENTS), this.random.below(CLIENTS));
    while ((this.portsUsed[client] as number) > PORT_MAX - CLIENT_PORT_MIN) client = (client + 1) % CLIENTS;
    const used = this.portsUsed[client] as number;
    this.portsUsed[client] = used + 1;
    flows.client[slot] = client;
    flows.clientPort[slot] = CLIENT_PORT_MIN + used;
    const ports = flows.kind[slot] === FlowKind.Tcp ? TCP_PORTS : UDP_PORTS;
    flows.serverPort[slot] = flows.kind[slot] === FlowKind.Dns ? DNS_PORT : (ports[this.random.below(ports.length)] as number);
  }

  private takePackets(kind: FlowKind): number {
    const mean = this.packetsLeft / this.flowsUnopened;
    this.flowsUnopened--;
    const most = this.packetsLeft - this.flowsUnopened;
    const packets = this.flowsUnopened === 0 ? most : Math.min(most, this.drawPackets(kind, mean));
    this.packetsLeft -= packets;
    return packets;
  }

  /** The mean is what each flow still to come can have, so that the draws correct each other. */
  private drawPackets(kind: FlowKind, mean: number): number {
    if (kind === FlowKind.Dns) return DNS_PACKETS;
    if (kind === FlowKind.IcmpEcho) return 2 * (1 + this.random.below(4));
    const longMean = Math.max(1, (mean - SHORT_SHARE * SHORT_PACKETS_MEAN) / (1 - SHORT_SHARE));
    const least = Math.min(LONG_PACKETS_MIN, Math.floor(longMean / 2) + 1);
    const tail = Math.floor((this.random.heavyTailed() * (longMean - least)) / HEAVY_TAIL_MEAN);
    const most = Math.max(FLOW_PACKETS_MAX_LEAST, Math.floor(this.packetsLeft * FLOW_SHARE_MAX), Math.floor(4 * longMean));
    return Math.min(most, least + Math.max(0, tail));
  }
}
