import { z } from 'zod';
import { canonicalAddress } from '../canonical-address.js';
import type { LiveFields, LiveMessage, LiveTopic } from './live-message.js';

const text = z.string().min(1).max(253);

/** What a client may ask the messages of its topics to be; all that is given must hold. */
export const liveFilterSchema = z.strictObject({
  /** Either end of a flow, or the address of a device. */
  address: text.transform(canonicalAddress).optional(),
  application: text.optional(),
  /** The name itself, in any capitals, or `*.example.org` for all below it. */
  name: text.transform((name) => name.toLowerCase()).optional(),
  protocol: z.int().min(0).max(255).optional(),
  /** Either end of a flow. */
  port: z.int().min(0).max(65_535).optional(),
});

export type LiveFilter = Readonly<z.infer<typeof liveFilterSchema>>;

/** Topics that a filter means; the others come whole. */
const FILTERED: ReadonlySet<LiveTopic | null> = new Set<LiveTopic>(['flows', 'devices']);

function isName(name: unknown, wanted: string): boolean {
  if (typeof name !== 'string') return false;
  return wanted.startsWith('*.') ? name.endsWith(wanted.slice(1)) : name === wanted;
}

function hasAddress(fields: LiveFields, address: string): boolean {
  if (fields['src_ip'] === address || fields['dst_ip'] === address) return true;
  const { addresses } = fields;
  return typeof addresses === 'string' && addresses.split(',').includes(address);
}

function hasName(fields: LiveFields, wanted: string): boolean {
  const { name } = fields;
  // Devices keep the capitals of whoever named them; names of servers have none.
  return isName(fields['server_name'], wanted) || (typeof name === 'string' && isName(name.toLowerCase(), wanted));
}

/** Whether a client with this filter gets the message. */
export function passes(filter: LiveFilter, { topic, fields }: LiveMessage): boolean {
  if (!FILTERED.has(topic) || fields['type'] === 'skipped') return true;
  const { address, application, name, protocol, port } = filter;
  if (address !== undefined && !hasAddress(fields, address)) return false;
  if (name !== undefined && !hasName(fields, name)) return false;
  if (application !== undefined && fields['application'] !== application) return false;
  if (protocol !== undefined && fields['protocol'] !== protocol) return false;
  return port === undefined || fields['src_port'] === port || fields['dst_port'] === port;
}
