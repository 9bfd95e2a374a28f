import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Approach, Gate, Refusal } from '../http/gate.js';
import type { LiveHub } from './live-hub.js';
import type { LiveSockets } from './live-socket.js';
import { refuseUpgrade } from './refuse-upgrade.js';

/** Where the live stream is; `LIVE_PATH` alone, whatever query follows. */
export const LIVE_PATH = '/api/v1/live';
/** Subprotocol that stands for a token, since a browser cannot send headers with a WebSocket: base64url of it behind this. */
const TOKEN_PROTOCOL = 'token.';

/** The same approach with the token where other requests have it. */
function withToken(request: IncomingMessage): Approach {
  const { headers, socket } = request;
  const offered = String(headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
  const token = offered.find((protocol) => protocol.startsWith(TOKEN_PROTOCOL));
  if (headers.authorization !== undefined || token === undefined) return { headers, socket };
  const text = Buffer.from(token.slice(TOKEN_PROTOCOL.length), 'base64url').toString();
  return { headers: { ...headers, authorization: `Bearer ${text}` }, socket };
}

/** Why a connection may not become a WebSocket, or null. */
function refusalOf(
  gate: Gate,
  hub: LiveHub,
  request: IncomingMessage,
): Refusal | { status: 404 | 405 | 503; detail: string } | null {
  if (request.url?.split('?')[0] !== LIVE_PATH) return { status: 404, detail: 'There is no stream at this path.' };
  if (request.method !== 'GET') return { status: 405, detail: 'A WebSocket begins with GET.' };
  const refusal = gate.checkNames(request) ?? gate.authorize(withToken(request));
  if (refusal !== null) return refusal;
  return hub.refusesAnother() ? { status: 503, detail: 'The live stream has as many clients as it may have.' } : null;
}

/** Turns connections at the live stream's path into WebSockets; others are told why not, as plain HTTP, before they become one. */
export function addLiveUpgrade(
  server: Server,
  gate: Gate,
  hub: LiveHub,
  sockets: LiveSockets,
  hold: (connection: Duplex) => void,
): void {
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    connection.on('error', drop);
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return goOnAsHttp(server, request, connection, head);
    const refusal = refusalOf(gate, hub, request);
    if (refusal !== null) return refuseUpgrade(connection, refusal);
    if (sockets.accept(request, connection, head)) hold(connection);
  });
}

function drop(this: Duplex): void {
  this.destroy();
}

type AnsweredConnection = Duplex & { readonly _httpMessage?: ServerResponse | null };

/**
 * Who offers another protocol (`curl --http2` and Java's client offer h2c) gets an answer of HTTP/1.1 all the same (RFC 9110 section 7.8):
 * the server reads the request once more, without the offer. From then on the connection is like all others, with its body and its timeouts.
 */
function goOnAsHttp(server: Server, request: IncomingMessage, connection: AnsweredConnection, head: Buffer): void {
  const underWay = connection._httpMessage;
  // Answers to earlier requests of the connection come first.
  if (underWay) return void underWay.once('finish', () => goOnAsHttp(server, request, connection, head));
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.toLowerCase() !== 'upgrade') lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  connection.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  connection.off('error', drop);
  server.emit('connection', connection);
}
