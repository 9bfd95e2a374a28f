import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { allocateMemory } from '../../src/memory.js';
import type { PipelineMemory, Session } from '../../src/messages.js';
import { Application } from '../../src/ring/application.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { InterfaceTable } from '../../src/ring/interface-table.js';
import { EndReason, InitiatorBit, RecordKind, Slot, TcpState, TunnelBit } from '../../src/ring/layout.js';
import { RingProducer } from '../../src/ring/ring.js';
import { Cell, ThreadBlock } from '../../src/ring/thread-block.js';
import type { TunnelType } from '../../src/ring/tunnel-type.js';
import { Writer, type WriterSetup } from '../../src/store/writer.js';
import {
  type DetailSpec,
  type DeviceSpec,
  type DnsSpec,
  detailBytes,
  deviceRecord,
  dnsRecord,
  putAddress,
} from './name-records.js';

/** A pair of values: what the initiator sent, what the other side sent. */
type Pair = readonly [src: number, dst: number];

/** One flow as a test describes it, seen from its initiator. */
export interface FlowSpec {
  readonly src: string;
  readonly srcPort: number;
  readonly dst: string;
  readonly dstPort: number;
  readonly protocol: number;
  readonly packets: Pair;
  readonly ipBytes: Pair;
  readonly wireBytes: Pair;
  readonly payloadBytes: Pair;
  readonly tcpFlags: Pair;
  readonly tcpState: TcpState;
  readonly endReason: EndReason;
  /** Client side, server side. */
  readonly rttUs: Pair;
  readonly retransmits: Pair;
  readonly outOfOrder: Pair;
  readonly zeroWindows: Pair;
  /** Type in the upper, code in the lower 8 bits. */
  readonly icmp: number;
  readonly vlanId: number;
  readonly interfaceIndex: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly emittedUs: number;
  readonly flowId: number;
  readonly segmentIndex: number;
  /** As the payload showed it. */
  readonly application: Application;
  /** The payload's first bytes were seen, and showed none. */
  readonly isStartUnknown: boolean;
  readonly details?: DetailSpec;
  /** The outermost tunnel of the flow's first packet, which the initiator sent unless `isFromDst`. */
  readonly tunnel?: {
    readonly type: TunnelType;
    readonly id?: number;
    readonly addresses?: readonly [src: string, dst: string];
    readonly isFromDst?: boolean;
  };
  /** Direction of the initiator in the record: 0 puts `src` first, 1 second. */
  readonly direction: 0 | 1;
}

/** Wall clock at which tests begin, the start of a minute: 2025-06-15 15:06:00 UTC. */
export const NOW_MS = 1_750_000_000_000 - (1_750_000_000_000 % 60_000);
const NOW_US = NOW_MS * 1000;

const UDP_FLOW: FlowSpec = {
  src: '192.168.1.10',
  srcPort: 40_000,
  dst: '9.9.9.9',
  dstPort: 53,
  protocol: 17,
  packets: [1, 1],
  ipBytes: [60, 120],
  wireBytes: [74, 134],
  payloadBytes: [32, 92],
  tcpFlags: [0, 0],
  tcpState: TcpState.None,
  endReason: EndReason.Idle,
  rttUs: [0, 0],
  retransmits: [0, 0],
  outOfOrder: [0, 0],
  zeroWindows: [0, 0],
  icmp: 0,
  vlanId: 0,
  interfaceIndex: 0,
  startUs: NOW_US - 61_000_000,
  endUs: NOW_US - 60_000_000,
  emittedUs: NOW_US,
  flowId: 0,
  segmentIndex: 0,
  application: Application.None,
  isStartUnknown: false,
  direction: 0,
};

/** A DNS query and its answer, but for what is given. */
export function flow(given: Partial<FlowSpec> = {}): FlowSpec {
  return { ...UDP_FLOW, ...given };
}

/** `count` flows, a millisecond apart. */
export function flows(count: number, given: Partial<FlowSpec> = {}): FlowSpec[] {
  return Array.from({ length: count }, (_, i) => flow({ ...given, emittedUs: (given.emittedUs ?? NOW_US) + i * 1000 }));
}

function putTunnel(words: Int32Array, word: number, { tunnel, direction }: FlowSpec): void {
  if (!tunnel) return;
  const version = tunnel.addresses ? (tunnel.addresses[0].includes(':') ? 6 : 4) : 0;
  const isFromHi = (direction === 1) !== (tunnel.isFromDst ?? false);
  const bits = (tunnel.id === undefined ? 0 : TunnelBit.HasId) | (isFromHi ? TunnelBit.IsFromHi : 0);
  words[word + Slot.Tunnel] = tunnel.type | bits | (version << TunnelBit.IpVersion);
  words[word + Slot.TunnelId] = tunnel.id ?? 0;
  if (!tunnel.addresses) return;
  putAddress(words, word + Slot.TunnelSrc, tunnel.addresses[0]);
  putAddress(words, word + Slot.TunnelDst, tunnel.addresses[1]);
}

