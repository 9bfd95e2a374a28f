import { applicationOf } from '../../ring/application.js';
import { Detail } from '../../ring/flow-details.js';
import { Slot, Table } from '../../ring/layout.js';
import { isNamePort, NamePort } from '../../wire/name-ports.js';
import type { Packet } from '../../wire/packet.js';
import type { DeviceSightings } from './device-sightings.js';
import { readDhcp } from './dhcp.js';
import { readDhcpv6 } from './dhcpv6.js';
import type { DnsReader } from './dns-reader.js';
import type { FlowDetails } from './flow-details.js';
import { Inspect } from './inspect-state.js';
import { ja4 } from './ja4.js';
import { isQuicInitial } from './quic-header.js';
import { QuicHellos } from './quic-hellos.js';
import { recogniseUdp } from './recognise-udp.js';
import { rtpSource } from './signature-media.js';

const DNS = applicationOf('dns');
const MDNS = applicationOf('mdns');
const LLMNR = applicationOf('llmnr');
const NETBIOS = applicationOf('netbios');
const DHCP = applicationOf('dhcp');
const DHCPV6 = applicationOf('dhcpv6');
const QUIC = applicationOf('quic');
const RTP = applicationOf('rtp');

/** Datagrams of a flow that are looked at before it counts as not recognised. */
const TRIES_MAX = 6;

/** Reads datagrams: what application it is, and which names they tell. */
export class UdpInspector {
  private readonly quic = new QuicHellos();
  private readonly words: Int32Array;

  /** `table` is the flow table's memory. */
  constructor(
    table: SharedArrayBuffer,
    private readonly details: FlowDetails,
    private readonly dns: DnsReader,
    private readonly sightings: DeviceSightings,
  ) {
    this.words = new Int32Array(table);
  }

  /**
   * Takes the datagram `packet` of the flow in `slot`, sent in `direction`: its payload is what lies from `payload` to `end`. The
   * sender's hardware address is 0 where it is not known.
   */
  inspect(
    view: DataView,
    packet: Packet,
    slot: number,
    direction: number,
    payload: number,
    end: number,
    us: number,
    interfaceIndex: number,
    macHigh: number,
    macLow: number,
  ): void {
    const { words } = this;
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    if (isNamePort(packet.dstPort) || isNamePort(packet.srcPort)) {
      const application = this.readNames(view, packet, payload, end, us, interfaceIndex, macHigh, macLow);
      if (application !== 0) {
        words[word + Slot.Application] = application;
        return;
      }
    }
    let application = words[word + Slot.Application] as number;
    if (application === DNS) {
      // On another port than its own: a datagram before has shown it by its form.
      this.dns.readElsewhere(view, payload, end, packet, us, interfaceIndex);
      return;
    }
    const state = words[word + Slot.Inspect] as number;
    if ((state & Inspect.Done0) !== 0) return;
    if (isQuicInitial(view, payload, end)) {
      words[word + Slot.Application] = QUIC;
      if (((words[word + Slot.Initiator] as number) & 1) === direction) this.readQuic(view, slot, word, state, payload, end, us);
      return;
    }
    if (application === 0) {
      application = recogniseUdp(view, payload, end, packet.srcPort, packet.dstPort, packet.payloadBytes);
      if (application === RTP && !this.isSameSource(view, payload, word, direction)) application = 0;
      if (application === DNS) this.dns.readElsewhere(view, payload, end, packet, us, interfaceIndex);
      words[word + Slot.Application] = application;
    }
    // Whatever was recognised before, a server name may come with a QUIC packet only.
    const tries = (state & Inspect.TriesMask) + Inspect.Tries;
    const isDone = tries >= TRIES_MAX * Inspect.Tries || (application !== 0 && application !== QUIC);
    words[word + Slot.Inspect] = isDone ? state | Inspect.Done0 : (state & ~Inspect.TriesMask) | tries;
  }

  /**
   * One datagram is little to go by, so that other protocols and random bytes pass for RTP now and then: the next one of the same
   * direction has the same source.
   */
  private isSameSource(view: DataView, payload: number, word: number, direction: number): boolean {
    const source = rtpSource(view, payload);
    const isSame = this.words[word + Slot.StreamSeq0 + direction] === source;
    this.words[word + Slot.StreamSeq0 + direction] = source;
    return isSame;
  }

  private readQuic(view: DataView, slot: number, word: number, state: number, payload: number, end: number, us: number): void {
    if ((state & Inspect.Quic) === 0) {
      this.quic.forget(slot);
      this.words[word + Slot.Inspect] = state | Inspect.Quic;
    }
    const found = this.quic.read(slot, view, payload, end, us);
    if (found === null) return;
    const { details } = this;
    details.addText(slot, Detail.QuicSni, found.hello.serverName);
    details.addNumber(slot, Detail.QuicVersion, found.version, 4);
    details.addNumber(slot, Detail.TlsVersion, found.hello.version, 2);
    details.addText(slot, Detail.Ja4, ja4(found.hello, 'q'));
    details.addText(slot, Detail.Alpn, found.hello.alpn.join(','));
    this.quic.forget(slot);
    this.words[word + Slot.Inspect] = (this.words[word + Slot.Inspect] as number) | Inspect.Done0;
  }

  /** The application if the datagram was one of a protocol that tells names, otherwise 0. */
  private readNames(
    view: DataView,
    packet: Packet,
    payload: number,
    end: number,
    us: number,
    interfaceIndex: number,
    macHigh: number,
    macLow: number,
  ): number {
    const port = isNamePort(packet.dstPort) ? packet.dstPort : packet.srcPort;
    switch (port) {
      case NamePort.DhcpServer:
      case NamePort.DhcpClient:
        return readDhcp(view, payload, end, this.sightings, us, interfaceIndex) ? DHCP : 0;
      case NamePort.Dhcpv6Client:
      case NamePort.Dhcpv6Server:
        return readDhcpv6(view, payload, end, this.sightings, us, interfaceIndex) ? DHCPV6 : 0;
      default:
        if (!this.dns.readUdp(view, payload, end, packet, us, interfaceIndex, macHigh, macLow)) return 0;
        return applicationOfPort(packet);
    }
  }
}

/** Which of the protocols in the form of DNS it is. */
function applicationOfPort({ srcPort, dstPort }: Packet): number {
  if (srcPort === NamePort.Mdns || dstPort === NamePort.Mdns) return MDNS;
  if (srcPort === NamePort.Llmnr || dstPort === NamePort.Llmnr) return LLMNR;
  if (srcPort === NamePort.NetbiosName || dstPort === NamePort.NetbiosName) return NETBIOS;
  return DNS;
}
