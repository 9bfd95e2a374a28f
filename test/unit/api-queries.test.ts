import { describe, expect, it, onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/api/endpoint/endpoint.js';
import { ENDPOINTS } from '../../src/api/endpoint/endpoints.js';
import { ParameterReader } from '../../src/api/endpoint/parameters.js';
import { readMoment } from '../../src/api/endpoint/time.js';
import { answerOf, isKnown } from '../../src/api/query/answer.js';
import { AnswerCache } from '../../src/api/query/answer-cache.js';
import { Queries } from '../../src/api/query/queries.js';
import { QUERY_LIMITS, QueryPool, readerCountOf } from '../../src/api/query/query-pool.js';
import { QueryTimes } from '../../src/api/query/query-times.js';
import type { ReaderTask } from '../../src/api/query/reader-task.js';
import { csvLines } from '../../src/api/reader/csv.js';
import { resolveConfig } from '../../src/config.js';
import { allocateMemory } from '../../src/memory.js';

const FIXTURE = new URL('../fixtures/slow-reader.mjs', import.meta.url);
const config = resolveConfig({ 'flow.active-max': 16, 'api.readers': 1 });

function poolOf(limits: Partial<Record<keyof typeof QUERY_LIMITS, number>> = {}): QueryPool {
  const start = { config, memory: allocateMemory(config, 1) };
  const pool = new QueryPool(start, () => undefined, FIXTURE, { ...QUERY_LIMITS, ...limits });
  onTestFinished(() => pool.close());
  return pool;
}

const task = (query: string, parameters: object = {}): ReaderTask => ({
  query,
  parameters: { ...parameters },
  sinceUs: 0,
  untilUs: 0,
});
const textOf = async (answer: Promise<{ ok: boolean; body?: Uint8Array }>): Promise<string> =>
  Buffer.from((await answer).body ?? []).toString();

describe('the query pool', () => {
  it('runs queries, one after the other in one thread', async () => {
    const pool = poolOf();
    expect(await Promise.all(['a', 'b', 'c'].map((name) => textOf(pool.run(task(name)))))).toEqual(['a', 'b', 'c']);
    expect(pool).toMatchObject({ queries: 0, waiting: 0 });
  });

  it('runs them in the order in which they came, however many stand in line', async () => {
    const pool = poolOf();
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'];
    const order: string[] = [];
    await Promise.all(names.map(async (name) => order.push(await textOf(pool.run(task(name))))));
    expect(order).toEqual(names);
  });

  it('cuts a query that stands in line for too long, and lets those behind it have their turn', async () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const pool = poolOf({ queryMsMax: 300 });
    const first = pool.run(task('gate', { words })).catch((error: Error) => error.name);
    const second = pool.run(task('second')).catch((error: Error) => error.name);
    expect(await Promise.all([first, second])).toEqual(['QueryRefused', 'QueryRefused']);
    expect(await textOf(pool.run(task('third')))).toBe('third');
    expect(pool).toMatchObject({ timeouts: 2, queries: 0 });
  });

  it('lets ten in, lets some wait, and refuses the rest at once', async () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const pool = poolOf({ waitingMax: 2 });
    const inside = Array.from({ length: QUERY_LIMITS.queriesMax }, () => textOf(pool.run(task('gate', { words }))));
    const waiting = [textOf(pool.run(task('first'))), textOf(pool.run(task('second')))];
    expect(pool).toMatchObject({ queries: 10, waiting: 2 });
    await expect(pool.run(task('third'))).rejects.toMatchObject({ name: 'QueryRefused' });
    words[0] = 1;
    Atomics.notify(words, 0);
    expect(await Promise.all([...inside, ...waiting])).toEqual([...inside.map(() => 'gate'), 'first', 'second']);
    expect(pool).toMatchObject({ queries: 0, waiting: 0 });
  });

  it('refuses who has waited too long', async () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const pool = poolOf({ queriesMax: 1, waitMsMax: 20 });
    const inside = pool.run(task('gate', { words }));
    await expect(pool.run(task('late'))).rejects.toMatchObject({ name: 'QueryRefused' });
    expect(pool).toMatchObject({ queries: 1, waiting: 0 });
    words[0] = 1;
    Atomics.notify(words, 0);
    await inside;
  });

  it('cuts a query that takes too long, keeps its place until its thread has ended, and goes on', async () => {
    const pool = poolOf({ queryMsMax: 2_000, queriesMax: 1 });
    await expect(pool.run(task('spin'))).rejects.toMatchObject({ name: 'QueryRefused', message: expect.stringContaining('2 s') });
    expect(await textOf(pool.run(task('after')))).toBe('after');
    expect(pool).toMatchObject({ timeouts: 1, queries: 0 });
  });

  it('tells of a thread that dies with its query, and goes on with another', async () => {
    const pool = poolOf();
    await expect(pool.run(task('die'))).rejects.not.toMatchObject({ name: 'QueryRefused' });
    expect(await textOf(pool.run(task('after')))).toBe('after');
  });

  it('has one thread with few cores, two with more, or as many as asked for', () => {
    expect([1, 2, 4].map((cores) => readerCountOf(resolveConfig({}), cores))).toEqual([1, 1, 2]);
    expect(readerCountOf(resolveConfig({ 'api.readers': 5 }), 2)).toBe(5);
  });
});

