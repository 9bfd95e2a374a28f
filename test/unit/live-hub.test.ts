import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CloseReason, LiveClient, LiveSink } from '../../src/api/live/live-client.js';
import type { LiveFrame } from '../../src/api/live/live-frames.js';
import { LIVE_LIMITS, LiveHub } from '../../src/api/live/live-hub.js';
import { LiveMessage, type LiveTopic } from '../../src/api/live/live-message.js';
import { answerRequest } from '../../src/api/live/live-request.js';

type Told = { readonly type: string; readonly [member: string]: unknown };

/** A connection that takes everything at once, or nothing. */
class Sink implements LiveSink {
  readonly frames: Buffer[] = [];
  closed: CloseReason | null = null;
  unsentBytes = 0;

  constructor(private readonly isStuck = false) {}

  send({ json }: LiveFrame): void {
    this.frames.push(json);
    if (this.isStuck) this.unsentBytes += json.length;
  }

  close(reason: CloseReason): void {
    this.closed = reason;
  }

  /** All messages, those of batches one by one. */
  get messages(): Told[] {
    return this.frames.flatMap((frame) => {
      const told = JSON.parse(String(frame)) as Told;
      return told.type === 'batch' ? (told['messages'] as Told[]) : [told];
    });
  }
}

let hub: LiveHub;

function connect(topics: readonly LiveTopic[], isStuck = false): { sink: Sink; client: LiveClient } {
  const sink = new Sink(isStuck);
  const client = hub.connect(sink);
  client.subscribe(topics);
  return { sink, client };
}

const flow = (id: number, more: object = {}): LiveMessage => LiveMessage.of('flows', 'flow', { id, ...more });
const stats = (at: number, padding = 0): LiveMessage => LiveMessage.of('stats', 'stats', { at, padding: 'x'.repeat(padding) });

beforeEach(() => {
  vi.useFakeTimers();
  hub = new LiveHub(() => performance.now());
});

afterEach(() => {
  hub.close();
  vi.useRealTimers();
});

