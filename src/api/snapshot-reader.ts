import { LiveClock } from '../live-clock.js';
import type { PipelineMemory, Session } from '../messages.js';
import { DROP_REASONS, Drop } from '../ring/drop-reason.js';
import { InterfaceTable } from '../ring/interface-table.js';
import { Command, Table, Thread, ThreadState } from '../ring/layout.js';
import { ringCapacityBytes, ringRefusedCount, ringUsedBytes } from '../ring/ring.js';
import { Cell, RetentionTrouble, ThreadBlock } from '../ring/thread-block.js';
import { WRITE_FAULTS } from '../ring/write-fault.js';
import { HostReader } from './host-snapshot.js';
import { readBudget, readIo } from './io.js';
import {
  type CaptureSnapshot,
  type DropReason,
  type Drops,
  isPossible,
  type RingSnapshot,
  type Snapshot,
  THREAD_STATES,
  type ThreadSnapshot,
  type WorkerSnapshot,
  type WriterSnapshot,
} from './snapshot.js';
import { WatchReader } from './watch-reader.js';

/**
 * One thread's block for a reader that cares in which order it sees cells. Plain loads may be reordered by the compiler and by
 * arm64; atomic loads are not, and there is none for floats, so a cell is loaded as 64 bits and read as a float afterwards.
 */
class BlockReader {
  readonly block: ThreadBlock;
  private readonly bits: BigInt64Array;
  private readonly loadedBits = new BigInt64Array(1);
  private readonly loaded = new Float64Array(this.loadedBits.buffer);

  constructor(
    readonly name: string,
    memory: SharedArrayBuffer,
  ) {
    this.block = new ThreadBlock(memory);
    this.bits = new BigInt64Array(memory, Thread.CellsF64 * 8, Thread.CellCount);
  }

  cell(cell: number): number {
    this.loadedBits[0] = Atomics.load(this.bits, cell);
    return this.loaded[0] as number;
  }

  thread(nowMs: number): ThreadSnapshot {
    const { block } = this;
    const heartbeatMs = this.cell(Cell.HeartbeatMs);
    const taskId = Atomics.load(block.words, Thread.TaskId);
    return {
      name: this.name,
      state: THREAD_STATES[block.state] ?? 'ended',
      isDraining: block.command === Command.Drain || block.state === ThreadState.Draining,
      heartbeatAgeMs: heartbeatMs > 0 ? Math.max(0, nowMs - heartbeatMs) : null,
      restarts: Math.max(0, this.cell(Cell.Starts) - 1),
      hangs: this.cell(Cell.Hangs),
      taskId: taskId > 0 ? taskId : null,
    };
  }

  /** Adds this thread's drops to `drops` and returns their sum. */
  addDrops(drops: Drops): number {
    let sum = 0;
    for (let reason = 1; reason < Drop.Count; reason++) {
      const count = this.cell(Cell.Drops + reason);
      if (count === 0) continue;
      const name = DROP_REASONS[reason] as DropReason;
      drops[name] = (drops[name] ?? 0) + count;
      sum += count;
    }
    return sum;
  }
}

/** The two ends of a ring are read one after the other while both move, so the difference is brought back into its range. */
function readRing(memory: SharedArrayBuffer): RingSnapshot {
  const capacityBytes = ringCapacityBytes(memory);
  return { usedBytes: Math.min(Math.max(ringUsedBytes(memory), 0), capacityBytes), capacityBytes };
}

/** How often a ledger that looks impossible is read again. */
const READS_MAX = 4;

/**
 * Reads the pipeline's shared memory. It writes nothing, asks nobody and blocks on nothing, so it works while any other thread
 * is busy, hung or dead.
 *
 * **Order.** A packet moves downstream: received → taken → in a flow or dropped → emitted → written. Every thread counts it
 * before it hands it on, and handing on is a sequentially consistent store into a ring. The reader goes upstream: written
 * first, received last. Whatever it has seen downstream was counted upstream before, and is therefore seen there. So no
 * difference is ever negative, and a difference is exactly what was under way at some moment of the reading, plus what arrived
 * during it (some microseconds).
 *
 * Within one thread, two cells are two plain stores, which arm64 may show in either order for some nanoseconds. That is
 * what the repeated reading is for; what is negative every time is a defect, and is reported as it is.
 */
