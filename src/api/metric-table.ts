import { BUDGET_STEPS } from '../ring/budget-step.js';
import { DROP_REASONS } from '../ring/drop-reason.js';
import { NIC_COUNTERS } from '../ring/watch-layout.js';
import { HOST_METRICS } from './host-metrics.js';
import { counter, gauge, type MetricEntry, type MetricInput } from './metric-entry.js';
import { API_METRICS } from './metric-table-api.js';
import { FILE_METRICS } from './metric-table-file.js';
import { PROCESS_METRICS } from './metric-table-process.js';
import type { DropReason, Snapshot, WorkerSnapshot, WriterSnapshot } from './snapshot.js';

const perWorker = (value: (worker: WorkerSnapshot) => number) => (input: MetricInput) =>
  input.snapshot.workers.map((worker, index) => [{ worker: String(index) }, value(worker)] as const);

const perRing = (value: (ring: WorkerSnapshot['frameRing']) => number) => (input: MetricInput) =>
  input.snapshot.workers.flatMap((worker, index) => [
    [{ ring: 'frames', worker: String(index) }, value(worker.frameRing)] as const,
    [{ ring: 'flows', worker: String(index) }, value(worker.flowRing)] as const,
  ]);

const perThread = (value: (thread: Snapshot['threads'][number]) => number) => (input: MetricInput) =>
  input.snapshot.threads.map((thread) => [{ thread: thread.name }, value(thread)] as const);

const perLink = (value: (link: Snapshot['links'][number]) => number) => (input: MetricInput) =>
  input.snapshot.links.map((link) => [{ interface: link.name }, value(link)] as const);

/** A value that some systems do not tell: then there is no series. */
function known(help: string, type: MetricEntry['type'], value: (writer: WriterSnapshot) => number | null): MetricEntry {
  return {
    type,
    help,
    values: ({ snapshot }) => {
      const found = value(snapshot.writer);
      return found === null ? [] : [[{}, found]];
    },
  };
}

const STATUSES = ['ok', 'degraded', 'failed'] as const;
const REASONS = DROP_REASONS.filter((name): name is DropReason => name !== '');

