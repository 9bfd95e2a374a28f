import type { FastifyReply } from 'fastify';
import type { Refusal } from './http/gate.js';
import { sendProblem } from './problem.js';
import type { ReaderAnswer } from './query/reader-task.js';

const RETRY_AFTER_S = 1;

/** Turns a request away. */
export function refuse(reply: FastifyReply, { status, detail, retryAfterS }: Refusal): FastifyReply {
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (retryAfterS !== undefined) reply.header('retry-after', retryAfterS);
  return sendProblem(reply, status, detail);
}

/** Passes on why a reader gives no answer. */
export function refuseAnswer(reply: FastifyReply, { status, detail }: Extract<ReaderAnswer, { ok: false }>): FastifyReply {
  if (status === 503) reply.header('retry-after', RETRY_AFTER_S);
  return sendProblem(reply, status, detail);
}