export class SnapshotReader {
  private readonly capture: BlockReader;
  private readonly parse: readonly BlockReader[];
  private readonly writer: BlockReader;
  private readonly api: BlockReader;
  private readonly interfaces: InterfaceTable;
  private readonly watch: WatchReader;
  private readonly host: HostReader;
  private readonly clock: LiveClock;

  constructor(
    private readonly memory: PipelineMemory,
    session: Session,
  ) {
    this.capture = new BlockReader('capture', memory.capture);
    this.parse = memory.parse.map((block, index) => new BlockReader(`parse-${index}`, block));
    this.writer = new BlockReader('writer', memory.writer);
    this.api = new BlockReader('api', memory.api);
    this.interfaces = new InterfaceTable(memory.interfaces);
    this.watch = new WatchReader(memory);
    this.host = new HostReader(memory.host);
    this.clock = new LiveClock(session.startedUs, session.startedMonotonicMs);
  }

  /** Reads everything; `nowMs` is the monotonic clock. */
  read(nowMs: number): Snapshot {
    let snapshot = this.readOnce(nowMs);
    for (let reads = 1; reads < READS_MAX && !isPossible(snapshot); reads++) snapshot = this.readOnce(nowMs);
    return snapshot;
  }

  private readOnce(nowMs: number): Snapshot {
    const drops: Drops = {};
    const threads = [this.capture, ...this.parse, this.writer, this.api].map((reader) => reader.thread(nowMs));
    const writer = this.readWriter();
    const workers = this.parse.map((_, index) => this.readWorker(index, drops));
    const droppedByCapture = this.capture.addDrops(drops);
    const capture = this.readCapture();
    const links = this.watch.readLinks();

    let taken = 0;
    let inFlows = 0;
    let droppedByParse = 0;
    for (const worker of workers) {
      taken += worker.framesTaken;
      inFlows += worker.packetsInFlows;
      droppedByParse += worker.dropped;
    }
    return {
      atMs: nowMs,
      threads,
      capture,
      workers,
      writer,
      drops,
      ledger: {
        received: capture.framesReceived,
        inFlows,
        dropped: droppedByCapture + droppedByParse,
        inRings: capture.framesReceived - droppedByCapture - taken,
        inHand: taken - inFlows - droppedByParse,
      },
      interfaces: Array.from({ length: this.interfaces.count }, (_, index) => this.interfaces.name(index)),
      links,
      gaps: this.watch.readGaps(this.clock.usAt(nowMs), links),
      host: this.host.read(nowMs),
    };
  }