describe('queries', () => {
  const endpoint = ENDPOINTS.find(({ name }) => name === 'summary') as Endpoint;
  const nowUs = 1_750_000_000_000_000;

  it('that ask for the same at once are one, and later ones come from the cache', async () => {
    const queries = new Queries(poolOf(), 0);
    const ask = () => queries.ask(endpoint, task('summary'), '/summary?since=1h', nowUs);
    const [first, second] = await Promise.all([ask(), ask()]);
    expect(second).toBe(first);
    await ask();
    expect(queries.counts()).toMatchObject({ joined: 1, cacheHits: 1, cacheEntries: 1 });
    expect(queries.times.byQuery.get('summary')?.count).toBe(1);
    await queries.ask(endpoint, task('summary'), '/summary?since=2h', nowUs);
    expect(queries.times.byQuery.get('summary')?.count).toBe(2);
  });

  it('about a time that is over have a strong ETag once no flow of it can still be written', async () => {
    const settleUs = 300_000_000;
    const queries = new Queries(poolOf(), settleUs);
    const etag = async (untilUs: number): Promise<string> => {
      const outcome = await queries.ask(endpoint, { ...task('x'), untilUs }, String(untilUs), nowUs);
      return outcome.ok ? outcome.answer.etag : '';
    };
    expect(await etag(nowUs - settleUs)).toMatch(/^W\/"/);
    expect(await etag(nowUs - settleUs - 61_000_000)).toMatch(/^W\/"/);
    // Names and peers are kept by ten minutes.
    expect(await etag(nowUs - settleUs - 661_000_000)).toMatch(/^"/);
    expect(await etag(0)).toMatch(/^W\/"/);
    const never = new Queries(poolOf(), Number.POSITIVE_INFINITY);
    const outcome = await never.ask(endpoint, { ...task('x'), untilUs: 1 }, 'x', nowUs);
    expect(outcome.ok && outcome.answer.isClosed).toBe(false);
  });

  it('about a time that is over are not closed where the answer reaches further, and are asked again where the request moves on', async () => {
    const queries = new Queries(poolOf(), 0);
    const untilUs = nowUs - 3_600_000_000;
    const widened = await queries.ask(endpoint, { ...task('x', { endUs: nowUs + 1 }), untilUs }, 'widened', nowUs);
    expect(widened.ok && widened.answer.isClosed).toBe(false);
    const quick = { ...endpoint, freshMs: 0 };
    for (const isMoving of [false, true]) {
      const ask = () => queries.ask(quick, { ...task('x'), untilUs, isMoving }, `moving ${isMoving}`, nowUs);
      const [first, second] = [await ask(), await ask()];
      expect(first.ok && first.answer.isClosed).toBe(true);
      expect(second === first || (second.ok && first.ok && second.answer === first.answer)).toBe(!isMoving);
    }
  });

  it('that were under way when something was changed answer nobody who asks afterwards', async () => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const queries = new Queries(poolOf(), 0);
    const ask = (query: string) => queries.ask(endpoint, task(query, { words }), 'devices', nowUs);
    const before = ask('gate');
    queries.cache.clear();
    const after = ask('after');
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
    await before;
    expect(await after).not.toBe(await before);
    expect(await ask('later')).toEqual(await after);
  });
});

describe('the cache', () => {
  const answer = (bytes: number) => answerOf(new Uint8Array(bytes), false);

  it('forgets the answer that was used longest ago, by number and by bytes', () => {
    const cache = new AnswerCache();
    for (let index = 0; index < 1000; index++) cache.put(`${index}`, answer(1), 10);
    expect(cache.get('0', 0)).not.toBeNull();
    cache.put('new', answer(1), 10);
    expect([cache.count, cache.bytes, cache.get('1', 0), cache.get('0', 0)]).toEqual([1000, 1000, null, expect.anything()]);
    const large = new AnswerCache();
    for (let index = 0; index < 12; index++) large.put(`${index}`, answer(2 ** 21), 10);
    expect([large.count, large.bytes]).toEqual([8, 2 ** 24]);
    large.put('too large', answer(2 ** 21 + 1), 10);
    expect(large.get('too large', 0)).toBeNull();
    large.put('11', answer(5), 10);
    expect(large.bytes).toBe(7 * 2 ** 21 + 5);
    large.clear();
    expect([large.count, large.bytes]).toEqual([0, 0]);
  });

  it('keeps no answer for longer than it holds', () => {
    const cache = new AnswerCache();
    cache.put('a', answer(1), 10);
    expect(cache.get('a', 9)).not.toBeNull();
    expect(cache.get('a', 10)).toBeNull();
    expect([cache.count, cache.bytes]).toEqual([0, 0]);
  });

  it('knows an answer by its ETag, weak or not, in a list, or by a star', () => {
    const { etag } = answer(3);
    for (const header of [etag, etag.slice(2), `"x", ${etag}`, '*']) expect(isKnown(answer(3), header), header).toBe(true);
    for (const header of [undefined, '', '"x"', etag.slice(3)]) expect(isKnown(answer(3), header)).toBe(false);
  });
});

describe('query times', () => {
  it('keep count, mean and maximum of all, and the last hundred slow ones', () => {
    const times = new QueryTimes();
    for (let index = 0; index < 150; index++) times.add('flows', ['ip'], 100 + index, index, index % 10 === 0);
    times.add('top', [], 100, 0, false);
    expect(times.byQuery.get('flows')).toEqual({ count: 150, failed: 15, sumMs: 26_175, maxMs: 249, slow: 149 });
    expect(times.byQuery.get('top')).toMatchObject({ count: 1, slow: 0 });
    expect(times.slowest).toHaveLength(100);
    expect(times.slowest[0]).toEqual({ query: 'flows', parameters: ['ip'], endedUs: 149, durationMs: 249 });
  });
});

describe('moments', () => {
  const nowUs = 1_750_000_000_123_456;
  it.each([
    ['now', nowUs],
    ['90s', nowUs - 90e6],
    ['15m', nowUs - 900e6],
    ['24h', nowUs - 86_400e6],
    ['30d', nowUs - 30 * 86_400e6],
    ['99999d', 0],
    ['0', 0],
    ['1750000000000000', 1_750_000_000_000_000],
    ['2025-06-15', Date.UTC(2025, 5, 15) * 1000],
    ['2025-06-15T15:06Z', Date.UTC(2025, 5, 15, 15, 6) * 1000],
    ['2025-06-15T15:06:07Z', Date.UTC(2025, 5, 15, 15, 6, 7) * 1000],
    ['2025-06-15T15:06:07.000001Z', Date.UTC(2025, 5, 15, 15, 6, 7) * 1000 + 1],
    ['2025-06-15T15:06:07.5Z', Date.UTC(2025, 5, 15, 15, 6, 7) * 1000 + 500_000],
    ['2024-02-29', Date.UTC(2024, 1, 29) * 1000],
    ['1970-01-01', 0],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['2255-06-05T23:47:34.740991Z', Number.MAX_SAFE_INTEGER],
  ])('%s is %d', (text, us) => {
    expect(readMoment(text, nowUs)).toBe(us);
  });

  it.each([
    '',
    ' 1h',
    '1w',
    '-1h',
    '1.5h',
    '2025-02-29',
    '2025-13-01',
    '2025-06-31T00:00Z',
    '2025-06-15T25:00Z',
    '2025-06-15 15:06',
    '2025-06-15T15:06',
    'yesterday',
    '999999999999999999',
    '9007199254740992',
    '2255-06-05T23:47:34.740992Z',
    '9999-12-31',
    '1969-12-31T23:59:59.999999Z',
  ])('%j is none', (text) => {
    expect(readMoment(text, nowUs)).toBeNull();
  });
});

describe('parameters', () => {
  const flows = new ParameterReader((ENDPOINTS.find(({ name }) => name === 'flows') as Endpoint).parameters);

  it('have defaults, and numbers are decimal', () => {
    expect(flows.read({ port: '443' })).toEqual({
      ok: true,
      value: { since: '1h', until: 'now', order: 'newest', limit: 100, port: 443 },
    });
    for (const port of ['0x1bb', '443.0', '4e2', '+443', '4_43', '443 ', '65536', '-1', ''])
      expect(flows.read({ port }), port).toMatchObject({ ok: false, parameter: 'port' });
  });

  it('that nobody knows are named, without what does not belong in a name', () => {
    const refused = flows.read({ [`<script>${'x'.repeat(100)}`]: '1' });
    expect(refused).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/^There is no parameter \?script\?x+…; there are: since, /),
    });
  });
});

describe('CSV', () => {
  it('quotes what needs it, and disarms formulas', () => {
    const row = { a: 'x,y', b: 'say "hi"', c: '=1+1', d: null, e: -5, f: '@x', g: 'two\nlines' };
    expect(csvLines([row], Object.keys(row), true)).toEqual([
      'a,b,c,d,e,f,g\r\n',
      '"x,y","say ""hi""",\'=1+1,,-5,\'@x,"two\nlines"\r\n',
    ]);
  });
});
