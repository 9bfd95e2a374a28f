import { z } from 'zod';
import { APPLICATIONS } from '../../ring/application.js';
import { END_REASONS } from '../../ring/layout.js';
import { TOP_ORDERS, TOP_SUBJECTS } from '../../store/reader/analytics/top.js';
import type { Endpoint } from './endpoint.js';
import { flowSchema } from './flow-schema.js';
import { parameter, rangeMembers, timeRange, us } from './parts.js';
import {
  deviceDetailSchema,
  dnsSummarySchema,
  latencySchema,
  qualitySchema,
  seriesSchema,
  summarySchema,
  topSchema,
} from './traffic-schema.js';

/** So long, ms, an answer about a time that is not over serves others who ask the same. */
const FRESH_MS = 2_000;
const LIST_MAX = 1_000;

const names = (list: readonly string[]) => z.enum(list.filter((name) => name !== '') as [string, ...string[]]);
const application = names(APPLICATIONS).describe('As flow_view names it.');
const order = z.enum(TOP_ORDERS).default('bytes').describe('The largest first.');
const direction = z.enum(['outbound', 'inbound', 'internal', 'transit']);

/** Filters of stored flows; each that is given narrows the answer. */
const flowFilters = {
  ip: parameter.ip.optional(),
  net: parameter.net.optional(),
  port: parameter.port.optional(),
  protocol: parameter.protocol.optional(),
  application: application.optional(),
  name: parameter.name.optional(),
  device: parameter.device.optional(),
  interface: parameter.text('Name of an interface.').optional(),
  vlan_id: z.int().min(1).max(4_095).optional(),
  end_reason: names(END_REASONS).optional(),
  bytes_min: parameter.id.optional().describe('IP bytes, both directions together.'),
};

/** A series of all traffic, or of a part of it. */
const overTime = z.strictObject({
  ...timeRange('24h'),
  step_s: parameter.stepS.optional(),
  direction: direction.optional(),
  device: parameter.device.optional(),
  application: application.optional(),
});

/** Endpoints of stored flows and of sums over them. */
export const TRAFFIC_ENDPOINTS: readonly Endpoint[] = [
  {
    name: 'summary',
    method: 'GET',
    path: '/api/v1/summary',
    summary: 'All traffic of a time, in sum and by direction.',
    parameters: z.strictObject(timeRange('1h')),
    answer: summarySchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'flows',
    method: 'GET',
    path: '/api/v1/flows',
    summary: 'Stored flows. A page may end early when few rows fit; next_cursor then goes on from there.',
    parameters: z.strictObject({
      ...timeRange('1h'),
      ...flowFilters,
      order: z.enum(['newest', 'oldest']).default('newest').describe('By the time at which the row was written.'),
      limit: parameter.limit(100, LIST_MAX),
      cursor: parameter.cursor.optional(),
    }),
    answer: z.object({
      ...rangeMembers,
      flows: z.array(flowSchema),
      next_cursor: z.string().nullable(),
      /** How far the search has come; null: to the end. */
      searched_to_us: us.nullable(),
    }),
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'flow',
    method: 'GET',
    path: '/api/v1/flows/{id}',
    summary: 'One stored flow.',
    parameters: z.strictObject({ id: parameter.id }),
    answer: flowSchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'export',
    method: 'GET',
    path: '/api/v1/export',
    summary: 'Stored flows without a limit, the oldest first, one a line. It goes as fast as it is read.',
    parameters: z.strictObject({
      ...timeRange('24h'),
      ...flowFilters,
      format: z.enum(['ndjson', 'csv']).default('ndjson'),
    }),
    answer: flowSchema,
    by: 'stream',
    types: ['application/x-ndjson', 'text/csv'],
    freshMs: 0,
  },
  {
    name: 'top',
    method: 'GET',
    path: '/api/v1/top',
    summary: 'Devices, names, applications or peers with the most traffic.',
    parameters: z.strictObject({
      ...timeRange('24h'),
      subject: z.enum(TOP_SUBJECTS).default('devices'),
      order,
      limit: parameter.limit(10, LIST_MAX),
      device: parameter.device.optional(),
    }),
    answer: topSchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'names',
    method: 'GET',
    path: '/api/v1/names',
    summary: 'Names of servers, those with the most traffic first.',
    parameters: z.strictObject({
      ...timeRange('24h'),
      order,
      limit: parameter.limit(100, LIST_MAX),
      device: parameter.device.optional(),
    }),
    answer: topSchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'applications',
    method: 'GET',
    path: '/api/v1/applications',
    summary: 'Applications, those with the most traffic first.',
    parameters: z.strictObject({
      ...timeRange('24h'),
      order,
      limit: parameter.limit(100, LIST_MAX),
      device: parameter.device.optional(),
    }),
    answer: topSchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'series',
    method: 'GET',
    path: '/api/v1/series',
    summary: 'Traffic over time; steps without traffic are points too.',
    parameters: overTime,
    answer: seriesSchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'latency',
    method: 'GET',
    path: '/api/v1/latency',
    summary: 'Round trips of TCP handshakes, retransmitted and out-of-order segments over time.',
    parameters: overTime,
    answer: latencySchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'quality',
    method: 'GET',
    path: '/api/v1/quality',
    summary: 'How well connections go, in sum and by device, the worst first.',
    parameters: z.strictObject({ ...timeRange('24h'), limit: parameter.limit(10, LIST_MAX) }),
    answer: qualitySchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'dns',
    method: 'GET',
    path: '/api/v1/dns',
    summary: 'DNS: latency, failures and who asks, in sum and over time.',
    parameters: z.strictObject({
      ...timeRange('24h'),
      step_s: parameter.stepS.optional(),
      limit: parameter.limit(10, LIST_MAX),
      device: parameter.device.optional(),
    }),
    answer: dnsSummarySchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'deviceDetail',
    method: 'GET',
    path: '/api/v1/device',
    summary: 'What one device did: traffic, quality, applications, names, DNS.',
    parameters: z.strictObject({ ...timeRange('24h'), device: parameter.device, limit: parameter.limit(10, LIST_MAX) }),
    answer: deviceDetailSchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
];
