import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type DashboardFile, readDashboard } from '../dashboard-files.js';
import { PAGE_POLICY } from '../http/security-headers.js';
import { sendProblem } from '../problem.js';

/** The page at `/` and its files. They show nothing of the traffic, and so need no token; what they ask for does. */
export function addDashboardRoutes(app: FastifyInstance): void {
  const files = readDashboard();
  const open = { config: { isOpen: true } };
  const answer = (name: string) => (request: FastifyRequest, reply: FastifyReply) => {
    const file = files.get(name);
    return file === undefined ? sendProblem(reply, 404, 'There is nothing at this path.') : sendFile(file, request, reply);
  };
  app.get('/', open, answer('index.html'));
  for (const name of files.keys()) if (name !== 'index.html') app.get(`/dashboard/${name}`, open, answer(name));
}

function sendFile({ type, body, gzip, etag }: DashboardFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // A browser asks each time whether the file is still the same, so that a new version is seen at once.
  reply.headers({ 'cache-control': 'no-cache', 'content-security-policy': PAGE_POLICY, etag, vary: 'accept-encoding' });
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  reply.type(type);
  return takesGzip ? reply.header('content-encoding', 'gzip').send(gzip) : reply.send(body);
}
