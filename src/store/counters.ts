import type { PipelineMemory } from '../messages.js';
import { Drop } from '../ring/drop-reason.js';
import { Cell, ThreadBlock } from '../ring/thread-block.js';
import type { RowSums } from './flow-rows.js';

/** Columns of counts in `ledger` and `sessions`, in the order of the tables. */
export const COUNT_COLUMNS = [
  'frames_received',
  'packets_in_flows',
  'packets_dropped',
  'kernel_packets',
  'kernel_dropped',
  'flows_emitted',
  'flows_written',
  'packets_written',
  'ip_bytes_written',
  'wire_bytes_written',
] as const;

/** Indexes of a `Counts` array: the columns above, then the drops by reason. */
export const enum Count {
  FramesReceived = 0,
  PacketsInFlows = 1,
  PacketsDropped = 2,
  KernelPackets = 3,
  KernelDropped = 4,
  FlowsEmitted = 5,
  FlowsWritten = 6,
  PacketsWritten = 7,
  IpBytesWritten = 8,
  WireBytesWritten = 9,
  Columns = 10,
  Drops = 10,
}

/** Indexed with `Count`. */
export type Counts = Float64Array;

export function createCounts(): Counts {
  return new Float64Array(Count.Drops + Drop.Count);
}

/** Reads the counters of the other threads; they may be a packet apart from each other while those run. */
export class CounterReader {
  private readonly capture: ThreadBlock;
  private readonly parse: readonly ThreadBlock[];

  constructor(memory: PipelineMemory) {
    this.capture = new ThreadBlock(memory.capture);
    this.parse = memory.parse.map((block) => new ThreadBlock(block));
  }

  /** Fills `next` with the counters as they are now; what is written is what was stored before and `rows`. */
  read(stored: Counts, rows: RowSums, next: Counts): void {
    next[Count.FramesReceived] = this.capture.cell(Cell.FramesReceived);
    next[Count.KernelPackets] = this.capture.cell(Cell.KernelPackets);
    next[Count.KernelDropped] = this.capture.cell(Cell.KernelDropped);
    next[Count.PacketsInFlows] = this.parseSum(Cell.PacketsInFlows);
    next[Count.FlowsEmitted] = this.parseSum(Cell.FlowsEmitted);
    next[Count.FlowsWritten] = (stored[Count.FlowsWritten] as number) + rows.rows;
    next[Count.PacketsWritten] = (stored[Count.PacketsWritten] as number) + rows.packets;
    next[Count.IpBytesWritten] = (stored[Count.IpBytesWritten] as number) + rows.ipBytes;
    next[Count.WireBytesWritten] = (stored[Count.WireBytesWritten] as number) + rows.wireBytes;
    let dropped = 0;
    for (let reason = 1; reason < Drop.Count; reason++) {
      const count = this.capture.cell(Cell.Drops + reason) + this.parseSum(Cell.Drops + reason);
      next[Count.Drops + reason] = count;
      dropped += count;
    }
    next[Count.PacketsDropped] = dropped;
  }

  private parseSum(cell: Cell): number {
    let sum = 0;
    for (const block of this.parse) sum += block.cell(cell);
    return sum;
  }
}
