import { describe, expect, it } from 'vitest';
import { AlertPosts } from '../../src/api/live/alert-posts.js';
import type { LiveSource } from '../../src/api/live/live-feed.js';
import type { LiveFields } from '../../src/api/live/live-message.js';
import type { Webhook } from '../../src/api/live/webhook.js';

describe('posts of alerts', () => {
  it('have what comes after the start, once, also when the database was away', async () => {
    const rows = [{ id: 1, last_us: 10 }];
    let isAway = false;
    const source = {
      rowsAfter: async (_: string, after: number | null) => {
        if (isAway) throw new Error('away');
        const newest = rows.at(-1)?.last_us ?? 0;
        return { rows: after === null ? [] : rows.filter(({ last_us: us }) => us > after), newest };
      },
    } as unknown as LiveSource;
    const offered: LiveFields[] = [];
    const posts = new AlertPosts(source, { offer: (row: LiveFields) => offered.push(row) } as unknown as Webhook);
    const pass = async (nowMs: number): Promise<void> => {
      posts.tick(nowMs);
      await new Promise(setImmediate);
    };
    await pass(0);
    rows.push({ id: 2, last_us: 20 });
    await pass(4_000);
    expect(offered).toEqual([]);
    await pass(5_000);
    isAway = true;
    rows.push({ id: 3, last_us: 30 });
    await pass(10_000);
    isAway = false;
    await pass(15_000);
    await pass(20_000);
    expect(offered.map((row) => row['id'])).toEqual([2, 3]);
  });
});