  private readWriter(): WriterSnapshot {
    const { writer } = this;
    return {
      flowsWritten: writer.cell(Cell.FlowsWritten),
      packetsWritten: writer.cell(Cell.PacketsWritten),
      ipBytesWritten: writer.cell(Cell.IpBytesWritten),
      wireBytesWritten: writer.cell(Cell.WireBytesWritten),
      batchesWritten: writer.cell(Cell.BatchesWritten),
      busyRetries: writer.cell(Cell.BusyRetries),
      writeErrors: writer.cell(Cell.WriteErrors),
      commitMs: writer.cell(Cell.CommitMs),
      addressesOverflowed: writer.cell(Cell.AddressesOverflowed),
      textsOverflowed: writer.cell(Cell.TextsOverflowed),
      devicesForgotten: writer.cell(Cell.DevicesForgotten),
      names: {
        addresses: writer.cell(Cell.NameAddresses),
        hits: writer.cell(Cell.NameHits),
        misses: writer.cell(Cell.NameMisses),
        evictions: writer.cell(Cell.NameEvictions),
      },
      isWriteFailing: writer.cell(Cell.WriteFailing) !== 0,
      upkeep: {
        rowsPruned: writer.cell(Cell.RowsPruned),
        isOverLimit: writer.cell(Cell.RetentionTrouble) === RetentionTrouble.FileOverLimit,
        isClockInDoubt: writer.cell(Cell.RetentionTrouble) === RetentionTrouble.ClockInDoubt,
        walHeldBytes: writer.cell(Cell.WalHeldBytes),
        checkedUs: writer.cell(Cell.FileCheckedUs) || null,
        isDamaged: writer.cell(Cell.FileDamaged) !== 0,
      },
      writeFault: WRITE_FAULTS[writer.cell(Cell.WriteFault)] ?? '',
      lost: { flows: writer.cell(Cell.FlowsLost), packets: writer.cell(Cell.PacketsLost), names: writer.cell(Cell.NamesLost) },
      filesSetAside: writer.cell(Cell.FilesSetAside),
      filesReplaced: writer.cell(Cell.FilesReplaced),
      backups: {
        made: writer.cell(Cell.BackupsMade),
        failures: writer.cell(Cell.BackupFailures),
        bytes: writer.cell(Cell.BackupBytes),
      },
      saves: {
        memoryBytesMax: writer.cell(Cell.RamBytesMax),
        made: writer.cell(Cell.SavesMade),
        failed: writer.cell(Cell.SavesFailed),
        failures: writer.cell(Cell.SaveFailures),
        isRunning: writer.cell(Cell.SaveRunning) !== 0,
        lastUs: writer.cell(Cell.SavedUs),
        lastBytes: writer.cell(Cell.SavedBytes),
      },
      uncleanSessions: writer.cell(Cell.UncleanSessions),
      packetsUnwritten: writer.cell(Cell.PacketsUnwritten),
      io: readIo((cell) => writer.cell(cell)),
      budget: readBudget((cell) => writer.cell(cell)),
    };
  }

  /** Downstream first: emitted, then in flows and drops, then taken. */
  private readWorker(index: number, drops: Drops): WorkerSnapshot {
    const reader = this.parse[index] as BlockReader;
    const flowsEmitted = reader.cell(Cell.FlowsEmitted);
    const packetsEmitted = reader.cell(Cell.PacketsEmitted);
    const packetsInFlows = reader.cell(Cell.PacketsInFlows);
    const dropped = reader.addDrops(drops);
    const framesTaken = reader.cell(Cell.FramesTaken);
    const table = new Int32Array(this.memory.flowTables[index] as SharedArrayBuffer);
    return {
      framesTaken,
      packetsInFlows,
      ipBytesInFlows: reader.cell(Cell.IpBytesInFlows),
      wireBytesInFlows: reader.cell(Cell.WireBytesInFlows),
      dropped,
      flowsCreated: reader.cell(Cell.FlowsCreated),
      flowsActive: reader.cell(Cell.FlowsActive),
      flowsActiveMax: Atomics.load(table, Table.SlotCount),
      flowsEmitted,
      packetsEmitted,
      flowsEvicted: reader.cell(Cell.FlowsEvicted),
      writerRingFull: reader.cell(Cell.WriterRingFull),
      fragmentsJoined: reader.cell(Cell.FragmentsJoined),
      fragmentsUnknown: reader.cell(Cell.FragmentsUnknown),
      framesRefused: ringRefusedCount(this.memory.frameRings[index] as SharedArrayBuffer),
      frameRing: readRing(this.memory.frameRings[index] as SharedArrayBuffer),
      flowRing: readRing(this.memory.flowRings[index] as SharedArrayBuffer),
    };
  }

  private readCapture(): CaptureSnapshot {
    const { capture } = this;
    return {
      framesReceived: capture.cell(Cell.FramesReceived),
      wireBytesReceived: capture.cell(Cell.WireBytesReceived),
      kernelPackets: capture.cell(Cell.KernelPackets),
      kernelDropped: capture.cell(Cell.KernelDropped),
      bytesCopied: capture.cell(Cell.BytesCopied),
      framesOversized: capture.cell(Cell.FramesOversized),
      framesCut: capture.cell(Cell.FramesCut),
      inputBytesRead: capture.cell(Cell.InputBytesRead),
      inputBytesTotal: capture.cell(Cell.InputBytesTotal),
      clockSteps: capture.cell(Cell.ClockSteps),
      clockOffsetMs: capture.cell(Cell.ClockOffsetMs),
    };
  }
}
