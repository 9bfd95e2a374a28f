import type { RecordSink } from '../../src/parse/app/record-sink.js';
import { RecordKind } from '../../src/ring/layout.js';
import { DNS_TRANSPORTS, Dns } from '../../src/ring/name-records.js';
import { ipv4Text, ipv6Text } from '../../src/store/address-text.js';

/** A DNS record, readable. */
export interface DnsRow {
  readonly transport: string;
  /** Address and port. */
  readonly client: string;
  readonly server: string;
  readonly name: string;
  readonly type: number;
  readonly code: number;
  readonly latencyUs: number;
  readonly us: number;
  readonly answerCount: number;
  readonly ttlS: number;
  readonly interfaceIndex: number;
  readonly answers: readonly string[];
}

/** Addresses as text, other answers as `type:name`. */
export function answerTexts(bytes: Uint8Array): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; at += 2 + (bytes[at + 1] as number)) {
    const value = Buffer.from(bytes.subarray(at + 2, at + 2 + (bytes[at + 1] as number)));
    if (bytes[at] === 1) texts.push(ipv4Text(value.readInt32BE(0)));
    else if (bytes[at] === 28)
      texts.push(
        ipv6Text(
          Int32Array.from([0, 4, 8, 12], (offset) => value.readInt32BE(offset)),
          0,
        ),
      );
    else texts.push(`${bytes[at]}:${value.toString('latin1')}`);
  }
  return texts;
}

/** Collects DNS records. */
export class DnsRows implements RecordSink {
  readonly rows: DnsRow[] = [];

  emit(kind: RecordKind, words: Int32Array, bytes: number): void {
    if (kind !== RecordKind.Dns) throw new Error(`a record of kind ${kind}`);
    const at = (index: number): number => words[index] as number;
    const name = Dns.HeaderBytes;
    const answers = name + at(Dns.NameBytes);
    if (bytes !== answers + at(Dns.AnswerBytes)) throw new Error(`a record of ${bytes} bytes`);
    if (bytes > words.byteLength || bytes > Dns.RecordBytesMax) throw new Error(`a record of ${bytes} bytes`);
    const piece = (from: number, to: number): Buffer => Buffer.from(words.buffer, words.byteOffset + from, to - from);
    const isIpv4 = at(Dns.IpVersion) === 4;
    const address = (word: number): string => (isIpv4 ? ipv4Text(at(word + 3)) : ipv6Text(words, word));
    this.rows.push({
      transport: DNS_TRANSPORTS[at(Dns.Transport)] ?? '?',
      client: `${address(Dns.Client)} ${at(Dns.Ports) >>> 16}`,
      server: `${address(Dns.Server)} ${at(Dns.Ports) & 0xffff}`,
      name: piece(name, answers).toString('latin1'),
      type: at(Dns.Type),
      code: at(Dns.Code),
      latencyUs: at(Dns.LatencyUs),
      us: new Float64Array(words.buffer, words.byteOffset)[Dns.SeenUsF64] as number,
      answerCount: at(Dns.AnswerCount),
      ttlS: at(Dns.TtlS),
      interfaceIndex: at(Dns.InterfaceIndex),
      answers: answerTexts(piece(answers, bytes)),
    });
  }

  /** What came since the last call. */
  take(): DnsRow[] {
    return this.rows.splice(0);
  }
}
