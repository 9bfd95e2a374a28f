import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { serveEvents } from '../../src/api/live/live-events.js';
import type { LiveFeed } from '../../src/api/live/live-feed.js';
import { LiveHub } from '../../src/api/live/live-hub.js';
import { LiveMessage } from '../../src/api/live/live-message.js';
import { LiveSockets } from '../../src/api/live/live-socket.js';

let hub: LiveHub;
let server: Server;
let port: number;

beforeEach(async () => {
  hub = new LiveHub();
  const feed = { greet: () => undefined } as unknown as LiveFeed;
  const sockets = new LiveSockets(hub, feed);
  server = createServer((_, response) => serveEvents(hub, response, {}, ['flows'], { port: 53 }));
  server.on('upgrade', (request, socket, head) => sockets.accept(request, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterEach(() => {
  hub.close();
  server.closeAllConnections();
  server.close();
});

type Told = { readonly type: string; readonly [member: string]: unknown };

/** A client that keeps what it is told. */
class Client {
  readonly told: Told[] = [];
  readonly socket: WebSocket;
  private readonly waiting: (() => void)[] = [];
  private connection: Socket | undefined;

  constructor(options: ClientOptions = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}`, options);
    this.socket.on('upgrade', ({ socket }) => {
      this.connection = socket;
    });
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Told;
      this.told.push(...(message.type === 'batch' ? (message['messages'] as Told[]) : [message]));
      for (const look of this.waiting.splice(0)) look();
    });
  }

  /** Over the network, headers included. */
  get bytesRead(): number {
    return this.connection?.bytesRead ?? 0;
  }

  async until(condition: (told: readonly Told[]) => boolean): Promise<void> {
    while (!condition(this.told)) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  async subscribe(...topics: string[]): Promise<void> {
    if (this.socket.readyState !== WebSocket.OPEN) await once(this.socket, 'open');
    this.socket.send(JSON.stringify({ type: 'subscribe', topics }));
    await this.until((told) => told.some(({ type }) => type === 'subscribed'));
  }
}

/** A client that asks for flows and never reads an answer. */
async function deafClient(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.pause();
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  const text = Buffer.from('{"type":"subscribe","topics":["flows"]}');
  // A masked text frame (RFC 6455 section 5.2), whose mask is zero.
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
  return socket;
}

describe('the live stream over the network', () => {
  it('gives fast clients everything, while others that never read cost little', async () => {
    const fast = [new Client(), new Client(), new Client()];
    for (const client of fast) await client.subscribe('flows', 'stats');
    const deaf = await Promise.all(Array.from({ length: 20 }, deafClient));
    const padding = 'x'.repeat(2000);
    const count = 4000;
    for (let id = 0; id < count; id++) {
      hub.publish(LiveMessage.of('flows', 'flow', { id, padding }));
      if (id % 50 === 0) await Promise.all(fast.map((client) => client.until((told) => told.length > id - 200)));
    }
    await Promise.all(fast.map((client) => client.until((told) => told.length === count + 1)));
    for (const client of fast) {
      const ids = client.told.flatMap(({ id }) => id ?? []);
      expect(ids).toEqual(Array.from({ length: count }, (_, id) => id));
      expect(client.socket.extensions).toContain('permessage-deflate');
    }
    expect(hub.counts.dropped).toBeGreaterThan(0);
    for (const socket of deaf) socket.destroy();
  });

  it('compresses what is long, for those that take it, in frames of any length', async () => {
    const client = new Client();
    const plain = new Client({ perMessageDeflate: false });
    for (const each of [client, plain]) await each.subscribe('flows');
    // Lengths around those where the header of a frame changes (RFC 6455 section 5.2), of text that hardly gets shorter and text that does.
    const random = (bytes: number): string => randomBytes(bytes).toString('base64').slice(0, bytes);
    const texts = [100, 126, 1000, 1100, 1400, 65_000, 84_000, 88_000, 200_000].flatMap((bytes) => [
      random(bytes),
      'x'.repeat(bytes),
    ]);
    const before = client.bytesRead;
    const plainBefore = plain.bytesRead;
    for (const [id, text] of texts.entries()) {
      hub.publish(LiveMessage.of('flows', 'flow', { id, text }));
      for (const each of [client, plain]) await each.until((told) => told.at(-1)?.['id'] === id);
    }
    for (const each of [client, plain]) expect(each.told.flatMap(({ text }) => text ?? [])).toEqual(texts);
    const bytes = texts.join('').length;
    expect(plain.bytesRead - plainBefore).toBeGreaterThan(bytes);
    expect(client.bytesRead - before).toBeLessThan(bytes / 2);
  });

  it('answers what it does not understand, and ends what is too long or too much', async () => {
    const client = new Client();
    await once(client.socket, 'open');
    client.socket.send('nonsense');
    await client.until((told) => told.some(({ type }) => type === 'error'));
    const long = new Client();
    await once(long.socket, 'open');
    long.socket.send('x'.repeat(5000));
    await once(long.socket, 'close');
    const busy = new Client();
    await once(busy.socket, 'open');
    for (let request = 0; request < 60; request++) busy.socket.send('{"type":"unsubscribe","topics":["flows"]}');
    const [code] = (await once(busy.socket, 'close')) as [number];
    expect(code).toBe(1008);
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('forgets clients that go', async () => {
    const clients = [new Client(), new Client()];
    for (const client of clients) await client.subscribe('stats');
    expect(hub.clientCount).toBe(2);
    const gone = clients.map((client) => once(client.socket, 'close'));
    clients[0]?.socket.terminate();
    clients[1]?.socket.close();
    await Promise.all(gone);
    while (hub.clientCount > 0) await new Promise(setImmediate);
    expect(hub.clientCount).toBe(0);
  });

  it('comes as server-sent events as well', async () => {
    const abort = new AbortController();
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: abort.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    hub.publish(LiveMessage.of('flows', 'flow', { id: 1, src_port: 443 }));
    hub.publish(LiveMessage.of('flows', 'flow', { id: 2, src_port: 53 }));
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    while (!text.endsWith('\n\n')) text += new TextDecoder().decode((await reader.read()).value);
    expect(text).toBe('data: {"type":"flow","id":2,"src_port":53}\n\n');
    abort.abort();
    while (hub.clientCount > 0) await new Promise(setImmediate);
  });
});
