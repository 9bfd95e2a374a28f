import { FrameWriter } from '../../src/capture/frame-writer.js';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { allocateMemory } from '../../src/memory.js';
import type { ParseStart, PipelineMemory, Session } from '../../src/messages.js';
import { finalReason, ParseWorker } from '../../src/parse/worker.js';
import { APPLICATIONS } from '../../src/ring/application.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { Detail } from '../../src/ring/flow-details.js';
import { END_REASONS, InitiatorBit, RecordKind, Slot, TCP_STATES, TunnelBit } from '../../src/ring/layout.js';
import { type Ledger, readLedger } from '../../src/ring/ledger.js';
import { DEVICE_SOURCES, Device, DNS_TRANSPORTS, Dns } from '../../src/ring/name-records.js';
import { ResumeAt, RingConsumer, RingProducer } from '../../src/ring/ring.js';
import { ThreadBlock } from '../../src/ring/thread-block.js';
import { TUNNEL_TYPES } from '../../src/ring/tunnel-type.js';
import { viewOf } from './frame-bytes.js';

/** A flow record as people read it; `src` is the initiator. */
export interface EmittedFlow {
  readonly protocol: number;
  readonly src: string;
  readonly dst: string;
  readonly packets: readonly [number, number];
  readonly ipBytes: readonly [number, number];
  readonly wireBytes: readonly [number, number];
  readonly payloadBytes: readonly [number, number];
  readonly tcpFlags: readonly [number, number];
  readonly tcpState: string;
  readonly endReason: string;
  /** Handshake round trips in µs: client side, server side; 0 if not seen. */
  readonly rttUs: readonly [number, number];
  readonly retransmits: readonly [number, number];
  readonly outOfOrder: readonly [number, number];
  readonly zeroWindows: readonly [number, number];
  readonly startUs: number;
  readonly endUs: number;
  readonly emittedUs: number;
  readonly flowId: number;
  readonly segmentIndex: number;
  readonly vlanId: number;
  readonly icmp: number;
  readonly interfaceIndex: number;
  /** Type, id, and outer addresses of the first packet, as far as the tunnel has them; '' for none. */
  readonly tunnel: string;
  /** As the payload shows it; '' for none. */
  readonly application: string;
  /** Its first bytes were seen, and showed none. */
  readonly isStartUnknown: boolean;
  /** By their kind: texts, and numbers in hexadecimal. */
  readonly details: Readonly<Record<string, string>>;
}

/** A DNS record as people read it. */
export interface EmittedDns {
  readonly transport: string;
  readonly client: string;
  readonly server: string;
  readonly name: string;
  readonly type: number;
  /** -1 without an answer. */
  readonly code: number;
  readonly latencyUs: number;
  readonly seenUs: number;
  readonly answerCount: number;
  /** Addresses and names. */
  readonly answers: readonly string[];
}

/** A device record as people read it. */
export interface EmittedDevice {
  readonly source: string;
  readonly mac: string;
  readonly address: string;
  readonly name: string;
}

const ETHERNET = 1;

/** The parse stage without threads: frames go through a real ring into a real worker, and its records are read from its ring. */
export class ParseRig {
  readonly memory: PipelineMemory;
  private readonly start: ParseStart;
  private readonly frames: FrameWriter;
  private readonly flowRing: RingConsumer;
  private worker: ParseWorker;
  private readonly taken = { flows: [] as EmittedFlow[], dns: [] as EmittedDns[], devices: [] as EmittedDevice[] };

  constructor(options: OptionValues = {}, mode: Session['mode'] = 'replay') {
    const config = resolveConfig({ 'flow.active-max': 100, ...options });
    this.memory = allocateMemory(config, 1);
    const session = { key: 'test', mode, source: 'test', startedUs: 0, startedMonotonicMs: 0 };
    this.start = {
      config,
      memory: this.memory,
      session,
      cpu: null,
      events: new MessageChannel().port1 as unknown as ParseStart['events'],
      index: 0,
      hashSeed: 2 ** 40 + 12345,
    };
    const ring = new RingProducer(
      this.memory.frameRings[0] as SharedArrayBuffer,
      new Doorbell(this.memory.parse[0] as SharedArrayBuffer),
    );
    this.frames = new FrameWriter([ring], new ThreadBlock(this.memory.capture), mode === 'live');
    this.flowRing = new RingConsumer(this.memory.flowRings[0] as SharedArrayBuffer, ResumeAt.Released);
    this.worker = new ParseWorker(this.start);
  }

  /** Hands over one frame, seen at `us` µs since 1970. */
  push(bytes: Uint8Array, us = 0, { linkType = ETHERNET, wireBytes = bytes.length, interfaceIndex = 0 } = {}): this {
    this.frames.frame(
      viewOf(bytes),
      0,
      bytes.length,
      wireBytes,
      Math.floor(us / 1e6),
      (us % 1e6) * 1000,
      interfaceIndex,
      linkType,
    );
    this.frames.flush();
    return this;
  }

  /** Lets the worker handle what was pushed. */
  step(nowUs = 0): this {
    while (this.worker.step(nowUs) > 0);
    return this;
  }

