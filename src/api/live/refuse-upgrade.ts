import type { Duplex } from 'node:stream';
import { PROBLEM_TYPE, problem } from '../problem.js';

const RETRY_AFTER = 'Retry-After: 5';
/** Versions of the protocol that `ws` takes. */
const VERSIONS = 'Sec-WebSocket-Version: 13, 8';

/** What a status asks for: what is taken instead (RFC 6455 section 4.4, RFC 9110 section 15.5.6), or when to come again. */
const HEADERS: Readonly<Record<number, string>> = { 400: VERSIONS, 405: 'Allow: GET, HEAD', 429: RETRY_AFTER, 503: RETRY_AFTER };

/** Tells who asked for a WebSocket why there is none, as plain HTTP, and ends the connection. */
export function refuseUpgrade(
  connection: Duplex,
  { status, detail }: { readonly status: number; readonly detail: string },
): void {
  const answer = problem(status, detail);
  const body = JSON.stringify(answer);
  const headers = [
    `HTTP/1.1 ${answer.status} ${answer.title}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(HEADERS[status] === undefined ? [] : [HEADERS[status]]),
    'Connection: close',
  ];
  connection.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}
