import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { CloseReason, LiveClient, LiveSink } from './live-client.js';
import type { LiveFeed } from './live-feed.js';
import type { LiveHub } from './live-hub.js';
import { answerRequest, REQUEST_BYTES_MAX, REQUESTS_PER_SECOND_MAX } from './live-request.js';

const PING_MS = 30_000;
/** Who has been told to go and does not answer is cut off after so long. */
const CLOSE_MS_MAX = 1000;
/** RFC 6455 section 7.4.1, and the registry of IANA for 1013. */
const CLOSE_CODES: Readonly<Record<CloseReason, number>> = { 'too slow': 1013, stopping: 1001, 'not understood': 1008 };

/**
 * Frames above 1 KiB are compressed, each for itself, at a low level: a Raspberry Pi has better things to do. Every client has a
 * compressor, which takes 256 KiB by default; with a window of 8 KiB and a small table it is 64.
 */
const DEFLATE = {
  threshold: 1024,
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  concurrencyLimit: 10,
  serverMaxWindowBits: 13,
  zlibDeflateOptions: { level: 3, memLevel: 6 },
  zlibInflateOptions: { chunkSize: 10 * 1024 },
} as const;

class SocketSink implements LiveSink {
  constructor(private readonly socket: WebSocket) {}

  get unsentBytes(): number {
    return this.socket.bufferedAmount;
  }

  send(frame: Buffer): void {
    this.socket.send(frame, { binary: false }, () => undefined);
  }

  close(reason: CloseReason): void {
    this.socket.close(CLOSE_CODES[reason], reason);
    setTimeout(() => this.socket.terminate(), CLOSE_MS_MAX).unref();
  }
}

/** The WebSockets of the live stream (RFC 6455). */
export class LiveSockets {
  private readonly server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: REQUEST_BYTES_MAX,
    perMessageDeflate: DEFLATE,
  });

  constructor(
    private readonly hub: LiveHub,
    private readonly feed: LiveFeed,
  ) {}

  /** Makes a connection a WebSocket. Whether it may be one, the caller has seen to. */
  accept(request: IncomingMessage, connection: Duplex, head: Buffer): void {
    this.server.handleUpgrade(request, connection, head, (socket) => this.serve(socket, connection));
  }

  private serve(socket: WebSocket, connection: Duplex): void {
    const { hub, feed } = this;
    const client = hub.connect(new SocketSink(socket));
    let isAlive = true;
    const ping = setInterval(() => {
      if (!isAlive) return socket.terminate();
      isAlive = false;
      socket.ping();
    }, PING_MS).unref();
    connection.on('drain', () => hub.wake());
    socket.on('pong', () => {
      isAlive = true;
    });
    const take = requestTaker(hub, feed, client);
    socket.on('message', (data, isBinary) => take(isBinary ? '' : String(data)));
    // What is no WebSocket frame, or too long, ends the connection; `close` follows.
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      clearInterval(ping);
      hub.disconnect(client);
    });
  }
}

/** Answers requests, and ends the connection of a client that makes too many. */
function requestTaker(hub: LiveHub, feed: LiveFeed, client: LiveClient): (text: string) => void {
  let second = 0;
  let requests = 0;
  return (text) => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) requests = 0;
    second = now;
    if (++requests > REQUESTS_PER_SECOND_MAX) return client.sink.close('not understood');
    hub.send(
      client,
      answerRequest(client, text, (topics) => feed.greet(client, topics)),
    );
  };
}
