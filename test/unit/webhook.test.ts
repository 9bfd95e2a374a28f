import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Webhook } from '../../src/api/live/webhook.js';

let server: Server;
let webhook: Webhook;
let answers: number[];
let bodies: { alerts: { id: number }[] }[];
let troubles: string[];
let onBody: () => void;

beforeEach(async () => {
  answers = [];
  bodies = [];
  troubles = [];
  onBody = () => undefined;
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += String(part);
    });
    request.on('end', () => {
      bodies.push(JSON.parse(text) as (typeof bodies)[number]);
      const status = answers.shift() ?? 204;
      response.writeHead(status).end();
      onBody();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  webhook = new Webhook(`http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`, (sentence) =>
    troubles.push(sentence),
  );
});

afterEach(() => {
  webhook.close();
  vi.useRealTimers();
  server.closeAllConnections();
  server.close();
});

const sent = (): number[] => bodies.flatMap(({ alerts }) => alerts.map(({ id }) => id));

/** Lets time pass until so many requests have come, and their answers are back. */
async function requests(count: number): Promise<void> {
  while (bodies.length < count || webhook.counts.sent + webhook.counts.failed === 0) {
    vi.advanceTimersByTime(1000);
    await new Promise(setImmediate);
  }
}

async function settled(condition: () => boolean): Promise<void> {
  while (!condition()) {
    vi.advanceTimersByTime(100);
    await new Promise(setImmediate);
  }
}

describe('the webhook', () => {
  it('posts alerts, several at once', async () => {
    for (let id = 0; id < 30; id++) webhook.offer({ id });
    await settled(() => webhook.counts.sent === 30);
    expect(sent()).toEqual(Array.from({ length: 30 }, (_, id) => id));
    expect(bodies).toHaveLength(2);
    expect(troubles).toEqual([]);
  });

  it('tries again when the receiver is in trouble, later each time, and says so once', async () => {
    answers = [503, 500, 429, 408];
    webhook.offer({ id: 1 });
    await settled(() => webhook.counts.sent === 1);
    expect(sent()).toEqual([1, 1, 1, 1, 1]);
    expect(webhook.counts).toEqual({ sent: 1, failed: 4, dropped: 0 });
    expect(troubles).toEqual(['the receiver of alerts answered 503']);
  });

  it.each([400, 401, 404])('does not send again what is refused with %i', async (status) => {
    answers = [status];
    webhook.offer({ id: 1 });
    await requests(1);
    await settled(() => webhook.counts.failed === 1);
    webhook.offer({ id: 2 });
    await settled(() => webhook.counts.sent === 1);
    expect(sent().filter((id) => id === 1)).toHaveLength(1);
    expect(JSON.stringify(troubles)).not.toContain('secret');
  });

  it('keeps a hundred alerts for a receiver that is away, the newest', async () => {
    server.closeAllConnections();
    server.close();
    for (let id = 0; id < 150; id++) webhook.offer({ id });
    await settled(() => webhook.counts.failed >= 2);
    expect(webhook.counts.dropped).toBe(50);
    expect(troubles).toHaveLength(1);
    expect(troubles[0]).toMatch(/^the receiver of alerts cannot be reached: ECONNREFUSED$/);
  });
});
