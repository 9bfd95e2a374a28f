import type { FastifyReply } from 'fastify';
import type { Refusal } from './http/gate.js';
import { sendProblem } from './problem.js';

const RETRY_AFTER_S = 1;

/** Turns a request away. */
export function refuse(reply: FastifyReply, { status, detail, retryAfterS }: Refusal): FastifyReply {
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (retryAfterS !== undefined) reply.header('retry-after', retryAfterS);
  return sendProblem(reply, status, detail);
}

/** Tells why there is no answer from the database, and when to come again if it is only not now. */
export function refuseAnswer(
  reply: FastifyReply,
  { status, detail }: { readonly status: number; readonly detail: string },
): FastifyReply {
  if (status === 503) reply.header('retry-after', RETRY_AFTER_S);
  return sendProblem(reply, status, detail);
}
