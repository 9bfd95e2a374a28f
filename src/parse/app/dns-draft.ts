import { Dns, type DnsTransport } from '../../ring/name-records.js';
import type { Packet } from '../../wire/packet.js';
import type { DnsAnswers } from './dns-answers.js';
import type { DnsName } from './dns-name.js';

/** Both sides' ports in one word, as `Dns.Ports` has them. */
const portsOf = (client: number, server: number): number => (client << 16) | server;

/** A `Dns` record that is being composed. One instance is reused; nothing here allocates. */
export class DnsDraft {
  readonly words = new Int32Array(Dns.RecordBytesMax >> 2);
  /** Of the message; no part of the record. */
  id = 0;
  /** The same memory, for name and answers. */
  readonly bytes = new Uint8Array(this.words.buffer);
  private readonly floats = new Float64Array(this.words.buffer);

  /**
   * Begins a record for a message that `packet` brought at `us`, packet time: its sender is the client, or, of a response, the server.
   * It has neither name nor answers, nor a code, as if there were none.
   */
  begin(transport: DnsTransport, packet: Packet, isResponse: boolean, id: number, us: number, interfaceIndex: number): void {
    const { words } = this;
    const src = isResponse ? Dns.Server : Dns.Client;
    const dst = isResponse ? Dns.Client : Dns.Server;
    this.id = id;
    this.floats[Dns.SeenUsF64] = us;
    words[Dns.LatencyUs] = -1;
    words[Dns.Type] = 0;
    words[Dns.Transport] = transport;
    words[Dns.Code] = -1;
    words[Dns.AnswerCount] = 0;
    words[Dns.TtlS] = 0;
    words[Dns.IpVersion] = packet.ipVersion;
    words[Dns.Ports] = isResponse ? portsOf(packet.dstPort, packet.srcPort) : portsOf(packet.srcPort, packet.dstPort);
    words[src] = packet.src0;
    words[src + 1] = packet.src1;
    words[src + 2] = packet.src2;
    words[src + 3] = packet.src3;
    words[dst] = packet.dst0;
    words[dst + 1] = packet.dst1;
    words[dst + 2] = packet.dst2;
    words[dst + 3] = packet.dst3;
    words[Dns.InterfaceIndex] = interfaceIndex;
    words[Dns.NameBytes] = 0;
    words[Dns.AnswerBytes] = 0;
  }

  /** What is asked for. Comes before the answers. */
  setQuestion(name: DnsName, type: number): void {
    const { words, bytes } = this;
    words[Dns.Type] = type;
    words[Dns.NameBytes] = name.length;
    for (let i = 0; i < name.length; i++) bytes[Dns.HeaderBytes + i] = name.bytes[i] as number;
  }

  /** What is answered; `count` is that of the header. */
  setAnswers(code: number, count: number, answers: DnsAnswers): void {
    const { words, bytes } = this;
    words[Dns.Code] = code;
    words[Dns.AnswerCount] = count;
    words[Dns.TtlS] = answers.ttlS;
    words[Dns.AnswerBytes] = answers.length;
    const start = this.answersOffset;
    for (let i = 0; i < answers.length; i++) bytes[start + i] = answers.bytes[i] as number;
  }

  /**
   * Takes time, interface and type from the query that this answers, a record whose bytes are `queryBytes`; and its name, if the
   * answer has none.
   */
  adopt(query: Int32Array, queryBytes: Uint8Array, seenUs: number): void {
    const { words, bytes } = this;
    this.floats[Dns.SeenUsF64] = seenUs;
    words[Dns.Type] = query[Dns.Type] as number;
    words[Dns.InterfaceIndex] = query[Dns.InterfaceIndex] as number;
    if (words[Dns.NameBytes] !== 0) return;
    // An answer without a name has no answers behind it.
    words[Dns.NameBytes] = query[Dns.NameBytes] as number;
    const end = this.answersOffset;
    for (let at = Dns.HeaderBytes; at < end; at++) bytes[at] = queryBytes[at] as number;
  }

  /** Packet time of the message, µs since 1970. */
  get seenUs(): number {
    return this.floats[Dns.SeenUsF64] as number;
  }

  /** Offset of the answers in the record. */
  get answersOffset(): number {
    return Dns.HeaderBytes + (this.words[Dns.NameBytes] as number);
  }

  /** Length of the record. */
  get recordBytes(): number {
    return this.answersOffset + (this.words[Dns.AnswerBytes] as number);
  }
}
