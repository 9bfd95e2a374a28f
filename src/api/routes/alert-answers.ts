import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from '../context.js';
import { acknowledgeSchema } from '../endpoint/alert-endpoints.js';
import { sendProblem } from '../problem.js';

/** Has the writer mark an alert as seen, or as open again. */
export async function acknowledgeAlert(
  { maintenance, queries }: ApiContext,
  { id }: Readonly<Record<string, unknown>>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = acknowledgeSchema.safeParse(request.body);
  if (!body.success) return sendProblem(reply, 400, 'The body is not valid: it is {"acknowledged": true}, or false.');
  const outcome = await maintenance.acknowledgeAlert(id as number, body.data.acknowledged);
  if (!outcome.ok)
    return sendProblem(reply.header('retry-after', 1), 503, 'The writer could not store it now; the log says more.');
  if (!outcome.value) return sendProblem(reply, 404, 'There is no alert with this id; it may have given way to newer ones.');
  queries.cache.clear();
  return reply.send({ id });
}
