import type { FastifyInstance } from 'fastify';
import type { ApiContext } from '../context.js';
import { Metrics } from '../metrics.js';
import { sendProblem } from '../problem.js';

const TEXT = 'text/plain; charset=utf-8';

/** What watchdogs and Prometheus ask for. It comes from shared memory and from what this thread counts itself, and never waits. */
export function addMonitorRoutes(app: FastifyInstance, { monitor, gate, counts, queries, live }: ApiContext): void {
  const metrics = new Metrics();
  const open = { config: { isOpen: true } };
  app.get('/livez', open, (_request, reply) => reply.type(TEXT).send('ok\n'));
  app.get('/readyz', open, (_request, reply) => {
    const why = monitor.unreadiness();
    return why === null ? reply.type(TEXT).send('ok\n') : sendProblem(reply, 503, why);
  });
  app.get('/health', open, (request, reply) => {
    const body = monitor.health();
    reply.code(body.status === 'failed' ? 503 : 200);
    if (gate.isTrusted(request.raw)) return reply.send(body);
    // A watchdog needs no more; names of interfaces and files are for those who show the token.
    return reply.send({ status: body.status, reasons: body.reasons.map(({ code, severity }) => ({ code, severity })) });
  });
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.render({
      ...monitor.metricInput(),
      api: { counts, queries: queries.counts(), live: live.hub.state() },
    });
    return reply.type(metrics.contentType).send(text);
  });
}