  /** As `push` and `step`. */
  feed(bytes: Uint8Array, us = 0, options: { linkType?: number; wireBytes?: number; interfaceIndex?: number } = {}): this {
    return this.push(bytes, us, options).step(us);
  }

  /** Ends the run: every open flow is written. */
  finish(): this {
    this.worker.finish(finalReason(this.start.session.mode));
    return this;
  }

  /** A new worker takes over the memory, as after a death of the thread. */
  replaceWorker(): this {
    this.worker = new ParseWorker(this.start);
    return this;
  }

  get ledger(): Ledger {
    return readLedger(this.memory);
  }

  get block(): ThreadBlock {
    return new ThreadBlock(this.memory.parse[0] as SharedArrayBuffer);
  }

  /** Flows written since the last call, in order. */
  flows(): EmittedFlow[] {
    this.take();
    return this.taken.flows.splice(0);
  }

  /** As `flows`, for DNS transactions. */
  dns(): EmittedDns[] {
    this.take();
    return this.taken.dns.splice(0);
  }

  /** As `flows`, for devices. */
  devices(): EmittedDevice[] {
    this.take();
    return this.taken.devices.splice(0);
  }

  private take(): void {
    const { flowRing: ring, taken } = this;
    for (let payload = ring.peek(); payload >= 0; payload = ring.peek()) {
      const kind = ring.kindAt(payload);
      if (kind === RecordKind.Flow) taken.flows.push(flowAt(ring, payload));
      else if (kind === RecordKind.Dns) taken.dns.push(dnsAt(ring, payload));
      else if (kind === RecordKind.Device) taken.devices.push(deviceAt(ring, payload));
      else throw new Error(`record of kind ${kind} in the flow ring`);
      ring.advance();
    }
    ring.release();
  }
}

/** Ends the run, which has one flow. */
export function onlyFlow(rig: ParseRig): EmittedFlow {
  const [flow, ...others] = rig.finish().flows();
  if (flow === undefined || others.length > 0) throw new Error(`${flow === undefined ? 0 : 1 + others.length} flows`);
  return flow;
}

function bytesAt(ring: RingConsumer, start: number, bytes: number): Buffer {
  return Buffer.from(new Uint8Array(ring.words.buffer, start, bytes));
}

function addressAt(ring: RingConsumer, word: number, version: number): string {
  if (version === 0) return '';
  const at = (index: number): number => ring.words[word + index] as number;
  if (version === 4) return ipv4Text(at(3));
  return [0, 1, 2, 3].map((i) => `${(at(i) >>> 16).toString(16)}:${(at(i) & 0xffff).toString(16)}`).join(':');
}

function dnsAt(ring: RingConsumer, payload: number): EmittedDns {
  const word = payload >> 2;
  const at = (index: number): number => ring.words[word + index] as number;
  const seenUs = new Float64Array(ring.words.buffer)[(payload >> 3) + Dns.SeenUsF64] as number;
  const nameStart = payload + Dns.HeaderBytes;
  const bytes = bytesAt(ring, nameStart + at(Dns.NameBytes), at(Dns.AnswerBytes));
  const answers: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += 2 + (bytes[offset + 1] as number)) {
    const value = bytes.subarray(offset + 2, offset + 2 + (bytes[offset + 1] as number));
    if (bytes[offset] === 1) answers.push([...value].join('.'));
    else if (bytes[offset] === 28)
      answers.push((value.toString('hex').match(/..../g) ?? []).map((g) => Number.parseInt(g, 16).toString(16)).join(':'));
    else answers.push(value.toString('latin1'));
  }
  return {
    transport: DNS_TRANSPORTS[at(Dns.Transport)] ?? '?',
    client: `${addressAt(ring, word + Dns.Client, at(Dns.IpVersion))} ${at(Dns.Ports) >>> 16}`,
    server: `${addressAt(ring, word + Dns.Server, at(Dns.IpVersion))} ${at(Dns.Ports) & 0xffff}`,
    name: bytesAt(ring, nameStart, at(Dns.NameBytes)).toString('latin1'),
    type: at(Dns.Type),
    code: at(Dns.Code),
    latencyUs: at(Dns.LatencyUs),
    seenUs,
    answerCount: at(Dns.AnswerCount),
    answers,
  };
}

function deviceAt(ring: RingConsumer, payload: number): EmittedDevice {
  const word = payload >> 2;
  const at = (index: number): number => ring.words[word + index] as number;
  const mac = ((at(Device.MacHigh) & 0xffff) * 2 ** 32 + (at(Device.MacLow) >>> 0)).toString(16).padStart(12, '0');
  return {
    source: DEVICE_SOURCES[at(Device.Source)] ?? '?',
    mac: (mac.match(/../g) ?? []).join(':'),
    address: addressAt(ring, word + Device.Address, at(Device.IpVersion)),
    name: bytesAt(ring, payload + Device.HeaderBytes, at(Device.NameBytes)).toString('latin1'),
  };
}

