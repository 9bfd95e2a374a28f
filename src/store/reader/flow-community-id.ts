import { communityId } from '../community-id.js';
import type { FlowRow } from './flow-search.js';

/** The community id (version 1, seed 0) of a row of `flow_view`; null for one without addresses. */
export function flowCommunityId(row: FlowRow): string | null {
  const { protocol, src_ip: src, dst_ip: dst } = row;
  if (typeof protocol !== 'number' || typeof src !== 'string' || typeof dst !== 'string') return null;
  const isIcmp = row['icmp_type'] !== null;
  const srcPort = Number(isIcmp ? row['icmp_type'] : row['src_port']);
  const dstPort = Number(isIcmp ? row['icmp_code'] : row['dst_port']);
  return communityId({ protocol, src, srcPort, dst, dstPort, seed: 0 });
}
