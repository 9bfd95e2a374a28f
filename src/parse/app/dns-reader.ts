import { RecordKind } from '../../ring/layout.js';
import { DeviceSource, DnsTransport } from '../../ring/name-records.js';
import { isNamePort, NamePort } from '../../wire/name-ports.js';
import { FragmentKind, type Packet } from '../../wire/packet.js';
import type { DeviceSightings } from './device-sightings.js';
import { DnsDraft } from './dns-draft.js';
import { DnsMessage } from './dns-message.js';
import { DNS_HEADER_BYTES } from './dns-name.js';
import { DnsSightings } from './dns-sightings.js';
import { DnsTransactions } from './dns-transactions.js';
import { DnsOpcode } from './dns-type.js';
import { isNetbiosRegistration, takeNetbiosAddresses } from './netbios-messages.js';
import { decodeNetbiosName } from './netbios-name.js';
import type { RecordSink } from './record-sink.js';

/** Offset of the byte whose upper bit tells a response. */
const FLAGS = 2;
const RESPONSE = 0x80;
const MESSAGE_BYTES_MAX = 65_535;

/** Operation codes that a protocol has, as bits (IANA, DNS OpCodes; RFC 4795 section 2.1.1 and RFC 6762 section 18.3: queries only). */
const DNS_OPCODES = 0b0111_0111;
const QUERY_ONLY = 1 << DnsOpcode.Query;
/** Query, registration, release, acknowledgement that it takes time, refresh (RFC 1002 section 4.2.1.1). */
const NETBIOS_OPCODES = 0b1000_0011_1110_0001;

/**
 * Reads messages of DNS, mDNS, LLMNR and of the names of NetBIOS, and hands over a record for each transaction and a sighting for each
 * device that they name. Allocates nothing, apart from the constructor.
 */
export class DnsReader {
  private readonly message = new DnsMessage();
  private readonly draft = new DnsDraft();
  private readonly transactions: DnsTransactions;
  private readonly devices: DnsSightings;

  constructor(
    private readonly sink: RecordSink,
    sightings: DeviceSightings,
  ) {
    this.transactions = new DnsTransactions(sink);
    this.devices = new DnsSightings(sightings);
  }

  /**
   * Reads the payload of a datagram, of which the capture holds what lies from `offset` to `end`; `us` is packet time, the hardware
   * address that of the sender, 0 where it is not known. The server's port tells the protocol. Returns whether it was a message of it.
   */
  readUdp(
    view: DataView,
    offset: number,
    end: number,
    packet: Packet,
    us: number,
    interfaceIndex: number,
    macHigh: number,
    macLow: number,
  ): boolean {
    if (end - offset < DNS_HEADER_BYTES) return false;
    const { devices, message } = this;
    const wireBytes = messageBytes(packet);
    switch (serverPort(packet, (view.getUint8(offset + FLAGS) & RESPONSE) !== 0)) {
      case NamePort.Dns:
        return this.readPaired(DnsTransport.Udp, DNS_OPCODES, view, offset, end, wireBytes, packet, us, interfaceIndex);
      case NamePort.Mdns:
        devices.setPacket(DeviceSource.Mdns, packet, us, interfaceIndex, macHigh, macLow);
        return this.readMulticast(view, offset, end, wireBytes, packet, us, interfaceIndex);
      case NamePort.Llmnr:
        if (!this.readPaired(DnsTransport.Llmnr, QUERY_ONLY, view, offset, end, wireBytes, packet, us, interfaceIndex))
          return false;
        if (!message.isResponse) return true;
        devices.setPacket(DeviceSource.Llmnr, packet, us, interfaceIndex, macHigh, macLow);
        devices.takeAddresses(view, message.records);
        return true;
      case NamePort.NetbiosName:
        devices.setPacket(DeviceSource.Netbios, packet, us, interfaceIndex, macHigh, macLow);
        return this.readNetbios(view, offset, end, wireBytes, packet, us, interfaceIndex);
      default:
        return false;
    }
  }

  /** Reads a datagram between ports that tell nothing, in the same way; what is no message of DNS is passed over. */
  readElsewhere(view: DataView, offset: number, end: number, packet: Packet, us: number, interfaceIndex: number): void {
    this.readPaired(DnsTransport.Udp, DNS_OPCODES, view, offset, end, messageBytes(packet), packet, us, interfaceIndex);
  }

