import { z } from 'zod';
import { BUDGET_STEPS } from '../ring/budget-step.js';
import { DROP_REASONS } from '../ring/drop-reason.js';
import { GAP_REASONS, LINK_STATES, NIC_COUNTERS } from '../ring/watch-layout.js';
import { WRITE_FAULTS } from '../ring/write-fault.js';
import { HEALTH_REASONS, type HealthReasonCode } from './health-reasons.js';
import { hostSchema } from './host-part.js';
import { NOTE_CODES } from './notes.js';
import { type DropReason, THREAD_STATES } from './snapshot.js';

const count = z.int().nonnegative();
/** May be negative when the ledger is broken; `balanced` says so. */
const difference = z.int();

const reasonCodes = Object.keys(HEALTH_REASONS) as HealthReasonCode[];
const dropReasons = DROP_REASONS.filter((name): name is DropReason => name !== '');

/** Body of `/health`. Members are only added, so a reader of another version ignores what it does not know. */
export const healthSchema = z.object({
  version: z.string(),
  status: z.enum(['ok', 'degraded', 'failed']),
  reasons: z.array(z.object({ code: z.enum(reasonCodes), severity: z.enum(['degraded', 'failed']), message: z.string() })),
  /** What is worth knowing of this run, whatever the status. */
  notes: z.array(z.object({ code: z.enum(NOTE_CODES), message: z.string() })),
  mode: z.enum(['live', 'replay']),
  /** Interface or file names. */
  source: z.string(),
  uptime_s: z.number().nonnegative(),
  /** Wall clock at the start, µs since 1970 UTC. */
  started_us: count,
  /** Packets: `received` = `in_flows` + all of `dropped` + `waiting`; `waiting` = `waiting_in_rings` + `waiting_in_hand`. */
  ledger: z.object({
    received: count,
    in_flows: count,
    /** By reason; those that are zero are left out. */
    dropped: z.partialRecord(z.enum(dropReasons), count),
    waiting: difference,
    waiting_in_rings: difference,
    waiting_in_hand: difference,
    balanced: z.boolean(),
  }),
  capture: z.object({
    received_packets: count,
    received_wire_bytes: count,
    copied_bytes: count,
    /** Longer than 1,522 bytes on the wire. */
    oversized_packets: count,
    /** Captured in part only. */
    cut_packets: count,
    /** What the kernel counted for this capture, its drops included; 0 for files. */
    kernel_packets: count,
    kernel_dropped_packets: count,
    input_read_bytes: count,
    input_total_bytes: count,
  }),
  /**
   * Where packets were lost: `nic` by the network cards, `kernel` by the kernel's buffer, `ring-0` and so on by the ring of each parse
   * worker, `crash` by threads that died. All but the first two are among `dropped` above.
   */
  losses: z.array(z.object({ where: z.string(), packets: count, last_minute_packets: count })),
  /** The interfaces that a live capture watches; empty in a replay. */
  links: z.array(
    z.object({
      name: z.string(),
      state: z.enum(LINK_STATES),
      /** Since when it is not captured from, µs since 1970 UTC; null while it is. */
      gap_start_us: count.nullable(),
      /** What the kernel and the driver counted since the capture began, under the names of sysfs. */
      nic: z.record(z.enum(NIC_COUNTERS), count),
    }),
  ),
  /** When interfaces were not captured from; the total is of all interfaces together, open gaps included. */
  gaps: z.object({
    count,
    total_ms: count,
    last: z.object({ interface: z.string(), reason: z.enum(GAP_REASONS), start_us: count, end_us: count.nullable() }).nullable(),
  }),
  flows: z.object({
    created: count,
    active: count,
    active_max: count,
    evicted: count,
    emitted: count,
    emitted_packets: count,
    written: count,
    written_packets: count,
    /** Emitted and not yet committed. */
    waiting: count,
    /** Emitted and in no row: the database could not be written, or its file was lost with them. */
    lost: count,
    lost_packets: count,
    /** Counted and not written as rows, since too much was written. */
    shed: count,
    shed_packets: count,
    ip_bytes: count,
    wire_bytes: count,
    /** Later fragments whose first one was known, and was not. */
    fragments_joined: count,
    fragments_unknown: count,
  }),
  writer: z.object({
    batches: count,
    rows: count,
    busy_retries: count,
    errors: count,
    /** Null before the first batch. */
    commit_mean_ms: z.number().nonnegative().nullable(),
    failing: z.boolean(),
    /** Why it is failing, for people; '' while it is not. */
    fault: z.enum(WRITE_FAULTS),
    /** Records of names and devices that were dropped. */
    names_lost: count,
    files_set_aside: count,
    files_replaced: count,
    /** Of the daemon; `failures` are those since the last good one. */
    backups: z.object({ made: count, failures: count, bytes: count }),
    /** With the database in memory (`store.profile` ram): how saving it under `db_path` goes; null otherwise. `failures` as above. */
    saves: z
      .object({
        made: count,
        failed: count,
        failures: count,
        running: z.boolean(),
        memory_bytes_max: count,
        /** The last one that was made; null before there is one. */
        last_us: count.nullable(),
        last_bytes: count.nullable(),
      })
      .nullable(),
    addresses_overflowed: count,
    texts_overflowed: count,
    devices_forgotten: count,
    names: z.object({ addresses: count, hits: count, misses: count, evictions: count }),
    rows_pruned: count,
  }),
  /** Bytes written to disks; null where the kernel does not tell. Totals are of all runs on this database. */
  io: z.object({
    profile: z.string(),
    last_minute_bytes: count.nullable(),
    /** Whole minutes of the last hour; means are null before the first one is over. */
    last_hour: z.object({
      minutes: count,
      bytes: count,
      mean_bytes_per_minute: count.nullable(),
      max_bytes_per_minute: count.nullable(),
    }),
    process_bytes: count.nullable(),
    today_bytes: count.nullable(),
    total_bytes: count.nullable(),
    total_s: count,
    total_flows: count,
    bytes_per_flow: z.number().nonnegative().nullable(),
    /** By everybody, to the disk on which the database lies. */
    device: z.object({
      last_minute_bytes: count.nullable(),
      today_bytes: count.nullable(),
      total_bytes: count.nullable(),
    }),
    /** How long a card of so many terabytes lasts at the mean rate; null in the first ten minutes. */
    endurance: z.object({ card_tbw: count, years: z.number().nonnegative().nullable() }),
    budget: z.object({
      soft_bytes_per_minute: count,
      hard_bytes_per_minute: count,
      /** What is done now, each step with those before it, and how often each was begun. */
      step: z.enum(BUDGET_STEPS),
      larger_batches: count,
      coarser_rollups: count,
      shedding: count,
      hard_stops: count,
      shed_flows: count,
      shed_packets: count,
      shed_dns: count,
    }),
  }),
  rings: z.array(
    z.object({
      name: z.string(),
      used_bytes: count,
      capacity_bytes: count,
      used_percent: z.number().min(0).max(100),
    }),
  ),
  threads: z.array(
    z.object({
      name: z.string(),
      state: z.enum(THREAD_STATES),
      /** Null before the first sign of life. */
      heartbeat_age_ms: z.number().nonnegative().nullable(),
      restarts: count,
      /** Restarts because it gave no sign of life. */
      hangs: count,
      /** Kernel id, name and CPU mask; null where they are not known. */
      task_id: count.nullable(),
      kernel_name: z.string().nullable(),
      cpus: z.string().nullable(),
    }),
  ),
  interfaces: z.array(z.string()),
  host: hostSchema,
  config: z.object({
    parse_workers: count,
    db_path: z.string(),
    db_synchronous: z.string(),
    batch_rows_min: count,
    batch_rows_max: count,
    batch_age_ms_max: count,
    flow_idle_tcp_s: count,
    flow_idle_udp_s: count,
    flow_idle_other_s: count,
    flow_active_s: count,
    flow_decap: z.boolean(),
    flow_join_fragments: z.boolean(),
    flow_key_vlan: z.boolean(),
  }),
});

export type HealthBody = z.output<typeof healthSchema>;
