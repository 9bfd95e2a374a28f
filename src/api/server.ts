import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { ApiContext } from './context.js';
import { Connections } from './http/connections.js';
import { SERVER_LIMITS } from './http/limits.js';
import { SECURITY_HEADERS } from './http/security-headers.js';
import { LiveSockets } from './live/live-socket.js';
import { addLiveUpgrade } from './live/live-upgrade.js';
import { PROBLEM_TYPE, problem, sendProblem } from './problem.js';
import { refuse } from './refuse.js';
import { addApiRoutes } from './routes/api-routes.js';
import { addDashboardRoutes } from './routes/dashboard-routes.js';
import { addLiveRoutes } from './routes/live-routes.js';
import { addMonitorRoutes } from './routes/monitor-routes.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without the token: it shows nothing of the traffic. */
    isOpen?: boolean;
  }
}

const METHODS_READING = 'GET, HEAD';

/** Builds the server; it does not listen yet. No answer waits for any thread but the readers. */
export function buildServer(context: ApiContext): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: SERVER_LIMITS.bodyBytesMax,
    connectionTimeout: SERVER_LIMITS.idleMsMax,
    requestTimeout: SERVER_LIMITS.requestMsMax,
    keepAliveTimeout: SERVER_LIMITS.keepAliveMs,
    forceCloseConnections: true,
    http: {
      headersTimeout: SERVER_LIMITS.headersMsMax,
      connectionsCheckingInterval: SERVER_LIMITS.checkIntervalMs,
      maxHeaderSize: SERVER_LIMITS.headerBytesMax,
    },
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, _request, reply) => {
      reply.headers(SECURITY_HEADERS);
      return sendProblem(reply, error.statusCode ?? 400, 'The request path cannot be read.');
    },
  });
  // A form of another page can send text, and no JSON.
  app.removeContentTypeParser('text/plain');
  const connections = new Connections(app.server, context.counts);
  const { hub, feed } = context.live;
  addLiveUpgrade(app.server, context.gate, hub, new LiveSockets(hub, feed), (connection) =>
    connections.hold(connection as Socket),
  );

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    if (request.url.length > SERVER_LIMITS.urlCharactersMax)
      return sendProblem(reply, 414, `A path with its query has at most ${SERVER_LIMITS.urlCharactersMax} characters.`);
    const { gate } = context;
    const refusal = gate.checkNames(request.raw) ?? (request.routeOptions.config.isOpen ? null : gate.authorize(request.raw));
    if (refusal !== null) return refuse(reply, refusal);
    if (!request.is404 || request.method === 'GET' || request.method === 'HEAD') return;
    const allowed = methodsAt(app, request);
    return sendProblem(reply.header('allow', allowed), 405, `Only ${allowed} are allowed.`);
  });
  app.addHook('onResponse', async (_request, reply) => {
    const answers = context.counts.answers;
    const kind = Math.floor(reply.statusCode / 100);
    answers[kind] = (answers[kind] ?? 0) + 1;
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 404, 'There is nothing at this path.'));
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return sendProblem(reply, status, 'The request is not valid.');
    context.onDefect(error);
    return sendProblem(reply, status, 'flowberry could not answer; this is a defect, and the log says more.');
  });
  addMonitorRoutes(app, context);
  addApiRoutes(app, context);
  addLiveRoutes(app, context);
  addDashboardRoutes(app);
  return app;
}

/** Methods that the path takes, where it is there; else those that only read. */
function methodsAt(app: FastifyInstance, { url }: FastifyRequest): string {
  const path = url.split('?')[0] as string;
  return app.findRoute({ url: path, method: 'PATCH' }) === null ? METHODS_READING : `${METHODS_READING}, PATCH`;
}

const CLIENT_ERROR_STATUS: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };

/** Answers what is no HTTP request, or came too slowly, on the bare socket, and closes it. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket & { _httpMessage?: ServerResponse }): void {
  // An answer that is already under way cannot be followed by another one.
  if (error.code === 'ECONNRESET' || !socket.writable || socket._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  const answer = problem(CLIENT_ERROR_STATUS[error.code ?? ''] ?? 400, 'The request cannot be read.');
  const body = JSON.stringify(answer);
  socket.write(
    `HTTP/1.1 ${answer.status} ${answer.title}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  socket.destroySoon();
}
