import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Config, configValue, OPTION_NAMES, type OptionName } from '../../config.js';
import type { ApiContext } from '../context.js';
import { deviceNoteSchema } from '../endpoint/device-schema.js';
import { saveDatabaseSchema } from '../endpoint/endpoints.js';
import { sendProblem } from '../problem.js';
import { SLOW_MS } from '../query/query-times.js';
import { acknowledgeAlert } from './alert-answers.js';

type Make = (
  context: ApiContext,
  parameters: Readonly<Record<string, unknown>>,
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply | Promise<FastifyReply>;

/** What is shown in place of a secret, or of where one is kept. */
const MASKED = '***';
const SECRETS: readonly OptionName[] = ['api.token-file', 'alerts.webhook-url'];

/** Answers that the API thread gives by itself, by endpoint. */
export const SERVER_ANSWERS: Readonly<Record<string, Make>> = {
  status: ({ monitor }, _parameters, _request, reply) => reply.send(monitor.health()),
  config: ({ config }, _parameters, _request, reply) => reply.send({ options: shownConfig(config) }),
  slowQueries: ({ queries }, _parameters, _request, reply) => reply.send(slowQueries(queries.times)),
  noteDevice,
  acknowledgeAlert,
  saveDatabase,
};

async function saveDatabase(
  { maintenance }: ApiContext,
  _parameters: Readonly<Record<string, unknown>>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (!saveDatabaseSchema.safeParse(request.body).success)
    return sendProblem(reply, 400, 'The body is not valid: it is {"saved": true}.');
  const outcome = await maintenance.saveDatabase();
  if (!outcome.ok) return sendProblem(reply.header('retry-after', 1), 503, 'It cannot be saved now; the log says more.');
  return reply.send({ save: outcome.value });
}

/** Every option with its value; secrets are masked where there is one. */
function shownConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    OPTION_NAMES.map((name) => {
      const value = configValue(config, name);
      return [name, SECRETS.includes(name) && value !== '' ? MASKED : value];
    }),
  );
}

const rounded = (ms: number): number => Math.round(ms * 100) / 100;

function slowQueries(times: ApiContext['queries']['times']) {
  const queries = [...times.byQuery].map(([query, { count, failed, slow, sumMs, maxMs }]) => ({
    query,
    count,
    failed,
    slow,
    mean_ms: rounded(sumMs / count),
    max_ms: rounded(maxMs),
  }));
  queries.sort((a, b) => b.max_ms - a.max_ms);
  return {
    slow_ms: SLOW_MS,
    queries,
    slowest: times.slowest.map(({ query, parameters, endedUs, durationMs }) => ({
      query,
      parameters,
      ended_us: endedUs,
      duration_ms: rounded(durationMs),
    })),
  };
}

async function noteDevice(
  { maintenance, queries }: ApiContext,
  { id }: Readonly<Record<string, unknown>>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = deviceNoteSchema.safeParse(request.body);
  if (!body.success) {
    const [issue] = body.error.issues;
    const names =
      issue?.code === 'unrecognized_keys'
        ? 'there is a member besides name and note'
        : `${issue?.path.join('.') || 'it'}: ${issue?.message}`;
    return sendProblem(reply, 400, `The body is not valid: ${names}.`);
  }
  const { name, note: text } = body.data;
  const outcome = await maintenance.noteDevice({
    deviceId: id as number,
    ...(name !== undefined && { name }),
    ...(text !== undefined && { note: text }),
  });
  if (!outcome.ok)
    return sendProblem(reply.header('retry-after', 1), 503, 'The writer could not store it now; the log says more.');
  switch (outcome.value) {
    case 'unknown':
      return sendProblem(reply, 404, 'There is no device with this id.');
    case 'nameless':
      return sendProblem(reply, 409, 'The device has no hardware address by which it could be known again.');
    case 'full':
      return sendProblem(reply, 409, 'There are too many notes; take some away.');
    case 'done':
      queries.cache.clear();
      return reply.send({ id });
  }
}
