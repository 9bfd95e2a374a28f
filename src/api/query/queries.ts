import { monotonicMs } from '../../ring/thread-block.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import { type Answer, answerOf } from './answer.js';
import { AnswerCache } from './answer-cache.js';
import type { QueryPool } from './query-pool.js';
import { type QueryTime, QueryTimes } from './query-times.js';
import type { ReaderAnswer, ReaderTask } from './reader-task.js';

/** The answer to a time that is over may be shown again for so long, ms: rows that have aged out are gone then. */
const CLOSED_FRESH_MS = 300_000;
/**
 * A time is over when its end lies so far back: flows that were open have been written by then, if none lasts longer without being
 * written than the longest idle timeout, and the batches with them. Names and peers are kept by ten minutes.
 */
const CLOSED_AGE_MIN_US = 660_000_000;

/** Exports at once; one more is refused. Each holds a page of rows, and asks for the next when that is gone. */
const EXPORTS_MAX = 4;

type Outcome = { readonly ok: true; readonly answer: Answer } | Extract<ReaderAnswer, { ok: false }>;

/** What `/metrics` tells of queries. */
export interface QueryCounts {
  readonly running: number;
  readonly waiting: number;
  readonly timeouts: number;
  readonly joined: number;
  readonly exports: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly cacheEntries: number;
  readonly cacheBytes: number;
  readonly byQuery: readonly (readonly [query: string, time: Readonly<QueryTime>])[];
}

/** Answers queries: from the cache, from one that is under way already, or from a reader thread. */
export class Queries {
  readonly times = new QueryTimes();
  readonly cache = new AnswerCache();
  /** Queries under way, by what they ask for: who asks for the same waits for the same answer. */
  private readonly underWay = new Map<string, Promise<Outcome>>();
  private joined = 0;
  private exports = 0;

  /** `settleUs`: how long after a packet its flow may still be written. */
  constructor(
    private readonly pool: QueryPool,
    private settleUs: number,
  ) {}

  /** Goes by another such time from now on; answers that were over by the old one are forgotten. */
  settleAfter(us: number): void {
    this.settleUs = us;
    this.cache.clear();
  }

  /** Answers `endpoint` for checked parameters. Throws `QueryRefused`. */
  async ask(endpoint: Endpoint, task: ReaderTask, key: string, nowUs: number): Promise<Outcome> {
    const fullKey = `${this.cache.generation} ${endpoint.name} ${key}`;
    const cached = this.cache.get(fullKey, monotonicMs());
    if (cached) return { ok: true, answer: cached };
    const joined = this.underWay.get(fullKey);
    if (joined) {
      this.joined++;
      return await joined;
    }
    const outcome = this.run(task, nowUs).finally(() => this.underWay.delete(fullKey));
    this.underWay.set(fullKey, outcome);
    const result = await outcome;
    const freshMs = result.ok && result.answer.isClosed && !task.isMoving ? CLOSED_FRESH_MS : endpoint.freshMs;
    if (result.ok && freshMs > 0) this.cache.put(fullKey, result.answer, monotonicMs() + freshMs);
    return result;
  }

  /** Runs a query as it is, past cache and ETag. Throws `QueryRefused`. */
  async runPlain(task: ReaderTask): Promise<ReaderAnswer> {
    const startMs = performance.now();
    let hasFailed = true;
    try {
      const answer = await this.pool.run(task);
      hasFailed = !answer.ok;
      return answer;
    } finally {
      this.times.add(task.query, Object.keys(task.parameters), performance.now() - startMs, Date.now() * 1000, hasFailed);
    }
  }

  /** For `/metrics`. */
  counts(): QueryCounts {
    const { pool, cache, times } = this;
    return {
      running: pool.queries,
      waiting: pool.waiting,
      timeouts: pool.timeouts,
      joined: this.joined,
      exports: this.exports,
      cacheHits: cache.hits,
      cacheMisses: cache.misses,
      cacheEntries: cache.count,
      cacheBytes: cache.bytes,
      byQuery: [...times.byQuery],
    };
  }

  async close(): Promise<void> {
    await this.pool.close();
  }

  /** Takes a place among the exports that run; false if there is none. `endExport` gives it back. */
  beginExport(): boolean {
    if (this.exports >= EXPORTS_MAX) return false;
    this.exports++;
    return true;
  }

  endExport(): void {
    this.exports--;
  }

  private async run(task: ReaderTask, nowUs: number): Promise<Outcome> {
    const answer = await this.runPlain(task);
    if (!answer.ok) return answer;
    const isClosed = answer.endUs > 0 && answer.endUs + this.settleUs + CLOSED_AGE_MIN_US < nowUs;
    return { ok: true, answer: answerOf(answer.body, isClosed) };
  }
}