function putRecord(words: Int32Array, doubles: Float64Array, payload: number, spec: FlowSpec): void {
  const word = payload >> 2;
  const double = payload >> 3;
  words.fill(0, word, word + Slot.RecordBytes / 4);
  const isForward = spec.direction === 0;
  const version = spec.src.includes(':') ? 6 : 4;
  words[word + Slot.Protocol] = spec.protocol | (version << 20);
  words[word + Slot.Ports] = isForward ? (spec.srcPort << 16) | spec.dstPort : (spec.dstPort << 16) | spec.srcPort;
  putAddress(words, word + (isForward ? Slot.AddressLo : Slot.AddressHi), spec.src);
  putAddress(words, word + (isForward ? Slot.AddressHi : Slot.AddressLo), spec.dst);
  // Bit 1 is set as by a SYN; it says nothing about the direction.
  words[word + Slot.Initiator] =
    spec.direction | (spec.protocol === 6 ? InitiatorBit.Settled : 0) | (spec.isStartUnknown ? InitiatorBit.StartUnknown : 0);
  words[word + Slot.InterfaceIndex] = spec.interfaceIndex;
  words[word + Slot.Icmp] = spec.icmp;
  words[word + Slot.VlanId] = spec.vlanId;
  putTunnel(words, word, spec);
  words[word + Slot.TcpState] = spec.tcpState;
  words[word + Slot.EndReason] = spec.endReason;
  words[word + Slot.RttClientUs] = spec.rttUs[0];
  words[word + Slot.RttServerUs] = spec.rttUs[1];
  for (const [first, pair] of [
    [Slot.Retransmits0, spec.retransmits],
    [Slot.OutOfOrder0, spec.outOfOrder],
    [Slot.ZeroWindows0, spec.zeroWindows],
  ] as const) {
    words[word + first + spec.direction] = pair[0];
    words[word + first + 1 - spec.direction] = pair[1];
  }
  words[word + Slot.SegmentIndex] = spec.segmentIndex;
  words[word + Slot.Application] = spec.application;
  words[word + Slot.TcpFlags0 + spec.direction] = spec.tcpFlags[0];
  words[word + Slot.TcpFlags1 - spec.direction] = spec.tcpFlags[1];
  doubles[double + Slot.StartUsF64] = spec.startUs;
  doubles[double + Slot.EndUsF64] = spec.endUs;
  doubles[double + Slot.EmittedUsF64] = spec.emittedUs;
  doubles[double + Slot.FlowIdF64] = spec.flowId;
  const pairs: readonly (readonly [number, Pair])[] = [
    [Slot.Packets0F64, spec.packets],
    [Slot.IpBytes0F64, spec.ipBytes],
    [Slot.WireBytes0F64, spec.wireBytes],
    [Slot.PayloadBytes0F64, spec.payloadBytes],
  ];
  for (const [field, [src, dst]] of pairs) {
    doubles[double + field + spec.direction] = src;
    doubles[double + field + 1 - spec.direction] = dst;
  }
}

/** A directory for databases that is removed with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'flowberry-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

let sessionsMade = 0;

/** The program of scans, as it was built. */
const SCAN_FILE = new URL('../../dist/src/store/upkeep/scan-process.js', import.meta.url);

/** Everything around a writer but the other threads: the memory of a run, hands to emit flows, and the database file. */
export class WriterRig implements WriterSetup {
  readonly config;
  readonly memory: PipelineMemory;
  readonly session: Session;
  readonly scanFile: URL;
  readonly interfaces: InterfaceTable;
  readonly capture: ThreadBlock;
  readonly parse: readonly ThreadBlock[];
  readonly writerBlock: ThreadBlock;
  /** Lines that writers sent to the log. */
  readonly log: { level: string; message: string; fields: object }[] = [];
  private readonly producers: readonly RingProducer[];
  private readonly doubles: readonly Float64Array[];

