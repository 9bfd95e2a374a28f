import { Application } from '../../src/ring/application.js';
import { Detail } from '../../src/ring/flow-details.js';
import { EndReason, Slot, TcpState } from '../../src/ring/layout.js';
import { Device, DeviceSource, Dns } from '../../src/ring/name-records.js';
import { IpProtocol } from '../../src/wire/ip-protocol.js';
import { Random } from '../generate/random.js';
import { Zipf } from './zipf.js';

/** How large the network is. */
export interface HouseholdSize {
  readonly devices: number;
  readonly servers: number;
  readonly seed: number;
}

export const HOUSEHOLD: HouseholdSize = { devices: 30, servers: 20_000, seed: 1 };

/** Where a record is put: the same bytes in three views. */
export interface RecordTarget {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Buffer;
}

/** One server in so many is reached by IPv6. */
const IPV6_EVERY = 3;
/** So many servers share a name on the average. */
const SERVERS_PER_NAME = 4;
/** In 100 flows. */
const PERCENT_TLS = 50;
const PERCENT_QUIC = 65;
const PERCENT_HTTP = 70;
const PERCENT_DNS = 85;
const TLS_1_3 = 0x0304;
const JA4_KINDS = 12;
const PAYLOAD_HEADER = 40;
/** Longest record that is put: flow and details. */
export const HOUSEHOLD_RECORD_BYTES_MAX = 1024;

/**
 * Makes up the flows of a household or small office: few devices, many servers, of which few are asked most; most flows small, few
 * large; names as TLS, QUIC and HTTP tell them. The same for the same seed.
 */
export class Household {
  readonly names: readonly string[];
  private readonly random: Random;
  private readonly servers: Zipf;
  private readonly devices: Zipf;
  /** Details of flows, by server: name and protocol. */
  private readonly details: readonly Buffer[];

  constructor(size: HouseholdSize = HOUSEHOLD) {
    this.random = new Random(size.seed);
    this.servers = new Zipf(this.random, size.servers);
    this.devices = new Zipf(this.random, size.devices);
    const count = Math.ceil(size.servers / SERVERS_PER_NAME);
    this.names = Array.from({ length: count }, (_, i) => `${['www', 'cdn', 'api', 'img'][i % 4]}${i % 7}.site${i}.example.net`);
    this.details = this.names.map((name) => entry(Detail.Sni, Buffer.from(name)));
  }

  /** Address of a device, as text. */
  static deviceText(device: number): string {
    return `192.168.${1 + (device >> 8)}.${device & 0xff}`;
  }

  /** Address of a server, as text; the first ones are the busiest. */
  static serverText(server: number): string {
    return isIpv6(server) ? `2001:db8:0:${(server >>> 16).toString(16)}::${(server & 0xffff).toString(16)}` : ipv4Text(server);
  }

  /** Puts a flow record at byte offset `payload` and returns its length. */
  putFlow(target: RecordTarget, payload: number, emittedUs: number): number {
    const { random } = this;
    const device = this.devices.next();
    const server = this.servers.next();
    const kind = random.below(100);
    const isTcp = kind < PERCENT_TLS || (kind >= PERCENT_QUIC && kind < PERCENT_HTTP) || kind >= 95;
    const isIpv6Server = isIpv6(server);
    const port = kind < PERCENT_QUIC ? 443 : kind < PERCENT_HTTP ? 80 : kind < PERCENT_DNS ? 53 : 1024 + (server % 20_000);
    const { words, doubles } = target;
    const word = payload >> 2;
    const double = payload >> 3;
    words.fill(0, word, word + Slot.RecordBytes / 4);
    words[word + Slot.Protocol] = (isTcp ? IpProtocol.Tcp : IpProtocol.Udp) | ((isIpv6Server ? 6 : 4) << 20);
    words[word + Slot.Ports] = ((32_768 + random.below(28_000)) << 16) | port;
    putDevice(words, word + Slot.AddressLo, device, isIpv6Server);
    putServer(words, word + Slot.AddressHi, server);
    const packets = Math.ceil(random.heavyTailed());
    const durationUs = random.below(2 ** 20) * (1 + (packets >> 2));
    const bytesOut = packets * PAYLOAD_HEADER + random.below(400);
    const bytesIn = packets * (PAYLOAD_HEADER + random.below(1_400));
    doubles[double + Slot.StartUsF64] = emittedUs - 60e6 - durationUs;
    doubles[double + Slot.EndUsF64] = emittedUs - 60e6;
    doubles[double + Slot.EmittedUsF64] = emittedUs;
    doubles[double + Slot.Packets0F64] = packets;
    doubles[double + Slot.Packets1F64] = packets;
    doubles[double + Slot.IpBytes0F64] = bytesOut;
    doubles[double + Slot.IpBytes1F64] = bytesIn;
    doubles[double + Slot.WireBytes0F64] = bytesOut + 14 * packets;
    doubles[double + Slot.WireBytes1F64] = bytesIn + 14 * packets;
    doubles[double + Slot.PayloadBytes0F64] = bytesOut - packets * 32;
    doubles[double + Slot.PayloadBytes1F64] = bytesIn - packets * 32;
    words[word + Slot.EndReason] = isTcp ? EndReason.TcpFin : EndReason.Idle;
    if (isTcp) {
      words[word + Slot.TcpState] = TcpState.Closed;
      words[word + Slot.TcpFlags0] = 0x1b;
      words[word + Slot.TcpFlags1] = 0x1b;
      words[word + Slot.Initiator] = 2;
      words[word + Slot.RttClientUs] = 200 + random.below(3_000);
      words[word + Slot.RttServerUs] = 2_000 + ((server * 97) % 60_000) + random.below(8_000);
      if (packets > 20) words[word + Slot.Retransmits1] = random.below(4);
    }
    words[word + Slot.Application] =
      kind < PERCENT_TLS
        ? Application.Tls
        : kind < PERCENT_QUIC
          ? Application.Quic
          : kind < PERCENT_HTTP
            ? Application.Http
            : kind < PERCENT_DNS
              ? Application.Dns
              : Application.None;
    const length = kind < PERCENT_HTTP ? this.putDetails(target.bytes, payload + Slot.RecordBytes, server, device, kind) : 0;
    words[word + Slot.DetailBytes] = length;
    return Slot.RecordBytes + length;
  }

