import { describe, expect, it } from 'vitest';
import { apiBenchOptionsOf } from '../../bench/api/options.js';
import type { BenchFlags } from '../../bench/options.js';
import { streamOptionsOf } from '../../bench/stream/options.js';

const refusal = (message: string) => expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) });

describe('flags of bench api', () => {
  it('have defaults, and nobody captures', () => {
    expect(apiBenchOptionsOf({})).toMatchObject({
      users: 50,
      requests: 100,
      pauseMs: 0,
      load: null,
      capture: { flows: 100_000 },
    });
  });

  it('make a daemon that captures over ten million flows', () => {
    expect(apiBenchOptionsOf({ rate: '50k' })).toMatchObject({
      load: { rate: 50_000, flood: 'top', floodSeconds: 10, historyFlows: 10_000_000 },
      capture: { packets: 200_000, flows: 20_000 },
    });
    expect(apiBenchOptionsOf({ rate: '1k', flood: '2k', seconds: '3', history: '400', pause: '0' })).toMatchObject({
      load: { rate: 1000, flood: 2000, floodSeconds: 3, historyFlows: 400 },
    });
  });

  it.each<[BenchFlags, string]>([
    [{ rate: 'fast' }, 'fast is no rate'],
    [{ flood: 'top' }, '--flood goes with --rate'],
    [{ history: '5' }, '--history goes with --rate'],
    [{ rate: '1k', url: 'http://127.0.0.1:8417' }, 'does not go with --url'],
    [{ rate: '1k', db: 'x.db' }, 'does not go with --db'],
    [{ rate: '1k', history: '0' }, '--history 0 is not from 1'],
    [{ pause: '600001' }, '--pause 600001 is not from 0'],
  ])('refuse %j', (flags, message) => {
    expect(() => apiBenchOptionsOf(flags)).toThrow(refusal(message));
  });
});

describe('flags of bench stream', () => {
  it('have a hundred clients by default, half of them deaf', () => {
    expect(streamOptionsOf({}, 100)).toMatchObject({ clients: 100, deaf: 50, seconds: 600, messages: 200 });
    expect(streamOptionsOf({ clients: '5', deaf: '0' }, 100)).toMatchObject({ clients: 5, deaf: 0 });
  });

  it.each<[BenchFlags, string]>([
    [{ clients: '101' }, '--clients 101 is not from 1 to 100'],
    [{ clients: '5', deaf: '5' }, '--deaf 5 is not from 0 to 4'],
    [{ messages: '0' }, '--messages 0 is not from 1'],
  ])('refuse %j', (flags, message) => {
    expect(() => streamOptionsOf(flags, 100)).toThrow(refusal(message));
  });
});