  /** A new run; on the database of an earlier one when `path` is given. */
  constructor(
    given: { path?: string; workers?: number; options?: OptionValues; interfaces?: readonly string[]; scanFile?: URL } = {},
  ) {
    this.scanFile = given.scanFile ?? SCAN_FILE;
    this.config = resolveConfig({
      'db.path': given.path ?? join(temporaryDirectory(), 'flowberry.db'),
      'flow.active-max': 16,
      'ring.frame-bytes': 1_048_576,
      'ring.flow-bytes': 262_144,
      // The same on every machine, whatever its disk is.
      'store.profile': 'ssd',
      ...given.options,
    });
    this.memory = allocateMemory(this.config, given.workers ?? 1);
    this.session = {
      key: (++sessionsMade).toString(16).padStart(16, '0'),
      mode: 'live',
      source: 'eth0',
      startedUs: NOW_US,
      startedMonotonicMs: 0,
    };
    this.interfaces = new InterfaceTable(this.memory.interfaces);
    for (const name of given.interfaces ?? ['eth0']) this.interfaces.indexOf(name, 1);
    this.capture = new ThreadBlock(this.memory.capture);
    this.parse = this.memory.parse.map((block) => new ThreadBlock(block));
    this.writerBlock = new ThreadBlock(this.memory.writer);
    const doorbell = new Doorbell(this.memory.writer);
    this.producers = this.memory.flowRings.map((ring) => new RingProducer(ring, doorbell));
    this.doubles = this.memory.flowRings.map((ring) => new Float64Array(ring));
  }

  get path(): string {
    return this.config.dbPath;
  }

  /** Opens a writer on this run; with the one before given up, it is its successor. */
  open(nowMs = NOW_MS): Writer {
    return Writer.open(this, (level, message, fields = {}) => this.log.push({ level, message, fields }), nowMs);
  }

  /** Emits a flow as parse worker `index` does, and counts it as capture and parse worker do; false when the ring is full. */
  tryEmit(spec: FlowSpec, index = 0): boolean {
    const producer = this.producers[index] as RingProducer;
    const details = detailBytes(spec.details ?? {});
    const payload = producer.tryPush(RecordKind.Flow, Slot.RecordBytes + details.length);
    if (payload < 0) return false;
    putRecord(producer.words, this.doubles[index] as Float64Array, payload, spec);
    producer.words[(payload >> 2) + Slot.DetailBytes] = details.length;
    new Uint8Array(producer.words.buffer).set(details, payload + Slot.RecordBytes);
    producer.publish();
    const packets = spec.packets[0] + spec.packets[1];
    const parse = this.parse[index] as ThreadBlock;
    this.count(this.capture, Cell.FramesReceived, packets);
    this.count(parse, Cell.PacketsInFlows, packets);
    this.count(parse, Cell.FlowsEmitted, 1);
    return true;
  }

  emit(spec: FlowSpec, index = 0): void {
    if (!this.tryEmit(spec, index)) throw new Error('the test emits more flows than the ring takes');
  }

  /** Emits a DNS transaction as parse worker `index` does. */
  emitDns(spec: DnsSpec, index = 0): void {
    this.push(RecordKind.Dns, dnsRecord(spec), index);
  }

  /** Emits the sighting of a device as parse worker `index` does. */
  emitDevice(spec: DeviceSpec, index = 0): void {
    this.push(RecordKind.Device, deviceRecord(spec), index);
  }

  private push(kind: RecordKind, record: Uint8Array, index: number): void {
    const producer = this.producers[index] as RingProducer;
    const payload = producer.tryPush(kind, record.length);
    if (payload < 0) throw new Error('the test emits more records than the ring takes');
    new Uint8Array(producer.words.buffer).set(record, payload);
    producer.publish();
  }

  /** Emits a flow, and blocks while the ring is full: some other thread must be writing. */
  emitBlocking(spec: FlowSpec): void {
    while (!this.tryEmit(spec)) this.producers[0]?.waitForSpace(1_000);
  }

  emitAll(specs: readonly FlowSpec[], index = 0): void {
    for (const spec of specs) this.emit(spec, index);
  }

  count(block: ThreadBlock, cell: Cell, by: number): void {
    block.cells[cell] = block.cell(cell) + by;
  }

  /** Writes `specs` in a session of its own, from open to close. */
  store(specs: readonly FlowSpec[], nowMs = NOW_MS): void {
    const writer = this.open(nowMs);
    for (const spec of specs) {
      this.emit(spec);
      writer.step(nowMs, false);
    }
    while (writer.step(nowMs, true));
    writer.close(nowMs);
  }

  /** Rows of a query on the database file, through a connection of its own. */
  query<T = Record<string, unknown>>(sql: string): T[] {
    const db = new Database(this.path, { readonly: true });
    try {
      return db.prepare<[], T>(sql).all();
    } finally {
      db.close();
    }
  }

  /** Changes the database file through a connection of its own, as another program would. */
  execute(sql: string): void {
    const db = new Database(this.path);
    try {
      db.exec(sql);
    } finally {
      db.close();
    }
  }

  /** The one value of a query. */
  value<T = number>(sql: string): T {
    return Object.values(this.query<Record<string, T>>(sql)[0] as Record<string, T>)[0] as T;
  }
}
