import type { DROP_REASONS } from '../ring/drop-reason.js';
import type { GAP_REASONS, LINK_STATES, NIC_COUNTERS } from '../ring/watch-layout.js';
import type { WRITE_FAULTS } from '../ring/write-fault.js';
import type { HostSnapshot } from './host-snapshot.js';
import type { BudgetSnapshot, IoSnapshot } from './io.js';

/** Names of `ThreadState`, in its order. */
export const THREAD_STATES = ['starting', 'running', 'draining', 'ended'] as const;

export type DropReason = Exclude<(typeof DROP_REASONS)[number], ''>;

/** Counts by reason; those that are zero are left out. */
export type Drops = Partial<Record<DropReason, number>>;

export interface ThreadSnapshot {
  /** `capture`, `parse-0`, …, `writer`, `api`. */
  readonly name: string;
  readonly state: (typeof THREAD_STATES)[number];
  /** True once main has asked the thread to finish. */
  readonly isDraining: boolean;
  /** Null as long as the thread has given no sign of life. */
  readonly heartbeatAgeMs: number | null;
  readonly restarts: number;
  /** How often main ended it since it gave no sign of life; such restarts are among the others. */
  readonly hangs: number;
  /** Kernel id of the thread, or null before it is known. */
  readonly taskId: number | null;
}

export interface RingSnapshot {
  readonly usedBytes: number;
  readonly capacityBytes: number;
}

export interface WorkerSnapshot {
  readonly framesTaken: number;
  readonly packetsInFlows: number;
  readonly ipBytesInFlows: number;
  readonly wireBytesInFlows: number;
  readonly dropped: number;
  readonly flowsCreated: number;
  readonly flowsActive: number;
  /** Slots of the flow table. */
  readonly flowsActiveMax: number;
  readonly flowsEmitted: number;
  readonly packetsEmitted: number;
  readonly flowsEvicted: number;
  readonly writerRingFull: number;
  readonly fragmentsJoined: number;
  readonly fragmentsUnknown: number;
  /** Frames that the capture has dropped since this worker's ring was full. */
  readonly framesRefused: number;
  readonly frameRing: RingSnapshot;
  readonly flowRing: RingSnapshot;
}

export interface CaptureSnapshot {
  readonly framesReceived: number;
  readonly wireBytesReceived: number;
  readonly kernelPackets: number;
  readonly kernelDropped: number;
  readonly bytesCopied: number;
  readonly framesOversized: number;
  readonly framesCut: number;
  readonly inputBytesRead: number;
  readonly inputBytesTotal: number;
  /** How often the wall clock was set, and how far it is from the clock of the run, ms. */
  readonly clockSteps: number;
  readonly clockOffsetMs: number;
}

/** What keeps the database within its limits and in order. */
export interface UpkeepSnapshot {
  readonly rowsPruned: number;
  /** More is stored than the limit allows, and nothing is left that may go. */
  readonly isOverLimit: boolean;
  /** The clock has leapt: nothing is deleted for its age. */
  readonly isClockInDoubt: boolean;
  /** Length of a write-ahead log that readers hold beyond its limit; 0 otherwise. */
  readonly walHeldBytes: number;
  /** When the file was checked last, µs since 1970; null for never. */
  readonly checkedUs: number | null;
  readonly isDamaged: boolean;
}