  /**
   * Reads one message of DNS over TCP, without its length, in the same way. The length tells that it has `wireBytes` (RFC 1035 section
   * 4.2.2); of a long one, and of one that the capture cut, only the start may be there.
   */
  readTcpMessage(
    view: DataView,
    offset: number,
    end: number,
    wireBytes: number,
    packet: Packet,
    us: number,
    interfaceIndex: number,
  ): boolean {
    return this.readPaired(DnsTransport.Tcp, DNS_OPCODES, view, offset, end, wireBytes, packet, us, interfaceIndex);
  }

  /** Gives up on answers that are due by `nowUs`. One comparison if none is. */
  expire(nowUs: number): void {
    this.transactions.expire(nowUs);
  }

  /** Gives up on all answers. */
  flush(): void {
    this.transactions.flush();
  }

  private readPaired(
    transport: DnsTransport,
    opcodes: number,
    view: DataView,
    offset: number,
    end: number,
    wireBytes: number,
    packet: Packet,
    us: number,
    interfaceIndex: number,
  ): boolean {
    const { message } = this;
    if (!message.read(view, offset, end, wireBytes) || ((opcodes >> message.opcode) & 1) === 0) return false;
    this.begin(transport, packet, us, interfaceIndex);
    this.pair();
    return true;
  }

  private begin(transport: DnsTransport, packet: Packet, us: number, interfaceIndex: number): void {
    const { message, draft } = this;
    draft.begin(transport, packet, message.isResponse, message.id, us, interfaceIndex);
    draft.setQuestion(message.name, message.type);
    if (message.isResponse) draft.setAnswers(message.code, message.answerCount, message.answers);
  }

  private pair(): void {
    const { message, draft, transactions } = this;
    if (message.isResponse) transactions.answer(draft);
    // What asks for nothing has no answer.
    else if (message.questionCount > 0) transactions.ask(draft);
  }

  /** Multicast DNS has no pairs: a query may be answered by many, at any time, and answers come without questions (RFC 6762). */
  private readMulticast(
    view: DataView,
    offset: number,
    end: number,
    wireBytes: number,
    packet: Packet,
    us: number,
    interfaceIndex: number,
  ): boolean {
    const { message } = this;
    if (!message.read(view, offset, end, wireBytes) || message.opcode !== DnsOpcode.Query) return false;
    if (message.isResponse) {
      this.begin(DnsTransport.Mdns, packet, us, interfaceIndex);
      if (message.name.length > 0) this.emit();
      // An answer to one host may come from anywhere; what is told to the group stays on the link (RFC 6762 section 11).
      if (isMulticast(packet)) this.devices.takeAddresses(view, message.records);
      return true;
    }
    message.rewindQuestions();
    // The message gives 16 questions at most, so one datagram makes no more records than that.
    while (message.nextQuestion()) {
      this.begin(DnsTransport.Mdns, packet, us, interfaceIndex);
      this.emit();
    }
    return true;
  }

  /** Registrations tell of devices; only queries and their answers are transactions, and an acknowledgement is no answer yet. */
  private readNetbios(
    view: DataView,
    offset: number,
    end: number,
    wireBytes: number,
    packet: Packet,
    us: number,
    interfaceIndex: number,
  ): boolean {
    const { message, devices } = this;
    if (!message.readStart(view, offset, end, wireBytes) || ((NETBIOS_OPCODES >> message.opcode) & 1) === 0) return false;
    if (decodeNetbiosName(message.name) < 0) return false;
    const isAnswer = message.isResponse && message.opcode === DnsOpcode.Query;
    if ((isAnswer && message.code === 0) || isNetbiosRegistration(message))
      takeNetbiosAddresses(message, view, message.answers, devices);
    if (message.opcode !== DnsOpcode.Query) return true;
    this.begin(DnsTransport.Netbios, packet, us, interfaceIndex);
    this.pair();
    return true;
  }

  private emit(): void {
    this.sink.emit(RecordKind.Dns, this.draft.words, this.draft.recordBytes);
  }
}

/** Length of the message in a datagram. How much more of it other fragments hold is not known. */
function messageBytes({ fragment, payloadBytes }: Packet): number {
  return fragment === FragmentKind.Whole ? payloadBytes : MESSAGE_BYTES_MAX;
}

/** The port by which the protocol is told: the server's, or the other one where that is none of a protocol of names. */
function serverPort(packet: Packet, isResponse: boolean): number {
  const server = isResponse ? packet.srcPort : packet.dstPort;
  return isNamePort(server) ? server : isResponse ? packet.dstPort : packet.srcPort;
}

/** Whether a packet goes to a group: 224.0.0.0/4 or ff00::/8. */
function isMulticast({ ipVersion, dst0, dst3 }: Packet): boolean {
  return ipVersion === 4 ? dst3 >>> 28 === 0xe : dst0 >>> 24 === 0xff;
}
