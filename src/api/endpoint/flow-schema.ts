import { z } from 'zod';
import { APPLICATIONS } from '../../ring/application.js';
import { END_REASONS, TCP_STATES } from '../../ring/layout.js';
import { count, us } from './parts.js';

const named = <const T extends readonly string[]>(names: T) =>
  z.enum(names.filter((name) => name !== '') as [string, ...string[]]);

/** What an open flow and a stored one both have; names and units are those of `flow_view`. */
const flowMembers = {
  start_us: us,
  end_us: us,
  interface: z.string().nullable(),
  vlan_id: count.nullable(),
  protocol: count,
  src_ip: z.string(),
  src_port: count,
  dst_ip: z.string(),
  dst_port: count,
  src_packets: count,
  dst_packets: count,
  src_bytes: count,
  dst_bytes: count,
  tcp_state: named(TCP_STATES).nullable(),
  rtt_client_us: count.nullable(),
  rtt_server_us: count.nullable(),
  src_retransmits: count.nullable(),
  dst_retransmits: count.nullable(),
  application: named(APPLICATIONS).nullable(),
  server_name: z.string().nullable(),
  icmp_type: count.nullable(),
  icmp_code: count.nullable(),
};

/** A flow that is still open. A long flow counts from its last segment on. */
export const activeFlowSchema = z.object({ ...flowMembers, segment_index: count });

export type ActiveFlow = z.output<typeof activeFlowSchema>;

/** A row of `flow_view`, and its community id. */
export const flowSchema = z.object({
  id: count,
  ...flowMembers,
  src_wire_bytes: count,
  dst_wire_bytes: count,
  src_payload_bytes: count,
  dst_payload_bytes: count,
  src_tcp_flags: count,
  dst_tcp_flags: count,
  src_out_of_order: count.nullable(),
  dst_out_of_order: count.nullable(),
  end_reason: named(END_REASONS).nullable(),
  flow_id: count.nullable(),
  src_zero_windows: count.nullable(),
  dst_zero_windows: count.nullable(),
  tunnel_type: z.string().nullable(),
  tunnel_id: z.int().nullable(),
  tunnel_src_ip: z.string().nullable(),
  tunnel_dst_ip: z.string().nullable(),
  application_source: z.string().nullable(),
  server_name_source: z.string().nullable(),
  server_name_age_s: count.nullable(),
  server_name_ambiguous: count.nullable(),
  tls_version: z.string().nullable(),
  alpn: z.string().nullable(),
  ja4: z.string().nullable(),
  quic_version: z.string().nullable(),
  http_method: z.string().nullable(),
  http_path: z.string().nullable(),
  http_user_agent: z.string().nullable(),
  http_status: count.nullable(),
  community_id: z.string().nullable(),
});

/** Columns of a flow, in the order in which an export has them. */
export const FLOW_COLUMNS: readonly string[] = Object.keys(flowSchema.shape);
