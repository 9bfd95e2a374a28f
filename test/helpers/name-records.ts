import { appendDetail, Detail } from '../../src/ring/flow-details.js';
import { Details } from '../../src/ring/layout.js';
import { Device, type DeviceSource, Dns, DnsTransport } from '../../src/ring/name-records.js';
import { address } from './frame-bytes.js';

/** What the payload of a flow told, as a test describes it. */
export interface DetailSpec {
  readonly sni?: string;
  readonly quicSni?: string;
  readonly host?: string;
  readonly alpn?: string;
  readonly tlsVersion?: number;
  readonly ja4?: string;
  readonly quicVersion?: number;
  readonly method?: string;
  readonly path?: string;
  readonly userAgent?: string;
  readonly status?: number;
}

const TEXTS = [
  ['sni', Detail.Sni],
  ['quicSni', Detail.QuicSni],
  ['host', Detail.HttpHost],
  ['alpn', Detail.Alpn],
  ['ja4', Detail.Ja4],
  ['method', Detail.HttpMethod],
  ['path', Detail.HttpPath],
  ['userAgent', Detail.HttpUserAgent],
] as const;

const NUMBERS = [
  ['tlsVersion', Detail.TlsVersion, 2],
  ['quicVersion', Detail.QuicVersion, 4],
  ['status', Detail.HttpStatus, 2],
] as const;

/** The details as they stand behind a flow record. */
export function detailBytes(spec: DetailSpec): Uint8Array {
  const block = new Uint8Array(Details.BytesMax);
  let used = 0;
  for (const [name, kind] of TEXTS) {
    const text = spec[name];
    if (text !== undefined) used = appendDetail(block, 0, used, kind, Buffer.from(text, 'latin1'), text.length);
  }
  for (const [name, kind, length] of NUMBERS) {
    const number = spec[name];
    if (number === undefined) continue;
    const value = Buffer.alloc(length);
    value.writeUIntBE(number, 0, length);
    used = appendDetail(block, 0, used, kind, value, value.length);
  }
  return block.subarray(0, used);
}

/** Lays an address into four words, as a slot has it. */
export function putAddress(words: Int32Array, word: number, text: string): void {
  const bytes = address(text);
  const padded = new Uint8Array(16);
  padded.set(bytes, 16 - bytes.length);
  const view = new DataView(padded.buffer);
  for (let i = 0; i < 4; i++) words[word + i] = view.getInt32(i * 4);
}

const versionOf = (text: string): number => (text.includes(':') ? 6 : 4);

/** One DNS transaction as a test describes it. */
export interface DnsSpec {
  readonly emittedUs: number;
  readonly seenUs: number;
  /** -1 for none. */
  readonly latencyUs: number;
  readonly type: number;
  readonly transport: DnsTransport;
  /** -1 for none. */
  readonly code: number;
  readonly ttlS: number;
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  readonly query: string;
  /** Number in the answer's header; that of `answers` if it is not given. */
  readonly answerCount?: number;
  readonly answers: readonly { readonly address?: string; readonly name?: string }[];
}

/** An answered query of type A, but for what is given. */
export function dns(given: Partial<DnsSpec> & { readonly seenUs: number }): DnsSpec {
  return {
    emittedUs: given.seenUs,
    latencyUs: 0,
    type: 1,
    transport: DnsTransport.Udp,
    code: 0,
    ttlS: 60,
    client: '192.168.1.10',
    clientPort: 40_001,
    server: '192.168.1.1',
    serverPort: 53,
    query: 'www.example.org',
    answers: [{ address: '203.0.113.7' }],
    ...given,
  };
}

function answerBytes({ answers }: DnsSpec): Buffer {
  return Buffer.concat(
    answers.map(({ address: text, name }) => {
      const value = text === undefined ? Buffer.from(name ?? '', 'latin1') : Buffer.from(address(text));
      const type = text === undefined ? 5 : value.length === 4 ? 1 : 28;
      return Buffer.concat([Buffer.of(type, value.length), value]);
    }),
  );
}

/** The payload of a `Dns` record. */
export function dnsRecord(spec: DnsSpec): Uint8Array {
  const words = new Int32Array(Dns.RecordBytesMax / 4);
  const bytes = Buffer.from(words.buffer);
  const doubles = new Float64Array(words.buffer);
  const answers = answerBytes(spec);
  const nameBytes = bytes.write(spec.query, Dns.HeaderBytes, 'latin1');
  bytes.set(answers, Dns.HeaderBytes + nameBytes);
  doubles[Dns.EmittedUsF64] = spec.emittedUs;
  doubles[Dns.SeenUsF64] = spec.seenUs;
  words[Dns.LatencyUs] = spec.latencyUs;
  words[Dns.Type] = spec.type;
  words[Dns.Transport] = spec.transport;
  words[Dns.Code] = spec.code;
  words[Dns.AnswerCount] = spec.answerCount ?? spec.answers.length;
  words[Dns.TtlS] = spec.ttlS;
  words[Dns.IpVersion] = versionOf(spec.client);
  words[Dns.Ports] = (spec.clientPort << 16) | spec.serverPort;
  putAddress(words, Dns.Client, spec.client);
  putAddress(words, Dns.Server, spec.server);
  words[Dns.NameBytes] = nameBytes;
  words[Dns.AnswerBytes] = answers.length;
  return bytes.subarray(0, Dns.HeaderBytes + nameBytes + answers.length);
}

/** A sighting of a device as a test describes it. */
export interface DeviceSpec {
  readonly emittedUs: number;
  readonly seenUs: number;
  readonly source: DeviceSource;
  /** Six bytes, with colons; absent where it is not known. */
  readonly mac?: string | undefined;
  readonly ip?: string | undefined;
  readonly name?: string | undefined;
}

/** The payload of a `Device` record. */
export function deviceRecord(spec: DeviceSpec): Uint8Array {
  const words = new Int32Array(((Device.HeaderBytes + Device.NameBytesMax + 7) & -8) / 4);
  const bytes = Buffer.from(words.buffer);
  const doubles = new Float64Array(words.buffer);
  doubles[Device.EmittedUsF64] = spec.emittedUs;
  doubles[Device.SeenUsF64] = spec.seenUs;
  words[Device.Source] = spec.source;
  if (spec.mac !== undefined) {
    const mac = Buffer.from(spec.mac.replaceAll(':', ''), 'hex');
    words[Device.MacHigh] = mac.readUInt16BE(0);
    words[Device.MacLow] = mac.readInt32BE(2);
  }
  if (spec.ip !== undefined) {
    words[Device.IpVersion] = versionOf(spec.ip);
    putAddress(words, Device.Address, spec.ip);
  }
  const nameBytes = spec.name === undefined ? 0 : bytes.write(spec.name, Device.HeaderBytes, 'latin1');
  words[Device.NameBytes] = nameBytes;
  return bytes.subarray(0, Device.HeaderBytes + nameBytes);
}
