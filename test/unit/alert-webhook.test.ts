import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AlertWebhook } from '../../src/api/live/alert-webhook.js';
import type { LiveSource } from '../../src/api/live/live-feed.js';

/** A receiver, the ids that it was sent, and a wait for so many requests. */
async function receiver(status = 204) {
  const ids: number[] = [];
  let requests = 0;
  let arrived: () => void = () => undefined;
  const server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += String(part);
    });
    request.on('end', () => {
      ids.push(...(JSON.parse(text) as { alerts: { id: number }[] }).alerts.map(({ id }) => id));
      requests++;
      response.writeHead(status).end();
      arrived();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const asked = async (count: number): Promise<void> => {
    while (requests < count)
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, ids, asked };
}

/** A webhook on alerts that are stored one by one. */
function scene() {
  const rows: { id: number }[] = [];
  const source = {
    rowsAfter: async (_: string, after: number | null) => ({
      rows: after === null ? [] : rows.filter(({ id }) => id > after),
      newest: rows.length,
    }),
  } as unknown as LiveSource;
  const troubles: string[] = [];
  const webhook = new AlertWebhook(source, (sentence) => troubles.push(sentence));
  onTestFinished(() => webhook.close());
  let nowMs = 0;
  /** The time of the next question goes by. */
  const ask = async (): Promise<void> => {
    nowMs += 5_000;
    webhook.tick(nowMs);
    await new Promise(setImmediate);
  };
  return { webhook, ask, troubles, store: () => rows.push({ id: rows.length + 1 }) };
}

describe('a webhook that is read again', () => {
  it('begins with what is stored from then on, goes elsewhere, and ends', async () => {
    const [first, second] = [await receiver(), await receiver()];
    const { webhook, ask, store } = scene();
    store();
    await ask();
    webhook.sendTo(first.url);
    await ask();
    store();
    await ask();
    await first.asked(1);
    webhook.sendTo(second.url);
    store();
    await ask();
    await second.asked(1);
    webhook.sendTo('');
    store();
    await ask();
    webhook.sendTo(first.url);
    await ask();
    store();
    await ask();
    await first.asked(2);
    expect([first.ids, second.ids]).toEqual([[2, 5], [3]]);
  });

  it('has what waits for a receiver that fails sent to the next one, without the pause', async () => {
    const [failing, next] = [await receiver(503), await receiver()];
    const { webhook, ask, store, troubles } = scene();
    webhook.sendTo(failing.url);
    await ask();
    store();
    await ask();
    while (troubles.length === 0) await new Promise(setImmediate);
    webhook.sendTo(next.url);
    await next.asked(1);
    expect([failing.ids, next.ids]).toEqual([[1], [1]]);
  });
});
