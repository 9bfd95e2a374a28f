import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LiveSink } from '../../src/api/live/live-client.js';
import { LiveFeed, type LiveSource, ROWS_PER_PAGE } from '../../src/api/live/live-feed.js';
import type { LiveFrame } from '../../src/api/live/live-frames.js';
import { LiveHub } from '../../src/api/live/live-hub.js';

type Told = { readonly type: string; readonly id?: number };

/** A connection that takes everything at once. */
class Sink implements LiveSink {
  readonly messages: Told[] = [];
  readonly unsentBytes = 0;

  send({ json }: LiveFrame): void {
    const told = JSON.parse(String(json)) as Told & { messages?: Told[] };
    this.messages.push(...(told.messages ?? [told]));
  }

  close(): void {}
}

let hub: LiveHub;
let feed: LiveFeed;
/** Ids of the rows that are committed. */
let newest: number;

beforeEach(() => {
  vi.useFakeTimers();
  hub = new LiveHub(() => performance.now());
  newest = 0;
  const source = {
    snapshot: () => ({}),
    rowsAfter: async (topic: string, after: number | null) => {
      if (topic !== 'flows' || after === null) return { rows: [], newest: topic === 'flows' ? newest : 0 };
      const count = Math.min(ROWS_PER_PAGE, newest - after);
      return { rows: Array.from({ length: count }, (_, index) => ({ id: after + 1 + index })), newest: after + count };
    },
  };
  feed = new LiveFeed(hub, source as unknown as LiveSource);
});

afterEach(() => {
  hub.close();
  vi.useRealTimers();
});

async function seconds(count: number): Promise<void> {
  for (let second = 0; second < count; second++) {
    feed.tick();
    await vi.advanceTimersByTimeAsync(1000);
  }
}

describe('rows of the live stream', () => {
  it('are all told to who reads, however many one commit brings', async () => {
    const sink = new Sink();
    hub.connect(sink).subscribe(['flows']);
    await seconds(1);
    newest = 3500;
    await seconds(5);
    newest = 3600;
    await seconds(1);
    expect(sink.messages.map(({ id }) => id)).toEqual(Array.from({ length: 3600 }, (_, index) => index + 1));
    expect(hub.counts.dropped).toBe(0);
  });

  it('are passed over when they are too many to be told in time, and the clients hear of it', async () => {
    const sink = new Sink();
    hub.connect(sink).subscribe(['flows']);
    await seconds(1);
    newest = 50_000;
    await seconds(10);
    newest = 50_001;
    await seconds(2);
    expect(sink.messages.filter(({ type }) => type === 'flow')).toHaveLength(10_001);
    expect(sink.messages.at(-2)?.type).toBe('skipped');
    expect(sink.messages.at(-1)?.id).toBe(50_001);
  });
});
