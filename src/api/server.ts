import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { isLoopbackHost, isReading, METHODS_ALLOWED } from './guard.js';
import { Metrics } from './metrics.js';
import type { Monitor } from './monitor.js';
import { PROBLEM_TYPE, problem, sendProblem } from './problem.js';

/** Limits of the HTTP server. What goes beyond them is refused or closed; nothing is queued without a bound. */
export const SERVER_LIMITS = {
  /** A connection beyond these is closed at once. */
  connectionsMax: 256,
  /** A client may be silent for so long within a request. */
  idleMsMax: 10_000,
  /** The headers must be complete within this time (408). */
  headersMsMax: 10_000,
  /** The whole request must be read within this time (408). */
  requestMsMax: 30_000,
  /** A connection without a request is closed after this time. */
  keepAliveMs: 30_000,
  /** How often Node looks for requests that are too slow. */
  checkIntervalMs: 2_000,
  bodyBytesMax: 65_536,
} as const;

/**
 * Builds the server; it does not listen yet. Every answer comes from `monitor`, without waiting for any other thread. `onDefect`
 * is told what went wrong when a request could not be answered (500); the client is not.
 */
export function buildServer(monitor: Monitor, onDefect: (error: Error) => void): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: SERVER_LIMITS.bodyBytesMax,
    connectionTimeout: SERVER_LIMITS.idleMsMax,
    requestTimeout: SERVER_LIMITS.requestMsMax,
    keepAliveTimeout: SERVER_LIMITS.keepAliveMs,
    forceCloseConnections: true,
    http: { headersTimeout: SERVER_LIMITS.headersMsMax, connectionsCheckingInterval: SERVER_LIMITS.checkIntervalMs },
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, _request, reply) => sendProblem(reply, error.statusCode ?? 400, 'The request path cannot be read.'),
  });
  app.server.maxConnections = SERVER_LIMITS.connectionsMax;

  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    if (!isLoopbackHost(request.headers.host))
      return sendProblem(reply, 421, 'The Host header must name the loopback interface.');
    if (isReading(request.method)) return;
    return sendProblem(reply.header('allow', METHODS_ALLOWED), 405, `Only ${METHODS_ALLOWED} are allowed.`);
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 404, 'There is nothing at this path.'));
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return sendProblem(reply, status, 'The request is not valid.');
    onDefect(error);
    return sendProblem(reply, status, 'flowberry could not answer; this is a defect, and the log says more.');
  });
  addRoutes(app, monitor);
  return app;
}

function addRoutes(app: FastifyInstance, monitor: Monitor): void {
  const metrics = new Metrics();
  app.get('/livez', (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok\n'));
  app.get('/readyz', (_request, reply) => {
    const why = monitor.unreadiness();
    return why === null ? reply.type('text/plain; charset=utf-8').send('ok\n') : sendProblem(reply, 503, why);
  });
  app.get('/health', (_request, reply) => {
    const body = monitor.health();
    return reply.code(body.status === 'failed' ? 503 : 200).send(body);
  });
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.render(monitor.metricInput());
    return reply.type(metrics.contentType).send(text);
  });
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
