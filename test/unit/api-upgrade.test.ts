import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { ApiParts } from '../../src/api/create-api.js';
import { listenOn } from '../../src/api/listener.js';
import { problemSchema } from '../../src/api/problem.js';
import type { DeviceNoteUpdate } from '../../src/messages.js';
import { ApiPipeline, maintenance, serverOf } from '../helpers/api-pipeline.js';
import { askRaw, get } from '../helpers/api-store.js';

/** A server that listens on a free port until the test ends. */
async function serve(parts: Partial<ApiParts> = {}): Promise<{ port: number; server: FastifyInstance }> {
  const server = serverOf(new ApiPipeline().running(), parts);
  onTestFinished(async () => {
    await server.close();
  });
  const { port } = await listenOn(server, '127.0.0.1', 0);
  return { port, server };
}

const LAST = 'GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const statuses = (answer: string): number[] => [...answer.matchAll(/HTTP\/1\.1 (\d+) /g)].map((match) => Number(match[1]));

describe('an offer of another protocol', () => {
  /** As `curl --http2` makes it. */
  const OFFER =
    'Host: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n';

  it('is passed over: the request is answered in HTTP/1.1, and the connection goes on', async () => {
    const { port } = await serve();
    const answer = await askRaw(port, `GET /livez HTTP/1.1\r\n${OFFER}\r\nGET /nothing HTTP/1.1\r\n${OFFER}\r\n${LAST}`);
    expect(statuses(answer)).toEqual([200, 404, 200]);
    expect(answer).toContain('\r\n\r\nok\n');
    expect(statuses(await askRaw(port, `GET /livez HTTP/1.1\r\n${OFFER.replace('Upgrade,', 'close, Upgrade,')}\r\n`))).toEqual([
      200,
    ]);
    const plain = await get(port, '/openapi.json');
    expect(await askRaw(port, `GET /openapi.json HTTP/1.1\r\n${OFFER}\r\n${LAST}`)).toContain(plain.text);
    const { text } = await get(port, '/metrics');
    expect(text).toMatch(/^flowberry_api_connections 1$/m);
    expect(text).toMatch(/^flowberry_api_connections_accepted_total 5$/m);
  });

  it('leaves nothing behind on a connection, however often it is made', async () => {
    const warnings: string[] = [];
    const take = ({ message }: Error): number => warnings.push(message);
    process.on('warning', take);
    onTestFinished(() => void process.off('warning', take));
    const { port } = await serve();
    const answer = await askRaw(port, `GET /livez HTTP/1.1\r\n${OFFER}\r\n`.repeat(30) + LAST);
    expect(statuses(answer)).toEqual(Array.from({ length: 31 }, () => 200));
    expect(warnings).toEqual([]);
  });

  it('opens no way round the gate', async () => {
    const { port } = await serve();
    const answer = await askRaw(port, `GET /api/v1/flows HTTP/1.1\r\n${OFFER}Origin: http://evil.example\r\n\r\n${LAST}`);
    expect(statuses(answer)).toEqual([403, 200]);
  });

  it.each([
    ['in one piece', '{"name":"Kitchen"}', 'Content-Length: 18'],
    ['in chunks', '12\r\n{"name":"Kitchen"}\r\n0\r\n\r\n', 'Transfer-Encoding: chunked'],
  ])('does not keep a body from being read, %s, also when it comes later', async (_, body, length) => {
    const notes: DeviceNoteUpdate[] = [];
    const noteDevice: ReturnType<typeof maintenance>['noteDevice'] = async (update) => {
      notes.push(update);
      return { ok: true, value: 'done' };
    };
    const { port, server } = await serve({ maintenance: maintenance({ noteDevice }) });
    const head = `PATCH /api/v1/devices/7 HTTP/1.1\r\n${OFFER}Content-Type: application/json\r\n${length}\r\n\r\n`;
    expect(statuses(await askRaw(port, `${head}${body}${LAST}`))).toEqual([200, 200]);
    const offered = once(server.server, 'upgrade');
    const answer = askRaw(
      port,
      head,
      offered.then(() => `${body}${LAST}`),
    );
    expect(statuses(await answer)).toEqual([200, 200]);
    expect(notes).toEqual(Array.from({ length: 2 }, () => ({ deviceId: 7, name: 'Kitchen' })));
    expect(statuses(await askRaw(port, `POST /livez HTTP/1.1\r\n${OFFER}${length}\r\n\r\n${body}${LAST}`))).toContain(405);
  });

  it('of a WebSocket is taken', async () => {
    const { port } = await serve();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/live`);
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    socket.send('{"type":"subscribe","topics":["stats"]}');
    const [told] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(told.toString())).toMatchObject({ type: 'subscribed', topics: ['stats'] });

    // The name of a protocol is the same in capitals.
    const headers = {
      connection: 'Upgrade',
      upgrade: 'WebSocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    };
    const call = request({ host: '127.0.0.1', port, path: '/api/v1/live', headers }).end();
    const [response, connection] = (await once(call, 'upgrade')) as [IncomingMessage, Socket];
    onTestFinished(() => void connection.destroy());
    expect(response.statusCode).toBe(101);
  });
});

describe('a handshake that is none of a WebSocket', () => {
  const HEADERS: Readonly<Record<string, string>> = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  const shake = async (port: number, changes: Record<string, string>, method = 'GET') => {
    const lines = Object.entries({ ...HEADERS, ...changes }).map(([name, value]) => `${name}: ${value}`);
    const answer = await askRaw(port, `${method} /api/v1/live HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    return { head, body: problemSchema.parse(JSON.parse(body)) };
  };

  it.each([
    ['of another version', { 'Sec-WebSocket-Version': '7' }, /Sec-WebSocket-Version/],
    ['with a short key', { 'Sec-WebSocket-Key': 'AAAA' }, /Sec-WebSocket-Key/],
    ['with a subprotocol that is no word', { 'Sec-WebSocket-Protocol': 'a b' }, /Sec-WebSocket-Protocol/],
    ['with extensions that are none', { 'Sec-WebSocket-Extensions': ';' }, /Sec-WebSocket-Extensions/],
  ])('is told so as a problem, %s, and which versions there are', async (_, changes, detail) => {
    const { port } = await serve();
    const { head, body } = await shake(port, changes);
    expect(statuses(head)).toEqual([400]);
    expect(head).toMatch(/^Content-Type: application\/problem\+json$/m);
    expect(head).toMatch(/^Sec-WebSocket-Version: 13, 8$/m);
    expect(body).toMatchObject({ status: 400, detail: expect.stringMatching(detail) });
    expect((await get(port, '/metrics')).text).toMatch(/^flowberry_live_clients 0$/m);
  });

  it('is told what goes, where it begins with another method', async () => {
    const { port } = await serve();
    const { head, body } = await shake(port, {}, 'PATCH');
    expect(statuses(head)).toEqual([405]);
    expect(head).toMatch(/^Allow: GET, HEAD$/m);
    expect(body).toMatchObject({ status: 405 });
  });

  it('is taken for what it is without the offer: a request for server-sent events', async () => {
    const { port } = await serve();
    const answer = await get(port, '/api/v1/live', { headers: { 'Sec-WebSocket-Version': '13' } });
    expect(problemSchema.parse(JSON.parse(answer.text))).toMatchObject({ status: 400 });
  });
});

describe('the live stream as server-sent events', () => {
  it('answers HEAD, and keeps no place for it', async () => {
    const { port } = await serve();
    const answer = await get(port, '/api/v1/live?topics=stats', { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(answer.headers['content-type']).toMatch(/^text\/event-stream/);
    // What GET sends has no length that could be told.
    expect(answer.headers).not.toHaveProperty('content-length');
    const next = await askRaw(port, `HEAD /api/v1/live?topics=stats HTTP/1.1\r\nHost: localhost\r\n\r\n${LAST}`);
    expect(statuses(next)).toEqual([200, 200]);
    expect((await get(port, '/api/v1/live?topics=nothing', { method: 'HEAD' })).status).toBe(400);
    expect((await get(port, '/metrics')).text).toMatch(/^flowberry_live_clients 0$/m);
  });
});
