import { applicationOf } from '../../ring/application.js';
import { Detail } from '../../ring/flow-details.js';
import { InitiatorBit, Slot, Table, TcpState } from '../../ring/layout.js';
import type { Packet } from '../../wire/packet.js';
import { TcpFlag } from '../../wire/tcp.js';
import type { DnsReader } from './dns-reader.js';
import type { FlowDetails } from './flow-details.js';
import { httpHeadEnd, readHttpRequest, readHttpStatus } from './http-head.js';
import { Inspect } from './inspect-state.js';
import { ja4 } from './ja4.js';
import { recogniseTcp } from './recognise-tcp.js';
import { STREAM_BYTES_MAX, STREAM_SEGMENTS_MAX, StreamAssemblies } from './stream-assemblies.js';
import type { StreamAssembly } from './stream-assembly.js';
import { readClientHello } from './tls-client-hello.js';
import { clientHelloMessage, isClientHelloStart } from './tls-records.js';

const HTTP = applicationOf('http');
const TLS = applicationOf('tls');
const DNS = applicationOf('dns');

/** So many bytes are enough to recognise what a stream is; fewer are waited for. */
const RECOGNISED_BYTES = 16;
/** What a parser says when it has seen enough of this direction. */
const DONE = -1;
/** Length prefix of a DNS message over TCP (RFC 1035 section 4.2.2), and header of the message. */
const DNS_PREFIX_BYTES = 2;
const DNS_HEADER_BYTES = 12;
/** What is read of a DNS message that is too long to be kept: its question, and first answers, of which a record keeps 1 KiB. */
const DNS_START_BYTES = 4096;

/** Whether a further response to the same request follows (RFC 9110 section 15.2); behind 101 comes another protocol. */
const isInterim = (status: number): boolean => status < 200 && status !== 101;

/** Bytes at the end of a segment that the capture does not hold. */
const cutBytes = (packet: Packet): number => packet.transportOffset + packet.transportBytes - packet.transportEnd;

/**
 * Reads the first bytes of TCP streams: what application it is, and which names it tells. Each direction is read from its first byte
 * on and in order; a segment that completes what a parser wants is read where it lies, others wait in an assembly.
 */
export class TcpInspector {
  private readonly assemblies = new StreamAssemblies();
  private readonly words: Int32Array;
  private slot = 0;
  private word = 0;
  private direction = 0;

  /** `table` is the flow table's memory. */
  constructor(
    table: SharedArrayBuffer,
    private readonly details: FlowDetails,
    private readonly dns: DnsReader,
    private readonly keepsHttpPath: boolean,
  ) {
    this.words = new Int32Array(table);
  }

  /**
   * Takes the segment `packet` of the flow in `slot`, sent in `direction`: its payload is what lies from `payload` to `end`. Costs one
   * look at the slot once a flow is through.
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
  ): void {
    const { words } = this;
    const word = (Table.HeaderBytes + slot * Slot.Bytes) >> 2;
    const state = words[word + Slot.Inspect] as number;
    const isDone = (state & (Inspect.Done0 << direction)) !== 0;
    if ((isDone && (state & Inspect.MayTurn) === 0) || packet.hasTcp === 0) return;
    this.slot = slot;
    this.word = word;
    this.direction = direction;
    if (isDone) {
      if (isClientHelloStart(view, payload, end)) this.turn(view, packet, payload, end, us, interfaceIndex);
      return;
    }
    const isSyn = (packet.tcpFlags & TcpFlag.Syn) !== 0;
    const seq = isSyn ? (packet.tcpSeq + 1) | 0 : packet.tcpSeq;
    if (isSyn || (state & (Inspect.Started0 << direction)) === 0) {
      words[word + Slot.StreamSeq0 + direction] = seq;
      words[word + Slot.Inspect] = state | (Inspect.Started0 << direction);
    }
    if (payload >= end) return;
    const ahead = (seq - (words[word + Slot.StreamSeq0 + direction] as number)) | 0;
    const start = ahead < 0 ? payload - ahead : payload;
    if (start >= end) return;
    // What waits is too short to be recognised, and ends here.
    const isUnknown = (state & (Inspect.Assembling0 << direction)) !== 0 && words[word + Slot.Application] === 0;
    if (isUnknown && ahead > 0 && isClientHelloStart(view, start, end)) this.turn(view, packet, start, end, us, interfaceIndex);
    else this.take(view, packet, Math.max(ahead, 0), start, end, us, interfaceIndex);
  }

  /** Begins anew with the ClientHello in this segment; there is one in a connection. */
  private turn(view: DataView, packet: Packet, start: number, end: number, us: number, interfaceIndex: number): void {
    const { words, word, direction } = this;
    // Bytes that wait, also where the other direction told what it is, are none of its own.
    this.finish();
    words[word + Slot.StreamSeq0 + direction] = packet.tcpSeq;
    words[word + Slot.Inspect] = (words[word + Slot.Inspect] as number) & ~((Inspect.Done0 << direction) | Inspect.MayTurn);
    this.take(view, packet, 0, start, end, us, interfaceIndex);
  }

