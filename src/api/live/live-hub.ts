import { LiveClient, type LiveSink } from './live-client.js';
import { LiveFrames } from './live-frames.js';
import type { LiveMessage } from './live-message.js';

/** Limits of the live stream. */
export const LIVE_LIMITS = {
  /** A connection beyond these is refused before it becomes one (503). */
  clientsMax: 100,
  /** What may wait for one client; beyond it, messages are dropped, and the client is told how many. */
  messagesMax: 1000,
  bytesMax: 2 ** 20,
  /** What may wait for all clients together, in their queues and connections; beyond it, those with most waiting lose messages. */
  totalBytesMax: 32 * 2 ** 20,
  /** A client whose network takes nothing for so long, although something waits, is told why and disconnected. */
  stuckMsMax: 10_000,
} as const;

/** Messages gather for so long, so that a frame holds several. */
const TICK_MS = 5;
/** How often the clients are looked at that take nothing. */
const LOOK_MS = 1000;

/** What the stream has done, for the metrics. */
export interface LiveCounts {
  published: number;
  /** Messages times the clients that got them. */
  delivered: number;
  dropped: number;
  frames: number;
  bytes: number;
  refused: number;
  closedSlow: number;
}

/** The same, and how things are now. */
export interface LiveState extends Readonly<LiveCounts> {
  readonly clients: number;
  /** In the queues and connections of all clients. */
  readonly waitingBytes: number;
}

/**
 * Hands messages to all clients that want them. A message is encoded once; what waits for a client is a reference to it. The hub has no
 * timer while nobody is connected.
 */
export class LiveHub {
  readonly counts: LiveCounts = { published: 0, delivered: 0, dropped: 0, frames: 0, bytes: 0, refused: 0, closedSlow: 0 };
  private readonly clients = new Set<LiveClient>();
  private tick: NodeJS.Timeout | undefined;
  private look: NodeJS.Timeout | undefined;
  /** As of the last look, and what was queued since. */
  private waitingBytes = 0;

  /** `nowMs` is a monotonic clock. */
  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  get clientCount(): number {
    return this.clients.size;
  }

  /** For `/metrics`. */
  state(): LiveState {
    this.measure();
    return { ...this.counts, clients: this.clients.size, waitingBytes: this.waitingBytes };
  }

  /** Whether nobody else can be connected; counts the refusal of whoever asks. */
  refusesAnother(): boolean {
    if (this.clients.size < LIVE_LIMITS.clientsMax) return false;
    this.counts.refused++;
    return true;
  }

  /** Whether anybody wants messages of the topic, so that it is worth making them. */
  isWanted(topic: LiveMessage['topic']): boolean {
    for (const client of this.clients) if (topic !== null && client.subscriptions.topics.includes(topic)) return true;
    return false;
  }

  /** Takes in a client, which has subscribed to nothing yet. The caller has asked `refusesAnother`. */
  connect(sink: LiveSink): LiveClient {
    const client = new LiveClient(sink, LIVE_LIMITS, this.nowMs());
    this.clients.add(client);
    this.look ??= setInterval(() => this.lookAtClients(), LOOK_MS).unref();
    return client;
  }

  disconnect(client: LiveClient): void {
    this.clients.delete(client);
    if (this.clients.size > 0) return;
    clearInterval(this.look);
    clearTimeout(this.tick);
    this.look = undefined;
    this.tick = undefined;
    this.waitingBytes = 0;
  }

  /** Queues a message for all clients that want it. */
  publish(message: LiveMessage): void {
    this.counts.published++;
    for (const client of this.clients) if (client.wants(message)) this.send(client, message);
  }

  /** Queues a message for one client. */
  send(client: LiveClient, message: LiveMessage): void {
    const isTight = this.waitingBytes >= LIVE_LIMITS.totalBytesMax && !this.makeRoomFor(client);
    const isIn = client.put(message, isTight);
    if (isIn) {
      this.waitingBytes += message.json.length;
      this.counts.delivered++;
    } else this.counts.dropped++;
    this.wake();
  }

  /** A connection has room again, or there is something to send. */
  wake(): void {
    this.tick ??= setTimeout(() => this.flush(), TICK_MS);
  }

  /** Ends all connections. */
  close(): void {
    for (const client of [...this.clients]) {
      client.sink.close('stopping');
      this.disconnect(client);
    }
  }

  /** One frame for each client that can take one; comes again while one could. */
  private flush(): void {
    this.tick = undefined;
    const frames = new LiveFrames();
    let hasSent = false;
    for (const client of this.clients) {
      const bytes = client.flush(frames);
      if (bytes === 0) continue;
      hasSent = true;
      this.counts.frames++;
      this.counts.bytes += bytes;
    }
    this.measure();
    if (hasSent) this.wake();
  }

  /**
   * Those with the most waiting give way to a client that has less than its share of the budget, so that those that read miss nothing
   * for those that do not. False for a client that has its share.
   */
  private makeRoomFor(client: LiveClient): boolean {
    if (client.waitingBytes >= LIVE_LIMITS.totalBytesMax / this.clients.size) return false;
    while (this.waitingBytes >= LIVE_LIMITS.totalBytesMax) {
      let largest = client;
      for (const each of this.clients) if (each.queuedBytes > largest.queuedBytes) largest = each;
      const bytes = largest === client ? 0 : largest.giveWay();
      if (bytes === 0) return false;
      this.counts.dropped++;
      this.waitingBytes -= bytes;
    }
    return true;
  }

  private measure(): void {
    let bytes = 0;
    for (const client of this.clients) bytes += client.waitingBytes;
    this.waitingBytes = bytes;
  }

  /** Tries those again that could take nothing, and disconnects those that have not for too long. */
  private lookAtClients(): void {
    const nowMs = this.nowMs();
    for (const client of [...this.clients]) {
      if (client.stuckMs(nowMs) < LIVE_LIMITS.stuckMsMax) continue;
      this.counts.closedSlow++;
      client.sink.close('too slow');
      this.disconnect(client);
    }
    if (this.clients.size > 0) this.flush();
  }
}
