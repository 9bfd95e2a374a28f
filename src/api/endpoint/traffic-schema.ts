import { z } from 'zod';
import { count, rangeMembers, us } from './parts.js';

const measured = count.nullable();

/** Sums over flows; `out` is what the local side sent, or the initiator where both sides are local or neither is. */
const trafficMembers = {
  flows: count,
  packets_out: count,
  packets_in: count,
  bytes_out: count,
  bytes_in: count,
  retransmits: count,
  out_of_order: count,
  rtt_count: count,
  rtt_mean_us: measured,
  rtt_client_mean_us: measured,
  tcp_attempts: count,
  tcp_rejected: count,
  tcp_unanswered: count,
};
const percentileMembers = { p50_us: measured, p95_us: measured };

/** Sums reach up to this moment; null before the first. */
const sumMembers = { ...rangeMembers, reaches_us: us.nullable() };

const total = z.object({ ...trafficMembers, ...percentileMembers, wire_bytes_out: count, wire_bytes_in: count });

export const summarySchema = z.object({ ...sumMembers, total, directions: z.record(z.string(), total) });

const device = z.object({ mac: z.string().nullable(), vendor: z.string().nullable(), name: z.string().nullable() });

const topRow = z.object({
  key: z.string().nullable(),
  is_rest: z.boolean(),
  ...trafficMembers,
  device: device.extend({ addresses: z.array(z.string()) }).optional(),
});

export const topSchema = z.object({ ...sumMembers, rows: z.array(topRow) });

const pointMembers = { start_us: us, complete: z.boolean(), lost_packets: count };

export const seriesSchema = z.object({
  ...sumMembers,
  step_us: count,
  points: z.array(z.object({ ...trafficMembers, ...percentileMembers, ...pointMembers })),
});

const latencyMembers = {
  rtt_count: count,
  rtt_mean_us: measured,
  rtt_client_mean_us: measured,
  ...percentileMembers,
  retransmits: count,
  out_of_order: count,
};

export const latencySchema = z.object({
  ...sumMembers,
  step_us: count,
  points: z.array(z.object({ ...latencyMembers, ...pointMembers })),
});

const ratio = z.number().nonnegative().nullable();
const qualityMembers = {
  ...trafficMembers,
  ...percentileMembers,
  failure_ratio: ratio,
  retransmit_ratio: ratio,
  out_of_order_ratio: ratio,
};

export const qualitySchema = z.object({
  ...sumMembers,
  total: z.object(qualityMembers),
  devices: z.array(z.object({ ...qualityMembers, ip: z.string().nullable(), device })),
});

const dnsMembers = {
  ...percentileMembers,
  queries: count,
  unanswered: count,
  no_such_name: count,
  failed: count,
  latency_mean_us: measured,
};
const dnsCodes = z.array(z.object({ code: count.nullable(), queries: count }));

export const dnsSummarySchema = z.object({
  ...sumMembers,
  total: z.object(dnsMembers),
  codes: dnsCodes,
  devices: z.array(z.object({ ...dnsMembers, ip: z.string().nullable(), device })),
  step_us: count.nullable(),
  points: z.array(z.object({ ...dnsMembers, ...pointMembers })),
});

export const deviceDetailSchema = z.object({
  ...sumMembers,
  device,
  addresses: z.array(z.string()),
  total: z.object(qualityMembers),
  applications: z.array(topRow),
  names: z.array(topRow),
  dns: z.object({ total: z.object(dnsMembers), codes: dnsCodes }),
});