  /** Takes bytes that stand `ahead` bytes behind the first one that no parser has taken. */
  private take(
    view: DataView,
    packet: Packet,
    ahead: number,
    start: number,
    end: number,
    us: number,
    interfaceIndex: number,
  ): void {
    const isAssembling = ((this.words[this.word + Slot.Inspect] as number) & (Inspect.Assembling0 << this.direction)) !== 0;
    if (isAssembling || ahead > 0) {
      this.assemble(view, packet, ahead, start, end, us, interfaceIndex, isAssembling);
      return;
    }
    const at = this.read(view, packet, start, end, us, interfaceIndex);
    if (at < 0) this.finish();
    else {
      this.moveOn(at - start);
      if (at < end) this.wait(this.assemblies.open(this.owner), view, at, end);
    }
  }

  /** Reads the stream from an assembly, with these bytes in it. */
  private assemble(
    view: DataView,
    packet: Packet,
    ahead: number,
    start: number,
    end: number,
    us: number,
    interfaceIndex: number,
    isAssembling: boolean,
  ): void {
    const assembly = isAssembling ? this.assemblies.find(this.owner) : this.assemblies.open(this.owner);
    if (assembly === undefined || ahead >= STREAM_BYTES_MAX) {
      this.finish();
      return;
    }
    this.setAssembling(true);
    const before = assembly.contiguousBytes;
    const isKept = assembly.put(ahead, view, start, end);
    const count = assembly.contiguousBytes;
    const at = count === before ? 0 : this.read(assembly.view, packet, 0, count, us, interfaceIndex);
    const isHopeless = at === 0 && (!isKept || assembly.pieceCount > STREAM_SEGMENTS_MAX);
    if (at < 0 || isHopeless) this.finish();
    if (at <= 0) return;
    // What was read goes; what is left of it begins the stream anew. Bytes behind a gap are given up, and come again if they matter.
    this.moveOn(at);
    const rest = assembly.bytes.slice(at, count);
    assembly.clear();
    if (rest.length > 0) this.wait(assembly, new DataView(rest.buffer), 0, rest.length);
    else {
      this.assemblies.close(this.owner);
      this.setAssembling(false);
    }
  }

  /** Keeps bytes until more have come. */
  private wait(assembly: StreamAssembly, view: DataView, start: number, end: number): void {
    this.setAssembling(true);
    if (!assembly.put(0, view, start, end)) this.finish();
  }

  /** The slot and the direction of the stream in hand, as one number. */
  private get owner(): number {
    return this.slot * 2 + this.direction;
  }

  /** So many bytes of the stream are done with. */
  private moveOn(bytes: number): void {
    const word = this.word + Slot.StreamSeq0 + this.direction;
    this.words[word] = ((this.words[word] as number) + bytes) | 0;
  }

  private setAssembling(isAssembling: boolean): void {
    const bit = Inspect.Assembling0 << this.direction;
    const state = this.words[this.word + Slot.Inspect] as number;
    this.words[this.word + Slot.Inspect] = isAssembling ? state | bit : state & ~bit;
  }

  /** This direction has been read. */
  private finish(): void {
    const { words, word, direction } = this;
    if (((words[word + Slot.Inspect] as number) & (Inspect.Assembling0 << direction)) !== 0) this.assemblies.close(this.owner);
    this.setAssembling(false);
    words[word + Slot.Inspect] = (words[word + Slot.Inspect] as number) | (Inspect.Done0 << direction);
  }

  /** Nothing else is to be learnt from this flow. */
  private finishBoth(): number {
    const { words, word, direction } = this;
    words[word + Slot.Inspect] = (words[word + Slot.Inspect] as number) | (Inspect.Done0 << (1 - direction));
    return DONE;
  }

