import type { Snapshot } from '../snapshot.js';

const MS_PER_S = 1000;
const BITS_PER_BYTE = 8;

/** What the topic `stats` tells once a second: totals since the start of the session, and rates since the message before. */
export interface LiveStats {
  /** µs since 1970 UTC. */
  readonly at_us: number;
  readonly packets: number;
  readonly packets_per_s: number;
  readonly wire_bits_per_s: number;
  readonly flows_active: number;
  readonly flows_per_s: number;
  readonly flows_written: number;
  readonly packets_dropped: Readonly<Record<string, number>>;
  readonly packets_lost_by_kernel: number;
}

/** Compares two snapshots, the earlier one first; `atUs` is the time of the later one. */
export function statsBetween(before: Snapshot, now: Snapshot, atUs: number): LiveStats {
  const seconds = Math.max(now.atMs - before.atMs, 1) / MS_PER_S;
  const rate = (read: (snapshot: Snapshot) => number): number => Math.max(0, Math.round((read(now) - read(before)) / seconds));
  const sum = (snapshot: Snapshot, read: (worker: Snapshot['workers'][number]) => number): number =>
    snapshot.workers.reduce((total, worker) => total + read(worker), 0);
  return {
    at_us: atUs,
    packets: now.capture.framesReceived,
    packets_per_s: rate(({ capture }) => capture.framesReceived),
    wire_bits_per_s: rate(({ capture }) => capture.wireBytesReceived * BITS_PER_BYTE),
    flows_active: sum(now, (worker) => worker.flowsActive),
    flows_per_s: rate((snapshot) => sum(snapshot, (worker) => worker.flowsCreated)),
    flows_written: now.writer.flowsWritten,
    packets_dropped: now.drops,
    packets_lost_by_kernel: now.capture.kernelDropped,
  };
}
