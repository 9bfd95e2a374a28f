import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ApiContext } from '../context.js';
import { SECURITY_HEADERS } from '../http/security-headers.js';
import { serveEvents } from '../live/live-events.js';
import { liveFilterSchema } from '../live/live-filter.js';
import { LIVE_TOPICS, type LiveTopic } from '../live/live-message.js';
import { LIVE_PATH } from '../live/live-upgrade.js';
import { sendProblem } from '../problem.js';
import { sendHead } from './send-head.js';

const number = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number);

/** Topics with commas between them, and a filter, one member of it a parameter. */
const querySchema = z.strictObject({
  ...liveFilterSchema.shape,
  topics: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(LIVE_TOPICS)).min(1).max(LIVE_TOPICS.length)),
  protocol: number.pipe(z.int().max(255)).optional(),
  port: number.pipe(z.int().max(65_535)).optional(),
});

/** The live stream as server-sent events, for those who cannot have a WebSocket. */
export function addLiveRoutes(app: FastifyInstance, { live: { hub, feed } }: ApiContext): void {
  app.get(LIVE_PATH, (request, reply) => {
    const query = querySchema.safeParse(request.query);
    if (!query.success)
      return sendProblem(
        reply,
        400,
        `Give ?topics=…, of ${LIVE_TOPICS.join(', ')} with commas between them, and if you like address, application, name, protocol, port.`,
      );
    if (hub.refusesAnother())
      return sendProblem(reply.header('retry-after', 5), 503, 'The live stream has as many clients as it may have.');
    // Nothing would ever end the answer.
    if (request.method === 'HEAD') return sendHead(reply.type('text/event-stream; charset=utf-8'));
    const { topics, ...filter } = query.data;
    reply.hijack();
    const client = serveEvents(hub, reply.raw, SECURITY_HEADERS, topics, filter);
    feed.greet(client, topics as LiveTopic[]);
    return reply;
  });
}
