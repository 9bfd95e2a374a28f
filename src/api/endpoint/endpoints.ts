import { z } from 'zod';
import { healthSchema } from '../schema.js';
import { ALERT_ENDPOINTS } from './alert-endpoints.js';
import { deviceNoteSchema, deviceSchema } from './device-schema.js';
import type { Endpoint } from './endpoint.js';
import { activeFlowSchema } from './flow-schema.js';
import {
  completenessSchema,
  dnsPageSchema,
  ledgerSchema,
  searchSchema,
  sessionsSchema,
  slowQueriesSchema,
} from './page-schemas.js';
import { count, parameter, timeRange } from './parts.js';
import { systemSchema } from './system-schema.js';
import { TRAFFIC_ENDPOINTS } from './traffic-endpoints.js';

/** Answers about now change all the time; so long, ms, the one that was given serves others who ask the same. */
const FRESH_MS = 2_000;
const LIVE_FRESH_MS = 500;
const LIST_MAX = 1_000;

const nothing = z.strictObject({});
/** What may be asked of the database. */
export const saveDatabaseSchema = z.strictObject({ saved: z.literal(true) });
const deviceId = parameter.id.describe('Id of a device, as /api/v1/devices has it.');

/** Every endpoint below /api/v1. */
export const ENDPOINTS: readonly Endpoint[] = [
  ...TRAFFIC_ENDPOINTS,
  ...ALERT_ENDPOINTS,
  {
    name: 'activeFlows',
    method: 'GET',
    path: '/api/v1/active',
    summary: 'Open flows, those with the most bytes or the newest first. A long flow counts from its last segment on.',
    parameters: z.strictObject({
      sort: z.enum(['bytes', 'newest']).default('bytes'),
      limit: parameter.limit(100, LIST_MAX),
      ip: parameter.ip.optional(),
      protocol: parameter.protocol.optional(),
    }),
    answer: z.object({ open_flows: count, flows: z.array(activeFlowSchema) }),
    by: 'reader',
    freshMs: LIVE_FRESH_MS,
  },
  {
    name: 'devices',
    method: 'GET',
    path: '/api/v1/devices',
    summary: 'Devices, the one seen last first.',
    parameters: z.strictObject({
      search: parameter.text('Part of a hardware address, vendor, name, note or IP address.').optional(),
      limit: parameter.limit(100, LIST_MAX),
      cursor: parameter.cursor.optional(),
    }),
    answer: z.object({ devices: z.array(deviceSchema), next_cursor: z.string().nullable() }),
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'device',
    method: 'GET',
    path: '/api/v1/devices/{id}',
    summary: 'One device.',
    parameters: z.strictObject({ id: deviceId }),
    answer: deviceSchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'noteDevice',
    method: 'PATCH',
    path: '/api/v1/devices/{id}',
    summary: 'Gives a device a name, a note, or both; null takes it away.',
    parameters: z.strictObject({ id: deviceId }),
    body: deviceNoteSchema,
    answer: z.object({ id: count }),
    by: 'server',
    freshMs: 0,
  },
  {
    name: 'dnsQueries',
    method: 'GET',
    path: '/api/v1/dns/queries',
    summary: 'DNS transactions. A page may end early when few rows fit; next_cursor then goes on from there.',
    parameters: z.strictObject({
      ...timeRange('1h'),
      ip: parameter.ip.optional(),
      net: parameter.net.optional(),
      device: parameter.device.optional(),
      name: parameter.name.optional(),
      code: z
        .string()
        .regex(/^([A-Z0-9]{1,16}|none)$/, 'give a response code such as NXDOMAIN, or none')
        .optional()
        .describe('Response code such as NXDOMAIN; none for queries without an answer.'),
      order: z.enum(['newest', 'oldest']).default('newest'),
      limit: parameter.limit(100, LIST_MAX),
      cursor: parameter.cursor.optional(),
    }),
    answer: dnsPageSchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'search',
    method: 'GET',
    path: '/api/v1/search',
    summary: 'Devices, names and addresses that contain a text; devices also by what people call them or note of them.',
    parameters: z.strictObject({
      q: parameter.text('What to look for.'),
      limit: parameter.limit(20, 100),
    }),
    answer: searchSchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'ledger',
    method: 'GET',
    path: '/api/v1/ledger',
    summary: 'Where all packets of a time went: in flows, or dropped for a reason. The difference is 0.',
    parameters: z.strictObject(timeRange('24h')),
    answer: ledgerSchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'completeness',
    method: 'GET',
    path: '/api/v1/completeness',
    summary: 'Minutes in which packets were lost, and gaps without capture, the latest first.',
    parameters: z.strictObject({ ...timeRange('24h'), limit: parameter.limit(100, LIST_MAX) }),
    answer: completenessSchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'sessions',
    method: 'GET',
    path: '/api/v1/sessions',
    summary: 'Runs of flowberry, the latest first.',
    parameters: z.strictObject({ ...timeRange('30d'), limit: parameter.limit(100, LIST_MAX) }),
    answer: sessionsSchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'system',
    method: 'GET',
    path: '/api/v1/system',
    summary:
      'How the machine is and was: CPU, temperature, memory, pressure, disk, network. Steps without samples are points too.',
    parameters: z.strictObject({ ...timeRange('24h'), step_s: parameter.stepS.optional() }),
    answer: systemSchema,
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'status',
    method: 'GET',
    path: '/api/v1/status',
    summary: 'What /health tells, to those who may see all of it.',
    parameters: nothing,
    answer: healthSchema,
    by: 'server',
    freshMs: 0,
  },
  {
    name: 'config',
    method: 'GET',
    path: '/api/v1/config',
    summary: 'Every option with its value; secrets are masked.',
    parameters: nothing,
    answer: z.object({ options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])) }),
    by: 'server',
    freshMs: 0,
  },
  {
    name: 'saveDatabase',
    method: 'PATCH',
    path: '/api/v1/database',
    summary:
      'Has a database that lies in memory saved. save: its number; it is over when made and failed in /health, writer.saves, reach that.',
    parameters: nothing,
    body: saveDatabaseSchema,
    answer: z.object({ save: count.nullable() }),
    by: 'server',
    freshMs: 0,
  },
  {
    name: 'slowQueries',
    method: 'GET',
    path: '/api/v1/debug/slow',
    summary: 'How long queries took, by endpoint, and the latest of those that were slow.',
    parameters: nothing,
    answer: slowQueriesSchema,
    by: 'server',
    freshMs: 0,
  },
];
