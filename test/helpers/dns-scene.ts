import { DnsReader } from '../../src/parse/app/dns-reader.js';
import { FragmentKind, Packet } from '../../src/wire/packet.js';
import { inMemory } from './dns-bytes.js';
import { DnsRows } from './dns-rows.js';
import { address, viewOf } from './frame-bytes.js';
import { SeenDevices } from './seen-devices.js';

export interface Datagram {
  /** Address and port. */
  readonly from: readonly [address: string, port: number];
  readonly to: readonly [address: string, port: number];
  /** µs since the scene began. */
  readonly us?: number;
  readonly mac?: readonly [high: number, low: number];
  /** Length of the payload on the wire, if the capture cut it. */
  readonly wireBytes?: number;
  readonly fragment?: FragmentKind;
}

/** When scenes begin, µs since 1970. */
export const START_US = 1_700_000_000_000_000;

/** The four words of an address, as a packet has them. */
function addressWords(text: string): number[] {
  const bytes = address(text);
  const view = viewOf(bytes);
  return bytes.length === 4 ? [0, 0, 0, view.getInt32(0)] : [0, 4, 8, 12].map((offset) => view.getInt32(offset));
}

function packetOf({ from, to, fragment = FragmentKind.Whole }: Datagram, payloadBytes: number): Packet {
  const packet = new Packet();
  packet.ipVersion = from[0].includes(':') ? 6 : 4;
  [packet.src0, packet.src1, packet.src2, packet.src3] = addressWords(from[0]) as [number, number, number, number];
  [packet.dst0, packet.dst1, packet.dst2, packet.dst3] = addressWords(to[0]) as [number, number, number, number];
  packet.srcPort = from[1];
  packet.dstPort = to[1];
  packet.payloadBytes = payloadBytes;
  packet.fragment = fragment;
  return packet;
}

/** A reader of DNS with what comes out of it. */
export class DnsScene {
  readonly devices = new SeenDevices();
  readonly reader: DnsReader;
  private readonly sink = new DnsRows();

  constructor() {
    this.reader = new DnsReader(this.sink, this.devices.sightings);
  }

  /** Whether the datagram was taken. */
  udp(datagram: Datagram, bytes: Uint8Array): boolean {
    const { view, offset, end } = inMemory(bytes);
    const packet = packetOf(datagram, datagram.wireBytes ?? bytes.length);
    const [high, low] = datagram.mac ?? [0, 0];
    return this.reader.readUdp(view, offset, end, packet, START_US + (datagram.us ?? 0), 2, high, low);
  }

  tcp(segment: Datagram, message: Uint8Array): boolean {
    const { view, offset, end } = inMemory(message);
    return this.reader.readTcpMessage(view, offset, end, message.length, packetOf(segment, 0), START_US + (segment.us ?? 0), 2);
  }

  /** Rows since the last call. */
  rows(): ReturnType<DnsRows['take']> {
    return this.sink.take();
  }

  /** Name, type, code and latency of those rows. */
  told(): string[] {
    return this.rows().map(({ name, type, code, latencyUs }) => `${name} ${type} ${code} ${latencyUs}`);
  }

  /** Source, hardware address, address and name of the devices since the last call. */
  seen(): string[] {
    return this.devices.devices.splice(0).map(({ source, mac, ip, name }) => `${source} ${mac || '-'} ${ip} ${name}`);
  }
}