/** Names of `Detail`, as tests write them. */
const DETAIL_NAMES: Readonly<Record<number, string>> = {
  [Detail.Sni]: 'sni',
  [Detail.QuicSni]: 'quicSni',
  [Detail.HttpHost]: 'host',
  [Detail.Alpn]: 'alpn',
  [Detail.TlsVersion]: 'tlsVersion',
  [Detail.Ja4]: 'ja4',
  [Detail.QuicVersion]: 'quicVersion',
  [Detail.HttpMethod]: 'method',
  [Detail.HttpPath]: 'path',
  [Detail.HttpUserAgent]: 'userAgent',
  [Detail.HttpStatus]: 'status',
};
const NUMBERS: ReadonlySet<number> = new Set([Detail.TlsVersion, Detail.QuicVersion]);

function detailsAt(ring: RingConsumer, payload: number): Record<string, string> {
  const used = ring.words[(payload >> 2) + Slot.DetailBytes] as number;
  const bytes = bytesAt(ring, payload + Slot.RecordBytes, used);
  const details: Record<string, string> = {};
  for (let at = 0; at < used; at += 2 + (bytes[at + 1] as number)) {
    const kind = bytes[at] as number;
    const value = bytes.subarray(at + 2, at + 2 + (bytes[at + 1] as number));
    const text = kind === Detail.HttpStatus ? String(value.readUInt16BE()) : value.toString('latin1');
    details[DETAIL_NAMES[kind] ?? `kind ${kind}`] = NUMBERS.has(kind) ? value.toString('hex') : text;
  }
  return details;
}

function flowAt(ring: RingConsumer, payload: number): EmittedFlow {
  const word = payload >> 2;
  const floats = new Float64Array(ring.words.buffer);
  const at = (index: number): number => ring.words[word + index] as number;
  const float = (index: number): number => floats[(word >> 1) + index] as number;
  const initiator = at(Slot.Initiator) & 1;
  const pair = (first: number): [number, number] => [float(first + initiator), float(first + 1 - initiator)];
  const counts = (first: number): [number, number] => [at(first + initiator), at(first + 1 - initiator)];
  const isIpv6 = at(Slot.Protocol) >> 20 === 6;
  const endpoint = (address: number, port: number): string => {
    const text = isIpv6
      ? [0, 1, 2, 3].map((i) => `${(at(address + i) >>> 16).toString(16)}:${(at(address + i) & 0xffff).toString(16)}`).join(':')
      : ipv4Text(at(address + 3));
    return `${text} ${port}`;
  };
  const lo = endpoint(Slot.AddressLo, at(Slot.Ports) >>> 16);
  const hi = endpoint(Slot.AddressHi, at(Slot.Ports) & 0xffff);
  return {
    protocol: at(Slot.Protocol) & 0xff,
    src: initiator === 0 ? lo : hi,
    dst: initiator === 0 ? hi : lo,
    packets: pair(Slot.Packets0F64),
    ipBytes: pair(Slot.IpBytes0F64),
    wireBytes: pair(Slot.WireBytes0F64),
    payloadBytes: pair(Slot.PayloadBytes0F64),
    tcpFlags: [at(Slot.TcpFlags0 + initiator), at(Slot.TcpFlags0 + 1 - initiator)],
    tcpState: TCP_STATES[at(Slot.TcpState)] ?? '?',
    rttUs: [at(Slot.RttClientUs), at(Slot.RttServerUs)],
    retransmits: counts(Slot.Retransmits0),
    outOfOrder: counts(Slot.OutOfOrder0),
    zeroWindows: counts(Slot.ZeroWindows0),
    endReason: END_REASONS[at(Slot.EndReason)] ?? '?',
    startUs: float(Slot.StartUsF64),
    endUs: float(Slot.EndUsF64),
    emittedUs: float(Slot.EmittedUsF64),
    flowId: float(Slot.FlowIdF64),
    segmentIndex: at(Slot.SegmentIndex),
    vlanId: at(Slot.VlanId),
    icmp: at(Slot.Icmp),
    interfaceIndex: at(Slot.InterfaceIndex),
    tunnel: tunnelText(at),
    application: APPLICATIONS[at(Slot.Application)] ?? '?',
    isStartUnknown: (at(Slot.Initiator) & InitiatorBit.StartUnknown) !== 0,
    details: detailsAt(ring, payload),
  };
}

function tunnelText(at: (index: number) => number): string {
  const tunnel = at(Slot.Tunnel);
  const version = tunnel >> TunnelBit.IpVersion;
  const address = (first: number): string =>
    version === 4 ? ipv4Text(at(first + 3)) : [0, 1, 2, 3].map((i) => (at(first + i) >>> 0).toString(16)).join(':');
  const parts = [
    TUNNEL_TYPES[tunnel & TunnelBit.TypeMask] ?? '?',
    ...((tunnel & TunnelBit.HasId) === 0 ? [] : [`id ${at(Slot.TunnelId) >>> 0}`]),
    ...(version === 0 ? [] : [address(Slot.TunnelSrc), address(Slot.TunnelDst)]),
  ];
  return parts.join(' ');
}

/** The slot holds the address as a big-endian number. */
function ipv4Text(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}
