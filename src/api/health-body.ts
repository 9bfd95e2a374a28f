import type { Config } from '../config.js';
import type { Session } from '../messages.js';
import type { Health } from './health.js';
import { hostPart } from './host-part.js';
import { ioPart } from './io-part.js';
import type { Loss } from './losses.js';
import { notesOf } from './notes.js';
import type { Placement } from './placement.js';
import type { HealthBody } from './schema.js';
import type { RingSnapshot, Snapshot, WorkerSnapshot } from './snapshot.js';

/** What stays the same for a whole run. */
export interface HealthFrame {
  readonly version: string;
  readonly session: Session;
  readonly config: Config;
}

/** The body of `/health`. It names no host: whoever may poll it need not be allowed to see the traffic. */
export function healthBody(
  frame: HealthFrame,
  snapshot: Snapshot,
  health: Health,
  losses: readonly Loss[],
  placementOf: (taskId: number) => Placement | null,
): HealthBody {
  const { session } = frame;
  const { capture, gaps, ledger, writer, workers } = snapshot;
  const sum = (counter: (worker: WorkerSnapshot) => number): number =>
    workers.reduce((total, worker) => total + counter(worker), 0);
  const flowsEmitted = sum((worker) => worker.flowsEmitted);
  return {
    version: frame.version,
    status: health.status,
    reasons: [...health.reasons],
    notes: notesOf(snapshot),
    mode: session.mode,
    source: session.source,
    uptime_s: Math.max(0, Math.round(snapshot.atMs - session.startedMonotonicMs) / 1000),
    started_us: session.startedUs,
    ledger: {
      received: ledger.received,
      in_flows: ledger.inFlows,
      dropped: snapshot.drops,
      waiting: ledger.inRings + ledger.inHand,
      waiting_in_rings: ledger.inRings,
      waiting_in_hand: ledger.inHand,
      balanced: health.isBalanced,
    },
    capture: {
      received_packets: capture.framesReceived,
      received_wire_bytes: capture.wireBytesReceived,
      copied_bytes: capture.bytesCopied,
      oversized_packets: capture.framesOversized,
      cut_packets: capture.framesCut,
      kernel_packets: capture.kernelPackets,
      kernel_dropped_packets: capture.kernelDropped,
      input_read_bytes: capture.inputBytesRead,
      input_total_bytes: capture.inputBytesTotal,
    },
    losses: [...losses],
    links: snapshot.links.map(({ name, state, gapStartUs, nic }) => ({ name, state, gap_start_us: gapStartUs, nic })),
    gaps: {
      count: gaps.count,
      total_ms: Math.round(gaps.totalMs),
      last: gaps.last && {
        interface: gaps.last.interface,
        reason: gaps.last.reason,
        start_us: gaps.last.startUs,
        end_us: gaps.last.endUs,
      },
    },
    flows: {
      created: sum((worker) => worker.flowsCreated),
      active: sum((worker) => worker.flowsActive),
      active_max: sum((worker) => worker.flowsActiveMax),
      evicted: sum((worker) => worker.flowsEvicted),
      emitted: flowsEmitted,
      emitted_packets: sum((worker) => worker.packetsEmitted),
      written: writer.flowsWritten,
      written_packets: writer.packetsWritten,
      // A worker counts a record just after it has published it, so the writer may be ahead by one for a moment.
      waiting: Math.max(0, flowsEmitted - writer.flowsWritten - writer.lost.flows - writer.budget.flowsShed),
      lost: writer.lost.flows,
      lost_packets: writer.lost.packets,
      shed: writer.budget.flowsShed,
      shed_packets: writer.budget.packetsShed,
      ip_bytes: sum((worker) => worker.ipBytesInFlows),
      wire_bytes: sum((worker) => worker.wireBytesInFlows),
      fragments_joined: sum((worker) => worker.fragmentsJoined),
      fragments_unknown: sum((worker) => worker.fragmentsUnknown),
    },
    writer: {
      batches: writer.batchesWritten,
      rows: writer.flowsWritten,
      busy_retries: writer.busyRetries,
      errors: writer.writeErrors,
      commit_mean_ms: writer.batchesWritten > 0 ? rounded(writer.commitMs / writer.batchesWritten, 100) : null,
      failing: writer.isWriteFailing,
      fault: writer.isWriteFailing ? writer.writeFault : '',
      names_lost: writer.lost.names,
      files_set_aside: writer.filesSetAside,
      files_replaced: writer.filesReplaced,
      backups: writer.backups,
      saves: savesPart(writer.saves),
      addresses_overflowed: writer.addressesOverflowed,
      texts_overflowed: writer.textsOverflowed,
      devices_forgotten: writer.devicesForgotten,
      names: writer.names,
      rows_pruned: writer.upkeep.rowsPruned,
    },
    io: ioPart(frame.config, writer),
    rings: workers.flatMap((worker, index) => [
      ring(`frames-${index}`, worker.frameRing),
      ring(`flows-${index}`, worker.flowRing),
    ]),
    threads: snapshot.threads.map((thread) => {
      const placement = thread.taskId === null ? null : placementOf(thread.taskId);
      return {
        name: thread.name,
        state: thread.state,
        heartbeat_age_ms: thread.heartbeatAgeMs === null ? null : Math.round(thread.heartbeatAgeMs),
        restarts: thread.restarts,
        hangs: thread.hangs,
        task_id: thread.taskId,
        kernel_name: placement?.kernelName ?? null,
        cpus: placement?.cpus ?? null,
      };
    }),
    interfaces: [...snapshot.interfaces],
    host: hostPart(snapshot.host),
    config: highlights(frame.config, workers.length),
  };
}

/** Null for a database on a disk. */
function savesPart(saves: Snapshot['writer']['saves']): HealthBody['writer']['saves'] {
  const { memoryBytesMax, made, failed, failures, isRunning: running, lastUs, lastBytes } = saves;
  if (memoryBytesMax === 0) return null;
  const last = lastUs > 0 ? { last_us: lastUs, last_bytes: lastBytes } : { last_us: null, last_bytes: null };
  return { memory_bytes_max: memoryBytesMax, made, failed, failures, running, ...last };
}

const rounded = (value: number, parts: number): number => Math.round(value * parts) / parts;

function ring(name: string, { usedBytes, capacityBytes }: RingSnapshot): HealthBody['rings'][number] {
  const usedPercent = rounded((100 * usedBytes) / capacityBytes, 10);
  return { name, used_bytes: usedBytes, capacity_bytes: capacityBytes, used_percent: usedPercent };
}

function highlights(config: Config, workers: number): HealthBody['config'] {
  return {
    parse_workers: workers,
    db_path: config.dbPath,
    db_synchronous: config.dbSynchronous,
    batch_rows_min: config.batchRowsMin,
    batch_rows_max: config.batchRowsMax,
    batch_age_ms_max: config.batchAgeMsMax,
    flow_idle_tcp_s: config.flowIdleTcpS,
    flow_idle_udp_s: config.flowIdleUdpS,
    flow_idle_other_s: config.flowIdleOtherS,
    flow_active_s: config.flowActiveS,
    flow_decap: config.flowDecap,
    flow_join_fragments: config.flowJoinFragments,
    flow_key_vlan: config.flowKeyVlan,
  };
}
