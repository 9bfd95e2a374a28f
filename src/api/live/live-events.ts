import type { ServerResponse } from 'node:http';
import type { LiveClient, LiveSink } from './live-client.js';
import type { LiveFilter } from './live-filter.js';
import type { LiveFrame } from './live-frames.js';
import type { LiveHub } from './live-hub.js';
import type { LiveTopic } from './live-message.js';

/** A comment now and then, so that a connection that is gone is found out. */
const PING_MS = 30_000;
const PING = ': ping\n\n';

class EventSink implements LiveSink {
  constructor(private readonly response: ServerResponse) {}

  get unsentBytes(): number {
    return this.response.writableLength;
  }

  send({ json }: LiveFrame): void {
    this.response.write('data: ');
    this.response.write(json);
    this.response.write('\n\n');
  }

  close(): void {
    this.response.destroy();
  }
}

/** Sends the messages of `topics` as server-sent events (WHATWG HTML, section 9.2) until the connection ends. */
export function serveEvents(
  hub: LiveHub,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  topics: readonly LiveTopic[],
  filter: LiveFilter,
): LiveClient {
  response.writeHead(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
  response.flushHeaders();
  const client = hub.connect(new EventSink(response));
  client.subscribe(topics, filter);
  const ping = setInterval(() => response.write(PING), PING_MS).unref();
  response.on('drain', () => hub.wake());
  response.on('close', () => {
    clearInterval(ping);
    hub.disconnect(client);
  });
  return client;
}
