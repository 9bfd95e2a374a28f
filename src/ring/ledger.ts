import { DROP_REASONS, Drop } from './drop-reason.js';
import { Cell, ThreadBlock } from './thread-block.js';

/** Counts by drop reason; those that are zero are left out. */
export type DropCounts = Record<string, number>;

/** The sums over all threads, once they stand still: then `received = inFlows + Σ dropped`, and every flow is written. */
export interface Ledger {
  readonly received: number;
  readonly wireBytesReceived: number;
  readonly kernelPackets: number;
  readonly kernelDropped: number;
  readonly inFlows: number;
  readonly ipBytes: number;
  readonly wireBytes: number;
  readonly dropped: DropCounts;
  readonly framesOversized: number;
  readonly framesCut: number;
  readonly fragmentsJoined: number;
  readonly fragmentsUnknown: number;
  readonly flowsCreated: number;
  readonly flowsEmitted: number;
  readonly flowsEvicted: number;
  readonly flowsWritten: number;
  readonly packetsWritten: number;
}

/** Packets that are in no counter: received − in flows − dropped; 0 once the threads stand still. */
export function ledgerDifference(ledger: Ledger): number {
  return ledger.received - ledger.inFlows - Object.values(ledger.dropped).reduce((sum, count) => sum + count, 0);
}

/** Sums the counters of the threads' blocks. */
export function readLedger(memory: {
  readonly capture: SharedArrayBuffer;
  readonly parse: readonly SharedArrayBuffer[];
  readonly writer: SharedArrayBuffer;
}): Ledger {
  const capture = new ThreadBlock(memory.capture);
  const parse = memory.parse.map((block) => new ThreadBlock(block));
  const writer = new ThreadBlock(memory.writer);
  const sum = (cell: Cell): number => parse.reduce((total, block) => total + block.cell(cell), 0);
  const dropped: DropCounts = {};
  for (let reason = 1; reason < Drop.Count; reason++) {
    const count = capture.cell(Cell.Drops + reason) + sum(Cell.Drops + reason);
    if (count > 0) dropped[DROP_REASONS[reason] as string] = count;
  }
  return {
    received: capture.cell(Cell.FramesReceived),
    wireBytesReceived: capture.cell(Cell.WireBytesReceived),
    kernelPackets: capture.cell(Cell.KernelPackets),
    kernelDropped: capture.cell(Cell.KernelDropped),
    inFlows: sum(Cell.PacketsInFlows),
    ipBytes: sum(Cell.IpBytesInFlows),
    wireBytes: sum(Cell.WireBytesInFlows),
    dropped,
    framesOversized: capture.cell(Cell.FramesOversized),
    framesCut: capture.cell(Cell.FramesCut),
    fragmentsJoined: sum(Cell.FragmentsJoined),
    fragmentsUnknown: sum(Cell.FragmentsUnknown),
    flowsCreated: sum(Cell.FlowsCreated),
    flowsEmitted: sum(Cell.FlowsEmitted),
    flowsEvicted: sum(Cell.FlowsEvicted),
    flowsWritten: writer.cell(Cell.FlowsWritten),
    packetsWritten: writer.cell(Cell.PacketsWritten),
  };
}
