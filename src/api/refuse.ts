import type { FastifyReply } from 'fastify';
import type { Refusal } from './http/gate.js';
import { sendProblem } from './problem.js';

/** Turns a request away. */
export function refuse(reply: FastifyReply, { status, detail, retryAfterS }: Refusal): FastifyReply {
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (retryAfterS !== undefined) reply.header('retry-after', retryAfterS);
  return sendProblem(reply, status, detail);
}
