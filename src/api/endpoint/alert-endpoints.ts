import { z } from 'zod';
import type { Endpoint } from './endpoint.js';
import { count, parameter, us } from './parts.js';

const FRESH_MS = 1_000;
const LIST_MAX = 1_000;
const alertId = parameter.id.describe('Id of an alert, as /api/v1/alerts has it.');

const alertSchema = z.object({
  id: count,
  kind: z.string(),
  subject: z.string(),
  detail: z.string(),
  first_us: us,
  last_us: us,
  count,
  acknowledged_us: us.nullable(),
});

/** What may be changed of an alert. */
export const acknowledgeSchema = z.strictObject({ acknowledged: z.boolean() });

/** Endpoints of alerts. */
export const ALERT_ENDPOINTS: readonly Endpoint[] = [
  {
    name: 'alerts',
    method: 'GET',
    path: '/api/v1/alerts',
    summary: 'Alerts, the latest first. The same alert again within an hour raises its count.',
    parameters: z.strictObject({
      acknowledged: z.boolean().optional().describe('Only those that somebody has, or has not, acknowledged.'),
      limit: parameter.limit(100, LIST_MAX),
      cursor: parameter.cursor.optional(),
    }),
    answer: z.object({ alerts: z.array(alertSchema), next_cursor: z.string().nullable() }),
    by: 'reader',
    freshMs: FRESH_MS,
  },
  {
    name: 'acknowledgeAlert',
    method: 'PATCH',
    path: '/api/v1/alerts/{id}',
    summary: 'Marks an alert as seen by somebody, or as open again.',
    parameters: z.strictObject({ id: alertId }),
    body: acknowledgeSchema,
    answer: z.object({ id: count }),
    by: 'server',
    freshMs: 0,
  },
];
