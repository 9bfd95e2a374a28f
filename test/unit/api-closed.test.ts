import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.js';
import { listenOn } from '../../src/api/listener.js';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { ApiPipeline, maintenance, unexpected } from '../helpers/api-pipeline.js';
import { get } from '../helpers/api-store.js';

/** In place of the reader threads: answers with the name of the query, about the time that was asked for. */
const READER_FILE = new URL('../fixtures/slow-reader.mjs', import.meta.url);
const NOW_MS = Date.UTC(2025, 5, 15, 12);
/** Flows are written a minute after their last packet at the latest. */
const SHORT: OptionValues = { 'flow.active-s': 60, 'flow.idle-tcp-s': 60, 'flow.idle-udp-s': 60, 'flow.idle-other-s': 60 };

/** The API with these options, and what it is asked: the ETag of the answer. */
async function serve(options: OptionValues): Promise<{ api: Api; port: number; etag: (path: string) => Promise<string> }> {
  const { memory, monitor } = new ApiPipeline();
  const config = resolveConfig({ 'api.readers': 1, ...options });
  const api = createApi({
    config,
    memory,
    monitor,
    maintenance: maintenance(),
    onDefect: unexpected,
    readerFile: READER_FILE,
  });
  onTestFinished(() => api.close());
  const { port } = await listenOn(api.server, '127.0.0.1', 0);
  const etag = async (path: string): Promise<string> => String((await get(port, `/api/v1${path}`)).headers['etag']);
  return { api, port, etag };
}

const STRONG = /^"/;
const WEAK = /^W\/"/;

beforeEach(() => void vi.useFakeTimers({ now: NOW_MS, toFake: ['Date', 'hrtime'] }));
afterEach(() => void vi.useRealTimers());

describe('an answer about a time that is over', () => {
  it('is asked for again soon where the time moves on, and is kept where it does not', async () => {
    const { port, etag } = await serve(SHORT);
    const asked = async (): Promise<number> => {
      const { queries } = JSON.parse((await get(port, '/api/v1/debug/slow')).text);
      return queries.find(({ query }: { query: string }) => query === 'summary').count;
    };
    let count = 0;
    for (const [range, isMoving] of [
      ['since=2h&until=20m', true],
      ['since=2025-06-14&until=20m', true],
      ['since=2h&until=2025-06-15T11:30:00Z', true],
      ['since=2025-06-14&until=2025-06-15T11:30:00Z', false],
      ['since=0&until=1749900000000000', false],
    ] as const) {
      expect(await etag(`/summary?${range}`), range).toMatch(STRONG);
      expect(await asked(), range).toBe(++count);
      vi.advanceTimersByTime(10_000);
      await etag(`/summary?${range}`);
      if (isMoving) count++;
      expect(await asked(), range).toBe(count);
    }
  });

  it('is a closed one when no flow of it can still be written, by the options in use', async () => {
    const { api, etag } = await serve(SHORT);
    const until = (minute: number): string => `/flows?since=0&until=2025-06-15T11:${minute}:00Z`;
    expect(await etag(until(30))).toMatch(STRONG);
    expect(await etag(until(50))).toMatch(WEAK);
    api.reconfigure(resolveConfig({ ...SHORT, 'flow.active-s': 3_600 }));
    expect(await etag(until(30))).toMatch(WEAK);
    api.reconfigure(resolveConfig({ ...SHORT, 'flow.active-s': 0 }));
    expect(await etag(until(30))).toMatch(WEAK);
    expect(await etag('/flows?since=0&until=2020-01-01')).toMatch(WEAK);
    api.reconfigure(resolveConfig(SHORT));
    expect(await etag(until(30))).toMatch(STRONG);
  });

  it('is never a closed one while flows that go on are not written', async () => {
    const { etag } = await serve({ ...SHORT, 'flow.active-s': 0 });
    expect(await etag('/flows?since=0&until=2020-01-01')).toMatch(WEAK);
  });
});

describe('what a request may not ask for', () => {
  it.each([
    ['since', 'since=9007199254740992'],
    ['until', 'until=99999999999999999'],
    ['until', 'until=9999-12-31'],
    ['since', 'since=1969-12-31T23:59:59Z'],
    ['since', 'since=0001-01-01'],
  ])('a time that no number tells: %s of %s', async (parameter, query) => {
    const { port } = await serve(SHORT);
    const { status, text } = await get(port, `/api/v1/flows?${query}`);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ status: 400, parameter });
  });

  it('what holds control characters', async () => {
    const { port } = await serve(SHORT);
    for (const path of ['/search?q=%00', '/search?q=a%7Fb', '/devices?search=%1b[2J']) {
      const { status, text } = await get(port, `/api/v1${path}`);
      expect(status, path).toBe(400);
      expect(JSON.parse(text).detail, path).toContain('control characters');
    }
    expect((await get(port, '/api/v1/search?q=K%C3%BCche%20%F0%9F%8D%93')).status).toBe(200);
  });
});

describe('the OpenAPI document', () => {
  it('names what may go wrong, also with a body', async () => {
    const { port } = await serve(SHORT);
    const { paths } = JSON.parse((await get(port, '/openapi.json')).text) as {
      paths: Record<string, Record<string, { requestBody?: object; responses: Record<string, object> }>>;
    };
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    expect(operations.some(({ requestBody }) => requestBody)).toBe(true);
    for (const { requestBody, responses } of operations) {
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['200', '400', '414']));
      for (const status of ['409', '413', '415']) expect(status in responses, status).toBe(requestBody !== undefined);
    }
  });
});