  /**
   * Reads a stream from its start. Returns the offset behind what is done with: `start` when more bytes are wanted first, `end` when
   * all were read and more may come, beyond `end` when what comes next is passed over, -1 when nothing more is wanted.
   */
  private read(view: DataView, packet: Packet, start: number, end: number, us: number, interfaceIndex: number): number {
    if (packet.srcPort === 53 || packet.dstPort === 53) return this.readDns(view, packet, start, end, us, interfaceIndex);
    const application = recogniseTcp(view, start, end, packet.srcPort, packet.dstPort);
    const { words, word } = this;
    if (application === 0) {
      if (end - start < RECOGNISED_BYTES) return start;
      words[word + Slot.Inspect] = (words[word + Slot.Inspect] as number) | Inspect.MayTurn;
      if (words[word + Slot.TcpState] !== TcpState.Midstream)
        words[word + Slot.Initiator] = (words[word + Slot.Initiator] as number) | InitiatorBit.StartUnknown;
      return DONE;
    }
    if (words[word + Slot.Application] === 0) words[word + Slot.Application] = application;
    if (application === TLS) return this.readTls(view, start, end);
    if (application === HTTP) return this.readHttp(view, packet, start, end);
    if (application === DNS) return this.readDns(view, packet, start, end, us, interfaceIndex);
    words[word + Slot.Inspect] = (words[word + Slot.Inspect] as number) | Inspect.MayTurn;
    return this.finishBoth();
  }

  private readTls(view: DataView, start: number, end: number): number {
    const message = clientHelloMessage(view, start, end);
    if (message === 'incomplete') return start;
    if (message === 'none') return DONE;
    const hello = readClientHello(message.view, message.offset, message.end);
    if (hello === null) return DONE;
    const { details, slot } = this;
    details.addText(slot, Detail.Sni, hello.serverName);
    details.addNumber(slot, Detail.TlsVersion, hello.version, 2);
    details.addText(slot, Detail.Ja4, ja4(hello, 't'));
    details.addText(slot, Detail.Alpn, hello.alpn.join(','));
    return this.finishBoth();
  }

  private readHttp(view: DataView, packet: Packet, start: number, end: number): number {
    if (readHttpStatus(view, start, end) !== 0) return this.readHttpResponse(view, packet, start, end);
    const { details, slot } = this;
    // What the capture cuts does not come: the lines that are whole tell what they tell.
    const isLast = end - start >= STREAM_BYTES_MAX || cutBytes(packet) > 0;
    const request = readHttpRequest(view, start, end, isLast);
    if (request === 'incomplete') return start;
    if (request === null) return DONE;
    details.addText(slot, Detail.HttpHost, request.host);
    details.addText(slot, Detail.HttpMethod, request.method);
    if (this.keepsHttpPath) details.addText(slot, Detail.HttpPath, request.path);
    details.addText(slot, Detail.HttpUserAgent, request.userAgent);
    // Through a proxy, the client's TLS follows in the same stream (RFC 9110 section 9.3.6).
    return request.method === 'CONNECT' ? start + request.headBytes : DONE;
  }

  /** Passes over the heads of interim responses, which have no body, to the status of the final one, in this segment or a later one. */
  private readHttpResponse(view: DataView, packet: Packet, start: number, end: number): number {
    let at = start;
    for (;;) {
      const status = readHttpStatus(view, at, end);
      if (status === 0) return end - at < RECOGNISED_BYTES ? at : DONE;
      if (!isInterim(status)) {
        this.details.addNumber(this.slot, Detail.HttpStatus, status, 2);
        return DONE;
      }
      const next = httpHeadEnd(view, at, end);
      if (next < 0) {
        const cut = cutBytes(packet);
        // What the capture cut does not come: servers send an interim head by itself, so the next segment begins with another one.
        return cut > 0 ? end + cut : at;
      }
      at = next;
    }
  }

  /** Reads messages that are whole. Of one that never will be, the start is read, and the stream goes on behind its end. */
  private readDns(view: DataView, packet: Packet, start: number, end: number, us: number, interfaceIndex: number): number {
    let at = start;
    while (end - at >= DNS_PREFIX_BYTES) {
      const message = at + DNS_PREFIX_BYTES;
      const wireBytes = view.getUint16(at);
      if (wireBytes < DNS_HEADER_BYTES) return DONE;
      const next = message + wireBytes;
      if (next > end) {
        const isLong = next - at > STREAM_BYTES_MAX && end - at >= DNS_START_BYTES;
        if (!isLong && cutBytes(packet) <= 0) break;
      }
      if (!this.dns.readTcpMessage(view, message, Math.min(next, end), wireBytes, packet, us, interfaceIndex)) return DONE;
      this.words[this.word + Slot.Application] = DNS;
      at = next;
    }
    return at;
  }
}
