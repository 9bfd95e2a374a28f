import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { CloseReason, LiveClient, LiveSink } from './live-client.js';
import type { LiveFeed } from './live-feed.js';
import { type LiveFrame, WINDOW_BITS } from './live-frames.js';
import type { LiveHub } from './live-hub.js';
import { answerRequest, REQUEST_BYTES_MAX, REQUESTS_PER_SECOND_MAX } from './live-request.js';
import { refuseUpgrade } from './refuse-upgrade.js';

const PING_MS = 30_000;
/** Who has been told to go and does not answer is cut off after so long. */
const CLOSE_MS_MAX = 1000;
/** RFC 6455 section 7.4.1, and the registry of IANA for 1013. */
const CLOSE_CODES: Readonly<Record<CloseReason, number>> = { 'too slow': 1013, stopping: 1001, 'not understood': 1008 };

/**
 * What is agreed on with clients (RFC 7692): each message is compressed for itself, so that one compression serves all clients. By this
 * library each would have a compressor of its own.
 */
const DEFLATE = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  concurrencyLimit: 10,
  serverMaxWindowBits: WINDOW_BITS,
  zlibInflateOptions: { chunkSize: 10 * 1024 },
} as const;

/** First byte of a frame (RFC 6455 section 5.2): the last of a message, compressed (RFC 7692 section 6), text. */
const COMPRESSED_TEXT = 0x80 | 0x40 | 0x01;
/** In place of a length: it follows in 2 or in 8 bytes. */
const LENGTH_IN_2 = 126;
const LENGTH_IN_8 = 127;

/** The header of a frame with a compressed text of so many bytes; those of a server are not masked. */
function compressedHeader(bytes: number): Buffer {
  if (bytes < LENGTH_IN_2) return Buffer.of(COMPRESSED_TEXT, bytes);
  const header = Buffer.alloc(bytes < 2 ** 16 ? 4 : 10);
  header[0] = COMPRESSED_TEXT;
  if (bytes < 2 ** 16) {
    header[1] = LENGTH_IN_2;
    header.writeUInt16BE(bytes, 2);
  } else {
    header[1] = LENGTH_IN_8;
    header.writeBigUInt64BE(BigInt(bytes), 2);
  }
  return header;
}

class SocketSink implements LiveSink {
  private readonly takesCompressed: boolean;

  constructor(
    private readonly socket: WebSocket,
    private readonly connection: Duplex,
  ) {
    this.takesCompressed = socket.extensions.includes('permessage-deflate');
  }

  get unsentBytes(): number {
    return this.socket.bufferedAmount;
  }

  /** The library sends what it is given at once where it does not compress it, so that it and this do not overtake each other. */
  send(frame: LiveFrame): void {
    const { socket, connection } = this;
    const body = this.takesCompressed ? frame.compressed : null;
    if (body === null) {
      socket.send(frame.json, { binary: false, compress: false }, () => undefined);
    } else if (socket.readyState === WebSocket.OPEN) {
      connection.cork();
      connection.write(compressedHeader(body.length));
      connection.write(body);
      connection.uncork();
    }
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
  ) {
    this.server.on('wsClientError', ({ message }, connection) =>
      refuseUpgrade(connection, { status: 400, detail: `${message}.` }),
    );
  }

  /**
   * Makes a connection a WebSocket, or answers why its handshake is none; false then. Whether it may be one, the caller has seen to.
   */
  accept(request: IncomingMessage, connection: Duplex, head: Buffer): boolean {
    let isAccepted = false;
    this.server.handleUpgrade(request, connection, head, (socket) => {
      isAccepted = true;
      this.serve(socket, connection);
    });
    return isAccepted;
  }

  private serve(socket: WebSocket, connection: Duplex): void {
    const { hub, feed } = this;
    const client = hub.connect(new SocketSink(socket, connection));
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