export interface WriterSnapshot {
  readonly flowsWritten: number;
  readonly packetsWritten: number;
  readonly ipBytesWritten: number;
  readonly wireBytesWritten: number;
  readonly batchesWritten: number;
  readonly busyRetries: number;
  readonly writeErrors: number;
  readonly commitMs: number;
  readonly addressesOverflowed: number;
  readonly textsOverflowed: number;
  readonly devicesForgotten: number;
  /** The cache of names of addresses: those in it, flows that found one and that did not, and names that gave way. */
  readonly names: { readonly addresses: number; readonly hits: number; readonly misses: number; readonly evictions: number };
  readonly isWriteFailing: boolean;
  readonly upkeep: UpkeepSnapshot;
  /** Why, for people; '' while it is not failing. */
  readonly writeFault: (typeof WRITE_FAULTS)[number];
  /** Emitted, and in no row of the present file; records of names and devices that were dropped. */
  readonly lost: { readonly flows: number; readonly packets: number; readonly names: number };
  /** Damaged files that were set aside, and files that were removed or replaced while they were open. */
  readonly filesSetAside: number;
  readonly filesReplaced: number;
  /** Backups of the daemon; `failures` are those since the last good one. */
  readonly backups: { readonly made: number; readonly failures: number; readonly bytes: number };
  /** A database that lies in memory, where it may have `memoryBytesMax` (0: it lies on a disk), and how saving it goes. */
  readonly saves: {
    readonly memoryBytesMax: number;
    readonly made: number;
    readonly failed: number;
    /** Those since the last good one. */
    readonly failures: number;
    readonly isRunning: boolean;
    /** The last one made; 0 before there is one. */
    readonly lastUs: number;
    readonly lastBytes: number;
  };
  /** Earlier sessions that were found open at the start, and the packets that they had in flows and had not written. */
  readonly uncleanSessions: number;
  readonly packetsUnwritten: number;
  readonly io: IoSnapshot;
  readonly budget: BudgetSnapshot;
}

/** A watched interface of a live capture. */
export interface LinkSnapshot {
  readonly name: string;
  readonly state: (typeof LINK_STATES)[number];
  /** Since when it is not captured from, µs since 1970; null while it is. */
  readonly gapStartUs: number | null;
  /** What the kernel and the driver counted since the capture began, under the names of sysfs. */
  readonly nic: Readonly<Record<(typeof NIC_COUNTERS)[number], number>>;
}

/** When interfaces were not captured from. */
export interface GapsSnapshot {
  readonly count: number;
  /** All interfaces together, open gaps included. */
  readonly totalMs: number;
  readonly last: {
    readonly interface: string;
    readonly reason: (typeof GAP_REASONS)[number];
    readonly startUs: number;
    /** Null while the gap is open. */
    readonly endUs: number | null;
  } | null;
}

/** Packets that a network card has lost for want of room. Not `rx_dropped`: drivers also count there what nobody asked for. */
export function lostByCard({ nic }: LinkSnapshot): number {
  return nic.rx_missed_errors + nic.rx_fifo_errors + nic.rx_over_errors;
}

/** Where every received packet is: `received = inFlows + dropped + inRings + inHand`. */
interface LedgerSnapshot {
  readonly received: number;
  readonly inFlows: number;
  readonly dropped: number;
  /** Received, and not yet taken by a parse worker. */
  readonly inRings: number;
  /** Taken by a parse worker that has not yet decided where the packet belongs. */
  readonly inHand: number;
}

/** All that the pipeline says of itself at one moment. */
export interface Snapshot {
  /** Monotonic clock, ms. */
  readonly atMs: number;
  readonly threads: readonly ThreadSnapshot[];
  readonly capture: CaptureSnapshot;
  readonly workers: readonly WorkerSnapshot[];
  readonly writer: WriterSnapshot;
  /** Capture and parse workers together; nobody behind them drops a packet. */
  readonly drops: Drops;
  readonly ledger: LedgerSnapshot;
  readonly interfaces: readonly string[];
  readonly links: readonly LinkSnapshot[];
  readonly gaps: GapsSnapshot;
  readonly host: HostSnapshot;
}

/** True if no more packets are anywhere than went in. */
export function isPossible(snapshot: Snapshot): boolean {
  const { ledger, workers } = snapshot;
  return (
    ledger.inRings >= 0 &&
    workers.every((worker) => worker.framesTaken >= worker.packetsInFlows + worker.dropped) &&
    workers.every((worker) => worker.packetsInFlows >= worker.packetsEmitted)
  );
}