/** Every metric. */
export const METRICS: Readonly<Record<string, MetricEntry>> = {
  flowberry_build_info: {
    type: 'gauge',
    help: 'Always 1; the version is in the label.',
    labels: ['version'],
    values: ({ version }) => [[{ version }, 1]],
  },
  flowberry_start_time_seconds: gauge('Start of the session, seconds since 1970 UTC.', ({ startedUs }) => startedUs / 1e6),
  flowberry_health_status: {
    type: 'gauge',
    help: '1 for the status that /health gives, 0 for the others.',
    labels: ['status'],
    values: ({ health }) => STATUSES.map((status) => [{ status }, Number(health.status === status)]),
  },
  flowberry_ledger_balanced: gauge('1 while every received packet is accounted for.', ({ health }) => Number(health.isBalanced)),

  flowberry_received_packets_total: counter(
    'Packets that the capture handed over.',
    ({ snapshot }) => snapshot.capture.framesReceived,
  ),
  flowberry_received_wire_bytes_total: counter('Their bytes on the wire.', ({ snapshot }) => snapshot.capture.wireBytesReceived),
  flowberry_received_oversized_packets_total: counter(
    'Packets longer than 1,522 bytes on the wire: merged by the network card, not cut yet, or jumbo.',
    ({ snapshot }) => snapshot.capture.framesOversized,
  ),
  flowberry_received_cut_packets_total: counter(
    'Packets of which only a part was captured.',
    ({ snapshot }) => snapshot.capture.framesCut,
  ),
  flowberry_received_copied_bytes_total: counter(
    'Bytes of packets that the capture copied into the rings.',
    ({ snapshot }) => snapshot.capture.bytesCopied,
  ),
  flowberry_kernel_packets_total: counter(
    'Packets that the kernel counted for the capture, its drops included.',
    ({ snapshot }) => snapshot.capture.kernelPackets,
  ),
  flowberry_kernel_dropped_packets_total: counter(
    'Packets that the kernel dropped before flowberry could read them.',
    ({ snapshot }) => snapshot.capture.kernelDropped,
  ),
  flowberry_interface_captured: {
    type: 'gauge',
    help: '1 while the interface is captured from, 0 while it is away, down or without a link.',
    labels: ['interface'],
    values: perLink((link) => Number(link.gapStartUs === null)),
  },
  flowberry_interface_statistics_total: {
    type: 'counter',
    help: 'What kernel and driver counted for the interface since the capture began, by the names of sysfs.',
    labels: ['interface', 'counter'],
    values: ({ snapshot }) =>
      snapshot.links.flatMap(({ name, nic }) =>
        NIC_COUNTERS.map((counter) => [{ interface: name, counter }, nic[counter]] as const),
      ),
  },
  flowberry_gaps_total: counter('Times that an interface could not be captured from.', ({ snapshot }) => snapshot.gaps.count),
  flowberry_gap_seconds_total: counter(
    'Time without capture, all interfaces together.',
    ({ snapshot }) => snapshot.gaps.totalMs / 1000,
  ),
  flowberry_dropped_packets_total: {
    type: 'counter',
    help: 'Received packets that are in no flow, by reason.',
    labels: ['reason'],
    values: ({ snapshot }) => REASONS.map((reason) => [{ reason }, snapshot.drops[reason] ?? 0]),
  },
  flowberry_waiting_packets: gauge(
    'Received packets that are still in a ring or in hand.',
    ({ snapshot }) => snapshot.ledger.inRings + snapshot.ledger.inHand,
  ),
  flowberry_ring_used_bytes: {
    type: 'gauge',
    help: 'Bytes in use of each ring.',
    labels: ['ring', 'worker'],
    values: perRing((ring) => ring.usedBytes),
  },
  flowberry_ring_capacity_bytes: {
    type: 'gauge',
    help: 'Capacity of each ring.',
    labels: ['ring', 'worker'],
    values: perRing((ring) => ring.capacityBytes),
  },

  flowberry_taken_packets_total: {
    type: 'counter',
    help: 'Packets that the parse worker has taken from its ring.',
    labels: ['worker'],
    values: perWorker((worker) => worker.framesTaken),
  },
  flowberry_flow_packets_total: {
    type: 'counter',
    help: 'Packets counted in flows.',
    labels: ['worker'],
    values: perWorker((worker) => worker.packetsInFlows),
  },
  flowberry_flow_ip_bytes_total: {
    type: 'counter',
    help: 'IP bytes counted in flows.',
    labels: ['worker'],
    values: perWorker((worker) => worker.ipBytesInFlows),
  },
  flowberry_flow_wire_bytes_total: {
    type: 'counter',
    help: 'Bytes on the wire counted in flows.',
    labels: ['worker'],
    values: perWorker((worker) => worker.wireBytesInFlows),
  },
  flowberry_fragments_joined_total: {
    type: 'counter',
    help: 'Later fragments that joined the flow of their first one.',
    labels: ['worker'],
    values: perWorker((worker) => worker.fragmentsJoined),
  },
  flowberry_fragments_unknown_total: {
    type: 'counter',
    help: 'Later fragments whose first one was not known; they are in a flow with ports 0.',
    labels: ['worker'],
    values: perWorker((worker) => worker.fragmentsUnknown),
  },
  flowberry_flows_created_total: {
    type: 'counter',
    help: 'Flows that began.',
    labels: ['worker'],
    values: perWorker((worker) => worker.flowsCreated),
  },
  flowberry_flows_emitted_total: {
    type: 'counter',
    help: 'Flow records handed to the writer; a long flow gives several.',
    labels: ['worker'],
    values: perWorker((worker) => worker.flowsEmitted),
  },
  flowberry_emitted_packets_total: {
    type: 'counter',
    help: 'Packets in the flow records that were handed to the writer.',
    labels: ['worker'],
    values: perWorker((worker) => worker.packetsEmitted),
  },
  flowberry_flows_evicted_total: {
    type: 'counter',
    help: 'Flows written early because the flow table was full.',
    labels: ['worker'],
    values: perWorker((worker) => worker.flowsEvicted),
  },
  flowberry_flows_active: {
    type: 'gauge',
    help: 'Flows in the flow table.',
    labels: ['worker'],
    values: perWorker((worker) => worker.flowsActive),
  },
  flowberry_flows_active_max: {
    type: 'gauge',
    help: 'Size of the flow table.',
    labels: ['worker'],
    values: perWorker((worker) => worker.flowsActiveMax),
  },
  flowberry_writer_ring_waits_total: {
    type: 'counter',
    help: 'Times that a parse worker waited for the writer.',
    labels: ['worker'],
    values: perWorker((worker) => worker.writerRingFull),
  },

  flowberry_written_flows_total: counter('Flow records committed.', ({ snapshot }) => snapshot.writer.flowsWritten),
  flowberry_written_packets_total: counter('Packets in committed records.', ({ snapshot }) => snapshot.writer.packetsWritten),
  flowberry_written_ip_bytes_total: counter('IP bytes in committed records.', ({ snapshot }) => snapshot.writer.ipBytesWritten),
  flowberry_written_wire_bytes_total: counter(
    'Bytes on the wire in committed records.',
    ({ snapshot }) => snapshot.writer.wireBytesWritten,
  ),
  flowberry_written_batches_total: counter('Transactions committed.', ({ snapshot }) => snapshot.writer.batchesWritten),
  flowberry_writer_commit_seconds_total: counter(
    'Time spent in transactions.',
    ({ snapshot }) => snapshot.writer.commitMs / 1000,
  ),
  flowberry_writer_busy_retries_total: counter(
    'Writes that another process held up.',
    ({ snapshot }) => snapshot.writer.busyRetries,
  ),
  flowberry_writer_errors_total: counter(
    'Writes that failed for another reason; they are tried again.',
    ({ snapshot }) => snapshot.writer.writeErrors,
  ),
  flowberry_writer_failing: gauge('1 while the last write failed.', ({ snapshot }) => Number(snapshot.writer.isWriteFailing)),
  flowberry_lost_flows_total: counter(
    'Flow records that are in no row: the database could not be written, or its file was lost with them.',
    ({ snapshot }) => snapshot.writer.lost.flows,
  ),
  flowberry_lost_packets_total: counter('Packets in such records.', ({ snapshot }) => snapshot.writer.lost.packets),
  flowberry_database_files_set_aside_total: counter(
    'Damaged files that were moved aside.',
    ({ snapshot }) => snapshot.writer.filesSetAside,
  ),
  flowberry_database_files_replaced_total: counter(
    'Files that were removed or replaced while they were open.',
    ({ snapshot }) => snapshot.writer.filesReplaced,
  ),
  flowberry_backups_total: counter('Daily backups made.', ({ snapshot }) => snapshot.writer.backups.made),
  flowberry_backup_failures: gauge(
    'Daily backups that failed since the last good one.',
    ({ snapshot }) => snapshot.writer.backups.failures,
  ),
  flowberry_backup_bytes_total: counter('Bytes written by daily backups.', ({ snapshot }) => snapshot.writer.backups.bytes),
  flowberry_writer_addresses_overflowed_total: counter(
    'IPv6 addresses that found their table full.',
    ({ snapshot }) => snapshot.writer.addressesOverflowed,
  ),
  flowberry_writer_texts_overflowed_total: counter(
    'Names and other texts that found their table full.',
    ({ snapshot }) => snapshot.writer.textsOverflowed,
  ),
  flowberry_writer_devices_forgotten_total: counter(
    'Devices that gave way to others in a full table.',
    ({ snapshot }) => snapshot.writer.devicesForgotten,
  ),
  flowberry_unclean_sessions: gauge(
    'Earlier runs that were found open at the start.',
    ({ snapshot }) => snapshot.writer.uncleanSessions,
  ),
  flowberry_unclean_sessions_unwritten_packets: gauge(
    'Packets that they had counted in flows and not written.',
    ({ snapshot }) => snapshot.writer.packetsUnwritten,
  ),
  flowberry_names_addresses: gauge('Addresses whose names are remembered.', ({ snapshot }) => snapshot.writer.names.addresses),
  flowberry_names_hits_total: counter(
    'Flows whose server had a name among those remembered.',
    ({ snapshot }) => snapshot.writer.names.hits,
  ),
  flowberry_names_misses_total: counter('Flows whose server had none.', ({ snapshot }) => snapshot.writer.names.misses),
  flowberry_names_evictions_total: counter(
    'Names that gave way to others before they expired.',
    ({ snapshot }) => snapshot.writer.names.evictions,
  ),

  flowberry_io_process_written_bytes_total: known(
    'Bytes that the process has written to disks, as the kernel counts them.',
    'counter',
    ({ io }) => io.processBytes,
  ),
  flowberry_io_written_bytes_total: known('Bytes written in all runs on this database.', 'counter', ({ io }) => io.totalBytes),
  flowberry_io_device_written_bytes_total: known(
    'Bytes that everybody has written to the disk of the database while flowberry ran.',
    'counter',
    ({ io }) => io.deviceTotalBytes,
  ),
  flowberry_io_last_minute_bytes: known('Bytes written within the last 60 s.', 'gauge', ({ io }) => io.minuteBytes),
  flowberry_io_budget_step: {
    type: 'gauge',
    help: '1 for what is done so that less is written, 0 for the other steps.',
    labels: ['step'],
    values: ({ snapshot }) => BUDGET_STEPS.map((step) => [{ step }, Number(snapshot.writer.budget.step === step)]),
  },
  flowberry_io_budget_steps_total: {
    type: 'counter',
    help: 'Times that each step was begun; hard: that the hard limit made rows wait.',
    labels: ['step'],
    values: ({ snapshot: { writer } }) => [
      [{ step: 'larger_batches' }, writer.budget.largerBatches],
      [{ step: 'coarser_rollups' }, writer.budget.coarserRollups],
      [{ step: 'shedding' }, writer.budget.shedding],
      [{ step: 'hard' }, writer.budget.hardStops],
    ],
  },
  flowberry_io_held_batches_total: counter(
    'Times that rows were due and had to wait, since too much was written.',
    ({ snapshot }) => snapshot.writer.budget.held,
  ),
  flowberry_shed_flows_total: counter(
    'Flow records that were counted and not written, since too much was written.',
    ({ snapshot }) => snapshot.writer.budget.flowsShed,
  ),
  flowberry_shed_packets_total: counter('Packets in them.', ({ snapshot }) => snapshot.writer.budget.packetsShed),
  flowberry_shed_dns_total: counter(
    'DNS transactions that were not written for the same reason.',
    ({ snapshot }) => snapshot.writer.budget.dnsShed,
  ),

  flowberry_thread_running: {
    type: 'gauge',
    help: '1 while the thread is in state running.',
    labels: ['thread'],
    values: perThread((thread) => Number(thread.state === 'running')),
  },
  flowberry_thread_heartbeat_age_seconds: {
    type: 'gauge',
    help: 'Time since the last sign of life; no value before the first one.',
    labels: ['thread'],
    values: ({ snapshot }) =>
      snapshot.threads.flatMap(({ name, heartbeatAgeMs }) =>
        heartbeatAgeMs === null ? [] : [[{ thread: name }, heartbeatAgeMs / 1000] as const],
      ),
  },
  flowberry_thread_restarts_total: {
    type: 'counter',
    help: 'Times that the thread died and was replaced.',
    labels: ['thread'],
    values: perThread((thread) => thread.restarts),
  },
  flowberry_thread_hangs_total: {
    type: 'counter',
    help: 'Times that the thread was replaced since it gave no sign of life; they are among the restarts.',
    labels: ['thread'],
    values: perThread((thread) => thread.hangs),
  },
  flowberry_clock_offset_seconds: gauge(
    'How far the wall clock is from the clock of the run, by which times are told.',
    ({ snapshot }) => snapshot.capture.clockOffsetMs / 1000,
  ),
  flowberry_clock_steps_total: counter(
    'Times that the wall clock was set during the run.',
    ({ snapshot }) => snapshot.capture.clockSteps,
  ),
  ...HOST_METRICS,
  ...FILE_METRICS,
  ...API_METRICS,
  ...PROCESS_METRICS,
};
