import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

/** Media type of RFC 9457. */
export const PROBLEM_TYPE = 'application/problem+json';

/** A problem as RFC 9457, section 3, has it. `about:blank` says that the status code tells all there is to the type. */
export const problemSchema = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string(),
  /** The parameter at fault, where there is one. */
  parameter: z.string().optional(),
});

export type Problem = z.output<typeof problemSchema>;

export function problem(status: number, detail: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail };
}

/** Answers with a problem. `detail` must not repeat what the client sent, beyond names that were checked. */
export function sendProblem(reply: FastifyReply, status: number, detail: string, parameter?: string): FastifyReply {
  return reply
    .code(status)
    .type(PROBLEM_TYPE)
    .send({ ...problem(status, detail), ...(parameter !== undefined && { parameter }) });
}
