import { IpProtocol } from '../../wire/ip-protocol.js';
import { LinkType } from '../../wire/link-type.js';
import { FragmentKind, type Packet } from '../../wire/packet.js';
import { TcpFlag } from '../../wire/tcp.js';
import { readArp } from './arp.js';
import { DeviceSightings } from './device-sightings.js';
import { DnsReader } from './dns-reader.js';
import { FlowDetails } from './flow-details.js';
import { isFromLink, NDP_TYPE_FIRST, NDP_TYPE_LAST, readNdp } from './ndp.js';
import type { RecordSink } from './record-sink.js';
import { TcpInspector } from './tcp-inspector.js';
import { UdpInspector } from './udp-inspector.js';

/** Offset of the sender's address in an Ethernet header. */
const ETHERNET_SRC = 6;

/** What one parse worker learns from payload: applications and names of flows, DNS transactions, devices. */
export class Inspector {
  private readonly sightings: DeviceSightings;
  private readonly dns: DnsReader;
  private readonly tcp: TcpInspector;
  private readonly udp: UdpInspector;

  /** `table` is the flow table's memory; DNS transactions and devices go to `sink`. */
  constructor(table: SharedArrayBuffer, sink: RecordSink, keepsHttpPath: boolean) {
    const details = new FlowDetails(table);
    this.sightings = new DeviceSightings(sink);
    this.dns = new DnsReader(sink, this.sightings);
    this.tcp = new TcpInspector(table, details, this.dns, keepsHttpPath);
    this.udp = new UdpInspector(table, details, this.dns, this.sightings);
  }

  /**
   * Looks into a packet of the flow in `slot`, sent in `direction`, whose frame starts at `frame`. Where the capture holds no payload,
   * it costs a comparison.
   */
  inspect(
    view: DataView,
    packet: Packet,
    slot: number,
    direction: number,
    frame: number,
    linkType: number,
    us: number,
    interfaceIndex: number,
  ): void {
    const payload = packet.transportOffset + packet.transportBytes - packet.payloadBytes;
    const end = packet.transportEnd;
    if (packet.protocol === IpProtocol.Tcp) {
      if (payload >= end && (packet.tcpFlags & TcpFlag.Syn) === 0) return;
      if (packet.fragment === FragmentKind.Later) return;
      this.tcp.inspect(view, packet, slot, direction, payload, end, us, interfaceIndex);
      return;
    }
    if (payload >= end || packet.fragment === FragmentKind.Later) return;
    const hasMac = linkType === LinkType.Ethernet && packet.tunnelType === 0;
    if (packet.protocol === IpProtocol.Udp) {
      const macHigh = hasMac ? view.getUint16(frame + ETHERNET_SRC) : 0;
      const macLow = hasMac ? view.getInt32(frame + ETHERNET_SRC + 2) : 0;
      this.udp.inspect(view, packet, slot, direction, payload, end, us, interfaceIndex, macHigh, macLow);
      return;
    }
    if (packet.protocol !== IpProtocol.Icmpv6 || packet.tunnelType !== 0) return;
    const type = packet.icmp >> 8;
    if (type >= NDP_TYPE_FIRST && type <= NDP_TYPE_LAST && isFromLink(view, packet))
      readNdp(view, packet.transportOffset, end, packet, this.sightings, us, interfaceIndex);
  }

  /** Takes an ARP packet that lies from `offset` to `end`. */
  takeArp(view: DataView, offset: number, end: number, us: number, interfaceIndex: number): void {
    readArp(view, offset, end, this.sightings, us, interfaceIndex);
  }

  /** Gives up on answers that are due by `nowUs`. */
  expire(nowUs: number): void {
    this.dns.expire(nowUs);
  }

  /** Gives up on all answers. */
  flush(): void {
    this.dns.flush();
  }
}