describe('the live hub', () => {
  it('gives each client what it has asked for, in order, several messages in a frame', () => {
    const flows = connect(['flows']);
    const both = connect(['flows', 'stats']);
    const none = connect([]);
    for (let id = 0; id < 8; id++) hub.publish(flow(id));
    hub.publish(stats(1));
    vi.advanceTimersByTime(20);
    expect(flows.sink.messages.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(flows.sink.frames).toHaveLength(1);
    expect(both.sink.messages).toHaveLength(9);
    expect(none.sink.frames).toEqual([]);
    both.client.unsubscribe(['flows']);
    hub.publish(flow(9));
    vi.advanceTimersByTime(20);
    expect(both.sink.messages).toHaveLength(9);
    expect(flows.sink.messages).toHaveLength(9);
  });

  it('encodes a message once for all', () => {
    const clients = [connect(['health']), connect(['health']), connect(['health'])];
    hub.publish(LiveMessage.of('health', 'health', { status: 'ok' }));
    vi.advanceTimersByTime(20);
    expect(new Set(clients.map(({ sink }) => sink.frames[0])).size).toBe(1);
  });

  it('sends what is urgent first', () => {
    const { sink } = connect(['flows', 'alerts', 'stats']);
    for (let id = 0; id < 20; id++) hub.publish(flow(id));
    hub.publish(stats(1));
    hub.publish(LiveMessage.of('alerts', 'alert', { kind: 'new_device' }));
    vi.advanceTimersByTime(5);
    expect(sink.messages.slice(0, 3).map(({ type }) => type)).toEqual(['alert', 'stats', 'flow']);
  });

  it('keeps at most 1,000 messages for a client that takes none, drops the newer flows, and says so', () => {
    const stuck = connect(['flows'], true);
    const fast = connect(['flows']);
    const padding = 'x'.repeat(100_000);
    hub.publish(flow(-1, { padding }));
    vi.advanceTimersByTime(5);
    for (let id = 0; id < 1500; id++) {
      hub.publish(flow(id));
      if (id % 100 === 0) vi.advanceTimersByTime(50);
    }
    vi.advanceTimersByTime(500);
    expect(fast.sink.messages).toHaveLength(1501);
    expect(stuck.sink.messages).toHaveLength(1);
    stuck.sink.unsentBytes = 0;
    hub.wake();
    vi.advanceTimersByTime(1000);
    const told = stuck.sink.messages.slice(1);
    expect(told[0]).toEqual({ type: 'dropped', messages: { flows: 500 } });
    expect(told.slice(1).map(({ id }) => id)).toEqual(Array.from({ length: LIVE_LIMITS.messagesMax }, (_, id) => id));
    expect(hub.counts.dropped).toBe(500);
  });

  it('keeps at most 1 MiB for a client, and of a state the newest', () => {
    const { sink, client } = connect(['stats'], true);
    for (let at = 0; at < 40; at++) {
      hub.publish(stats(at, 100_000));
      vi.advanceTimersByTime(5);
      expect(client.waitingBytes - sink.unsentBytes).toBeLessThanOrEqual(LIVE_LIMITS.bytesMax);
    }
    sink.unsentBytes = 0;
    hub.wake();
    vi.advanceTimersByTime(5);
    const told = sink.messages;
    expect(told.find(({ type }) => type === 'dropped')).toEqual({ type: 'dropped', messages: { stats: 29 } });
    expect(told.at(-1)).toMatchObject({ at: 39 });
  });

  it('lets those that never read give way to those that do, when there is no room for all', () => {
    const stuck = Array.from({ length: 60 }, () => connect(['flows'], true));
    const padding = 'x'.repeat(2000);
    hub.publish(flow(-1, { padding: 'x'.repeat(100_000) }));
    vi.advanceTimersByTime(5);
    const fast = connect(['flows']);
    for (let id = 0; id < 600; id++) {
      hub.publish(flow(id, { padding }));
      if (id % 50 === 0) vi.advanceTimersByTime(50);
    }
    vi.advanceTimersByTime(500);
    expect(fast.sink.messages.map(({ id }) => id)).toEqual(Array.from({ length: 600 }, (_, id) => id));
    expect(hub.state().waitingBytes).toBeLessThanOrEqual(LIVE_LIMITS.totalBytesMax + 3000);
    expect(hub.counts.dropped).toBeGreaterThan(0);
    expect(stuck.every(({ sink }) => sink.frames.length === 1)).toBe(true);
  });

  it('makes one frame of several messages for all that get the same ones', () => {
    const clients = [connect(['flows']), connect(['flows']), connect(['flows', 'stats'])];
    for (let id = 0; id < 8; id++) hub.publish(flow(id));
    vi.advanceTimersByTime(5);
    expect(new Set(clients.map(({ sink }) => sink.frames[0])).size).toBe(1);
  });

  it('keeps to a budget for all clients together', () => {
    const stuck = Array.from({ length: LIVE_LIMITS.clientsMax }, () => connect(['flows'], true));
    for (let id = 0; id < 100; id++) {
      hub.publish(flow(id, { padding: 'x'.repeat(10_000) }));
      vi.advanceTimersByTime(5);
    }
    const waiting = stuck.reduce((sum, { client }) => sum + client.waitingBytes, 0);
    // What is published before the next measurement may come on top, once for each client.
    expect(waiting).toBeLessThanOrEqual(LIVE_LIMITS.totalBytesMax + LIVE_LIMITS.clientsMax * 11_000);
    expect(waiting).toBeGreaterThan(LIVE_LIMITS.totalBytesMax / 2);
    expect(hub.counts.dropped).toBeGreaterThan(0);
  });

  it('disconnects a client that takes nothing for ten seconds, and no other', () => {
    const stuck = connect(['stats'], true);
    const slow = connect(['stats'], true);
    const fast = connect(['stats']);
    for (let second = 0; second < 15; second++) {
      hub.publish(stats(second, 2000));
      vi.advanceTimersByTime(1000);
      slow.sink.unsentBytes = Math.max(1, slow.sink.unsentBytes - 500);
    }
    expect([stuck.sink.closed, slow.sink.closed, fast.sink.closed]).toEqual(['too slow', null, null]);
    expect(hub.clientCount).toBe(2);
    expect(hub.counts.closedSlow).toBe(1);
  });

  it('refuses a client beyond the hundredth', () => {
    const clients = Array.from({ length: LIVE_LIMITS.clientsMax }, () => connect([]));
    expect(hub.refusesAnother()).toBe(true);
    hub.disconnect((clients[0] as { client: LiveClient }).client);
    expect(hub.refusesAnother()).toBe(false);
    expect(hub.counts.refused).toBe(1);
  });

  it('has no timer while nobody is there', () => {
    const { client } = connect(['stats']);
    hub.publish(stats(1));
    hub.disconnect(client);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('requests', () => {
  const ask = (client: LiveClient, request: unknown): Told =>
    answerRequest(client, typeof request === 'string' ? request : JSON.stringify(request)).fields as Told;

  it.each([
    [{ address: '10.0.0.1' }, [1, 2]],
    [{ address: '10.0.0.2' }, [2]],
    [{ application: 'dns' }, [2]],
    [{ name: 'a.example.org' }, [1]],
    [{ name: '*.example.org' }, [1, 2]],
    [{ name: '*.org', port: 53 }, [2]],
    [{ protocol: 6 }, [1]],
    [{ port: 443 }, [1]],
    [{ address: '10.0.0.3', port: 443 }, []],
  ])('filter flows: %j', (filter, ids) => {
    const { sink, client } = connect([]);
    expect(ask(client, { type: 'subscribe', topics: ['flows', 'stats'], filter })).toEqual({
      type: 'subscribed',
      topics: ['flows', 'stats'],
      filter,
    });
    const web = { src_ip: '10.0.0.1', dst_ip: '192.0.2.1', protocol: 6, src_port: 50_000, dst_port: 443, application: 'tls' };
    hub.publish(flow(1, { ...web, server_name: 'a.example.org' }));
    const dns = { src_ip: '10.0.0.2', dst_ip: '10.0.0.1', protocol: 17, src_port: 50_000, dst_port: 53, application: 'dns' };
    hub.publish(flow(2, { ...dns, server_name: 'b.example.org' }));
    hub.publish(stats(3));
    vi.advanceTimersByTime(20);
    expect(sink.messages.flatMap(({ id }) => id ?? [])).toEqual(ids);
    expect(sink.messages.filter(({ type }) => type === 'stats')).toHaveLength(1);
  });

  it('filter nothing of what the stream says of itself', () => {
    const { sink, client } = connect([]);
    client.subscribe(['flows', 'devices'], { name: 'a.example.org', port: 53 });
    hub.publish(flow(1));
    for (const topic of ['flows', 'devices'] as const) hub.publish(LiveMessage.of(topic, 'skipped', { topic }));
    vi.advanceTimersByTime(20);
    expect(sink.messages).toEqual([
      { type: 'skipped', topic: 'devices' },
      { type: 'skipped', topic: 'flows' },
    ]);
  });

  it.each<unknown>([
    'no JSON',
    '',
    'null',
    '[]',
    '{"type":"subscribe"}',
    { type: 'subscribe', topics: [] },
    { type: 'subscribe', topics: ['packets'] },
    { type: 'subscribe', topics: ['flows'], filter: { adress: 'x' } },
    { type: 'subscribe', topics: ['flows'], filter: { port: 65_536 } },
    { type: 'subscribe', topics: ['flows'], filter: { name: 'x'.repeat(254) } },
    { type: 'subscribe', topics: ['flows'], __proto__: { polluted: true }, constructor: {} },
    { type: 'nothing', topics: ['flows'] },
  ])('that are wrong change nothing: %j', (request) => {
    const { client } = connect(['stats']);
    expect(ask(client, request).type).toBe('error');
    expect(client.subscriptions).toEqual({ topics: ['stats'], filter: {} });
  });
});
