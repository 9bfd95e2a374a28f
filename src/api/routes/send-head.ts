import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/**
 * Answers HEAD where the length of what GET sends is not known: without `Content-Length`, since any that is there must be that of GET
 * (RFC 9110 section 8.6). For a text, the framework would tell the length of the text.
 */
export function sendHead(reply: FastifyReply): FastifyReply {
  return reply.send(Readable.from([]));
}
