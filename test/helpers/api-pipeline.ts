import type { FastifyInstance } from 'fastify';
import { type ApiParts, createApi } from '../../src/api/create-api.js';
import { Monitor } from '../../src/api/monitor.js';
import { type Config, resolveConfig } from '../../src/config.js';
import type { MaintenanceControl, PipelineMemory, Session } from '../../src/messages.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import type { Drop } from '../../src/ring/drop-reason.js';
import { createGapLog } from '../../src/ring/gap-log.js';
import { createHostBlock, HostBlock } from '../../src/ring/host-block.js';
import { createInterfaceTable, InterfaceTable } from '../../src/ring/interface-table.js';
import { RecordKind, Table, Thread, ThreadState } from '../../src/ring/layout.js';
import { createLinkTable } from '../../src/ring/link-table.js';
import { createRing, ResumeAt, RingConsumer, RingProducer } from '../../src/ring/ring.js';
import { Cell, createThreadBlock, ThreadBlock } from '../../src/ring/thread-block.js';

const WORKERS = 2;
const RING_BYTES = 65_536;
export const SLOTS_PER_WORKER = 2_500;

function createMemory(): PipelineMemory {
  const perWorker = <T>(make: () => T): T[] => Array.from({ length: WORKERS }, make);
  return {
    capture: createThreadBlock(),
    parse: perWorker(createThreadBlock),
    writer: createThreadBlock(),
    api: createThreadBlock(),
    frameRings: perWorker(() => createRing(RING_BYTES)),
    flowRings: perWorker(() => createRing(RING_BYTES)),
    flowTables: perWorker(() => {
      const table = new SharedArrayBuffer(Table.HeaderBytes);
      new Int32Array(table)[Table.SlotCount] = SLOTS_PER_WORKER;
      return table;
    }),
    interfaces: createInterfaceTable(),
    links: createLinkTable(),
    gaps: createGapLog(),
    host: createHostBlock(),
  };
}

/** Takes defects where there must be none. */
export function unexpected(error: Error): never {
  throw error;
}

/** A pipeline without threads: the shared memory of a live run with two parse workers, its clock, and hands to move both. */
export class ApiPipeline {
  readonly memory = createMemory();
  readonly capture = new ThreadBlock(this.memory.capture);
  readonly parse = this.memory.parse.map((block) => new ThreadBlock(block));
  readonly writer = new ThreadBlock(this.memory.writer);
  readonly api = new ThreadBlock(this.memory.api);
  readonly host = new HostBlock(this.memory.host);
  readonly config: Config;
  readonly session: Session;
  readonly monitor: Monitor;
  /** Threads whose heartbeat stands still. */
  readonly silent = new Set<ThreadBlock>();
  nowMs = 1_000_000;

  constructor(options: { readonly mode?: Session['mode']; readonly dbBusyTimeoutMs?: number } = {}) {
    this.config = resolveConfig({ 'db.busy-timeout-ms': options.dbBusyTimeoutMs ?? 30_000 });
    this.session = {
      key: '0123456789abcdef',
      mode: options.mode ?? 'live',
      source: 'eth0',
      startedUs: 1_750_000_000_000_000,
      startedMonotonicMs: this.nowMs,
    };
    this.monitor = this.newMonitor();
  }

  /** A monitor as a replaced API thread would have it: same memory, no history. */
  newMonitor(): Monitor {
    return new Monitor({ memory: this.memory, session: this.session, config: this.config, nowMs: () => this.nowMs });
  }

  get blocks(): ThreadBlock[] {
    return [this.capture, ...this.parse, this.writer, this.api];
  }

  /** All threads run, and 20 s have passed since the start. */
  running(): this {
    for (const block of this.blocks) {
      block.state = ThreadState.Running;
      block.words[Thread.TaskId] = process.pid;
      this.add(block, Cell.Starts, 1);
    }
    new InterfaceTable(this.memory.interfaces).indexOf('eth0', 1);
    return this.pass(20_000);
  }

  /** Lets time pass: every second the threads beat, those in `silent` excepted, and the monitor takes its sample. */
  pass(ms: number): this {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs) {
      this.nowMs = Math.min(this.nowMs + 1_000, endMs);
      for (const block of this.blocks) if (!this.silent.has(block)) block.cells[Cell.HeartbeatMs] = this.nowMs;
      this.monitor.sample();
    }
    return this;
  }

  add(block: ThreadBlock, cell: Cell, count: number): void {
    block.cells[cell] = block.cell(cell) + count;
  }

  /** `count` packets arrive and end in flows of one worker. */
  receive(count: number, worker = 0): void {
    const parse = this.parse[worker] as ThreadBlock;
    this.add(this.capture, Cell.FramesReceived, count);
    this.add(this.capture, Cell.WireBytesReceived, count * 100);
    this.add(parse, Cell.FramesTaken, count);
    this.add(parse, Cell.PacketsInFlows, count);
    this.add(parse, Cell.IpBytesInFlows, count * 86);
    this.add(parse, Cell.WireBytesInFlows, count * 100);
  }

  /** `count` packets arrive and are dropped by the capture (a full ring) or by the first worker. */
  drop(count: number, reason: Drop, block: ThreadBlock): void {
    this.add(this.capture, Cell.FramesReceived, count);
    if (block !== this.capture) this.add(block, Cell.FramesTaken, count);
    block.cells[Cell.Drops + reason] = (block.cells[Cell.Drops + reason] as number) + count;
  }

  /** Pushes one record of `bytes` into a ring. */
  push(ring: SharedArrayBuffer | undefined, bytes: number): void {
    const producer = new RingProducer(ring as SharedArrayBuffer, new Doorbell(createThreadBlock()));
    if (producer.tryPush(RecordKind.Frame, bytes) < 0) throw new Error('the ring of the test is too small');
    producer.publish();
  }

  /** Takes everything out of a ring. */
  empty(ring: SharedArrayBuffer | undefined): void {
    const consumer = new RingConsumer(ring as SharedArrayBuffer, ResumeAt.Released);
    while (consumer.peek() >= 0) consumer.advance();
    consumer.release();
  }
}

/** A writer that does what it is asked, or what a test gives instead. */
export function maintenance(parts: Partial<MaintenanceControl> = {}): MaintenanceControl {
  return {
    noteDevice: async () => ({ ok: true, value: 'done' }),
    acknowledgeAlert: async () => ({ ok: true, value: true }),
    saveDatabase: async () => ({ ok: true, value: null }),
    ...parts,
  };
}

/** The server of the API over this pipeline, with what a test gives instead. */
export function serverOf(pipeline: ApiPipeline, parts: Partial<ApiParts> = {}): FastifyInstance {
  return createApi({
    config: pipeline.config,
    memory: pipeline.memory,
    monitor: pipeline.monitor,
    maintenance: maintenance(),
    onDefect: unexpected,
    ...parts,
  }).server;
}
