import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from '../context.js';
import { type Endpoint, pathNames } from '../endpoint/endpoint.js';
import { ENDPOINTS } from '../endpoint/endpoints.js';
import { openApiDocument } from '../endpoint/openapi.js';
import { ParameterReader } from '../endpoint/parameters.js';
import { isRelative, readMoment } from '../endpoint/time.js';
import { SERVER_LIMITS } from '../http/limits.js';
import { PAGE_POLICY } from '../http/security-headers.js';
import { sendProblem } from '../problem.js';
import { isKnown } from '../query/answer.js';
import { QUERY_LIMITS, QueryRefused } from '../query/query-pool.js';
import type { ReaderTask } from '../query/reader-task.js';
import { refuse, refuseAnswer } from '../refuse.js';
import { readVersion } from '../version.js';
import { DOCS_STYLE, docsPage } from './docs-page.js';
import { exportStream } from './export-stream.js';
import { SERVER_ANSWERS } from './server-answers.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Every endpoint of the table, the document that describes them, and the page that shows it. */
export function addApiRoutes(app: FastifyInstance, context: ApiContext): void {
  const open = { config: { isOpen: true } };
  const document = openApiDocument(ENDPOINTS, readVersion());
  const documentText = JSON.stringify(document);
  const page = docsPage(ENDPOINTS);
  app.get('/openapi.json', open, (_request, reply) => reply.type(JSON_TYPE).send(documentText));
  app.get('/docs', open, (_request, reply) =>
    reply.header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(page),
  );
  app.get('/docs.css', open, (_request, reply) => reply.type('text/css; charset=utf-8').send(DOCS_STYLE));
  for (const endpoint of ENDPOINTS) addEndpoint(app, context, endpoint);
}

function addEndpoint(app: FastifyInstance, context: ApiContext, endpoint: Endpoint): void {
  const reader = new ParameterReader(endpoint.parameters);
  const inPath = pathNames(endpoint);
  app.route({
    method: endpoint.method,
    url: endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    handler: async (request, reply) => {
      const refusal = endpoint.by === 'server' ? null : context.gate.admit(request.raw);
      if (refusal !== null) return refuse(reply, refusal);
      const query = request.query as Record<string, unknown>;
      const params = request.params as Record<string, unknown>;
      // A name of the path that the query has as well is there twice.
      const path = Object.fromEntries(inPath.map((name) => [name, name in query ? [] : params[name]]));
      const read = reader.read({ ...query, ...path });
      if (!read.ok) return sendProblem(reply, 400, read.detail, read.parameter);
      const nowUs = Date.now() * 1000;
      const task = taskOf(endpoint, read.value, nowUs);
      if ('wrong' in task) return sendProblem(reply, 400, task.detail, task.wrong);
      try {
        return await answer(context, endpoint, task, request, reply, nowUs);
      } catch (error) {
        if (!(error instanceof QueryRefused)) throw error;
        context.counts.refused.queries++;
        return refuseAnswer(reply, { status: 503, detail: `Not now: ${error.message}.` });
      }
    },
  });
}

async function answer(
  context: ApiContext,
  endpoint: Endpoint,
  task: ReaderTask,
  request: FastifyRequest,
  reply: FastifyReply,
  nowUs: number,
): Promise<FastifyReply> {
  if (endpoint.by === 'stream') return exportStream(context, task, request, reply);
  if (endpoint.by === 'server') {
    const make = SERVER_ANSWERS[endpoint.name];
    if (make === undefined) throw new Error(`nobody answers ${endpoint.name}`);
    return make(context, task.parameters, request, reply);
  }
  // A connection without traffic is cut (`SERVER_LIMITS.idleMsMax`); while it waits for us, that is not the client's fault.
  request.raw.socket.setTimeout(QUERY_LIMITS.waitMsMax + QUERY_LIMITS.queryMsMax);
  const outcome = await context.queries
    .ask(endpoint, task, keyOf(request), nowUs)
    .finally(() => request.raw.socket.setTimeout(SERVER_LIMITS.idleMsMax));
  if (!outcome.ok) return refuseAnswer(reply, outcome);
  const good = outcome.answer;
  // Whoever keeps an answer asks each time whether it still holds; the ETag makes that cheap.
  reply.headers({ etag: good.etag, 'cache-control': 'private, no-cache' });
  if (isKnown(good, request.headers['if-none-match'])) return reply.code(304).send();
  return reply.type(JSON_TYPE).send(good.body);
}

/** The path with its query, so that `since=1h` is one key although its time moves on. */
function keyOf(request: FastifyRequest): string {
  return request.url;
}

type Wrong = { readonly wrong: string; readonly detail: string };

/** What a reader is asked: the parameters, and the time that they mean. */
function taskOf(endpoint: Endpoint, value: Record<string, unknown>, nowUs: number): ReaderTask | Wrong {
  const { since, until, ...parameters } = value;
  const sinceUs = since === undefined ? 0 : readMoment(String(since), nowUs);
  const untilUs = until === undefined ? 0 : readMoment(String(until), nowUs);
  if (sinceUs === null) return { wrong: 'since', detail: 'The parameter since names a time that there is not.' };
  if (untilUs === null) return { wrong: 'until', detail: 'The parameter until names a time that there is not.' };
  if (since !== undefined && until !== undefined && sinceUs >= untilUs)
    return { wrong: 'until', detail: 'The parameter until is not later than since.' };
  const isMoving = [since, until].some((text) => text !== undefined && isRelative(String(text)));
  return { query: endpoint.name, parameters, sinceUs, untilUs, isMoving };
}
