import { z } from 'zod';
import { count, rangeMembers, us } from './parts.js';

export const dnsPageSchema = z.object({
  ...rangeMembers,
  queries: z.array(
    z.object({
      id: count,
      seen_us: us,
      client_ip: z.string(),
      client_port: count,
      server_ip: z.string(),
      server_port: count,
      transport: z.string().nullable(),
      query: z.string().nullable(),
      query_type: z.string().nullable(),
      response_code: z.string().nullable(),
      latency_us: count.nullable(),
      answer_count: count,
      answers: z.array(z.string()),
    }),
  ),
  next_cursor: z.string().nullable(),
  /** How far the search has come; null: to the end. */
  searched_to_us: us.nullable(),
});

export const searchSchema = z.object({
  devices: z.array(
    z.object({ id: count, mac: z.string().nullable(), name: z.string().nullable(), addresses: z.array(z.string()) }),
  ),
  names: z.array(z.string()),
  addresses: z.array(z.string()),
});

export const ledgerSchema = z.object({
  ...rangeMembers,
  received_packets: count,
  in_flows_packets: z.int(),
  dropped_packets: count,
  /** Received, and neither in flows nor dropped when the last minute was written: packets under way, else 0. */
  difference_packets: z.int(),
  dropped_by_reason: z.record(z.string(), count),
  kernel_packets: count,
  kernel_dropped_packets: count,
  emitted_flows: count,
  written_flows: count,
  written_packets: count,
  written_ip_bytes: count,
  written_wire_bytes: count,
});

export const completenessSchema = z.object({
  ...rangeMembers,
  minutes: z.array(
    z.object({
      minute_us: us,
      packets_received: count,
      lost_by_nic: count,
      lost_by_kernel: count,
      lost_by_ring: count,
      lost_by_crash: count,
      lost_by_store: count,
      has_gap: z.boolean(),
    }),
  ),
  gaps: z.array(z.object({ interface: z.string(), reason: z.string(), start_us: us, end_us: us.nullable() })),
});

export const sessionsSchema = z.object({
  sessions: z.array(
    z.object({
      key: z.string(),
      mode: z.string(),
      source: z.string(),
      started_us: us,
      ended_us: us.nullable(),
      /** Null while it runs. */
      clean: z.boolean().nullable(),
    }),
  ),
});

const ms = z.number().nonnegative();

export const slowQueriesSchema = z.object({
  slow_ms: ms,
  queries: z.array(z.object({ query: z.string(), count, failed: count, slow: count, mean_ms: ms, max_ms: ms })),
  slowest: z.array(z.object({ query: z.string(), parameters: z.array(z.string()), ended_us: us, duration_ms: ms })),
});