  /** Puts the record of a DNS transaction and returns its length. */
  putDns(target: RecordTarget, payload: number, emittedUs: number): number {
    const { words, doubles, bytes } = target;
    const word = payload >> 2;
    const double = payload >> 3;
    const server = this.servers.next();
    words.fill(0, word, word + Dns.HeaderBytes / 4);
    doubles[double + Dns.EmittedUsF64] = emittedUs;
    doubles[double + Dns.SeenUsF64] = emittedUs - 30_000;
    words[word + Dns.LatencyUs] = 1_000 + this.random.below(30_000);
    words[word + Dns.Type] = isIpv6(server) ? 28 : 1;
    words[word + Dns.Code] = this.random.below(50) === 0 ? 3 : 0;
    words[word + Dns.AnswerCount] = 1;
    words[word + Dns.TtlS] = 300;
    words[word + Dns.IpVersion] = 4;
    words[word + Dns.Ports] = ((32_768 + this.random.below(28_000)) << 16) | 53;
    putDevice(words, word + Dns.Client, this.devices.next(), false);
    words[word + Dns.Server + 3] = 0xc0a8_0101 | 0;
    const nameBytes = bytes.write(this.nameOf(server), payload + Dns.HeaderBytes, 'latin1');
    words[word + Dns.NameBytes] = nameBytes;
    if (isIpv6(server)) return Dns.HeaderBytes + nameBytes;
    const at = payload + Dns.HeaderBytes + nameBytes;
    bytes[at] = 1;
    bytes[at + 1] = 4;
    bytes.writeInt32BE(ipv4Of(server), at + 2);
    words[word + Dns.AnswerBytes] = 6;
    return Dns.HeaderBytes + nameBytes + 6;
  }

  /** Puts the sighting of a device and returns its length. */
  putDevice({ words, doubles }: RecordTarget, payload: number, emittedUs: number, device: number): number {
    const word = payload >> 2;
    words.fill(0, word, word + Device.HeaderBytes / 4);
    doubles[(payload >> 3) + Device.EmittedUsF64] = emittedUs;
    doubles[(payload >> 3) + Device.SeenUsF64] = emittedUs;
    words[word + Device.Source] = DeviceSource.Arp;
    words[word + Device.MacHigh] = 0x0200;
    words[word + Device.MacLow] = device;
    words[word + Device.IpVersion] = 4;
    putDevice(words, word + Device.Address, device, false);
    return Device.HeaderBytes;
  }

  private nameOf(server: number): string {
    return this.names[server % this.names.length] as string;
  }

  private putDetails(bytes: Buffer, at: number, server: number, device: number, kind: number): number {
    const name = this.details[server % this.details.length] as Buffer;
    name.copy(bytes, at);
    if (kind >= PERCENT_QUIC) {
      bytes[at] = Detail.HttpHost;
      return name.length + METHOD.copy(bytes, at + name.length);
    }
    if (kind >= PERCENT_TLS) bytes[at] = Detail.QuicSni;
    let length = name.length;
    length += (kind >= PERCENT_TLS ? ALPN_H3 : ALPN_H2).copy(bytes, at + length);
    length += VERSION.copy(bytes, at + length);
    length += (JA4[device % JA4_KINDS] as Buffer).copy(bytes, at + length);
    return length;
  }
}

function entry(kind: Detail, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(kind, value.length), value]);
}

const ALPN_H2 = entry(Detail.Alpn, Buffer.from('h2,http/1.1'));
const ALPN_H3 = entry(Detail.Alpn, Buffer.from('h3'));
const VERSION = entry(Detail.TlsVersion, Buffer.of(TLS_1_3 >> 8, TLS_1_3 & 0xff));
const METHOD = entry(Detail.HttpMethod, Buffer.from('GET'));
const JA4 = Array.from({ length: JA4_KINDS }, (_, i) =>
  entry(Detail.Ja4, Buffer.from(`t13d15${10 + i}h2_8daaf6152771_b186095e2${(100 + i).toString(16)}`)),
);

const isIpv6 = (server: number): boolean => server % IPV6_EVERY === 0;

/** Strewn over the address space, as those of servers are. */
function ipv4Of(server: number): number {
  return ((20 + (server % 150)) << 24) | (Math.imul(server, 40_503) & 0x00ff_ffff);
}

function ipv4Text(server: number): string {
  const ip = ipv4Of(server);
  return [ip >>> 24, (ip >> 16) & 0xff, (ip >> 8) & 0xff, ip & 0xff].join('.');
}

function putServer(words: Int32Array, word: number, server: number): void {
  if (!isIpv6(server)) {
    words[word + 3] = ipv4Of(server);
    return;
  }
  words[word] = 0x2001_0db8;
  words[word + 1] = server >>> 16;
  words[word + 3] = server & 0xffff;
}

function putDevice(words: Int32Array, word: number, device: number, isIpv6Address: boolean): void {
  if (isIpv6Address) {
    words[word] = 0xfd00_0000 | 0;
    words[word + 3] = device + 1;
  } else words[word + 3] = (0xc0a8_0100 + device) | 0;
}
