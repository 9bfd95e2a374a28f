import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import type { Config } from '../../config.js';
import { poolFlags } from '../../pool-flags.js';
import type { ReaderAnswer, ReaderStart, ReaderTask } from './reader-task.js';
import { Turns } from './turns.js';

/** Limits of the queries; what goes beyond them is refused with 503 and Retry-After. */
export const QUERY_LIMITS = {
  /** Queries that run or stand next in line. */
  queriesMax: 10,
  /** Requests that wait for one of these places; one more is refused at once. */
  waitingMax: 100,
  /** A request that waits longer is refused. */
  waitMsMax: 5_000,
  /**
   * A query that takes longer is cut: its thread ends, and with it what the query holds of the database. SQLite cannot be interrupted
   * from outside, so the thread ends with the statement that it is in; the query keeps its place until then.
   */
  queryMsMax: 30_000,
  /** Threads without work end after this time. */
  threadIdleMsMax: 60_000,
  /** Heap of a reader thread, MiB: with more it dies, and another one takes its place. */
  heapMibMax: 128,
  /** Of it, what V8 lets gather before it looks for garbage, MiB: rows and their JSON are garbage soon. */
  youngMibMax: 12,
} as const;

/** Why a query was not answered; the client may come again. */
export class QueryRefused extends Error {
  override readonly name = 'QueryRefused';
}

interface Waiting {
  readonly start: () => void;
  readonly refuse: (error: QueryRefused) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Runs queries in threads with read-only connections of their own. The threads start with the first query and end without work, so
 * that a recorder that nobody asks pays nothing for them.
 */
export class QueryPool {
  timeouts = 0;
  private pool: Promise<Piscina> | undefined;
  private running = 0;
  private readonly line: Waiting[] = [];
  private readonly threads: number;
  /**
   * For each thread one. The pool is given no more than it can run at once: of tasks that can be cut, it puts one behind all others
   * each time that it finds no thread free, so that with steady work some never run.
   */
  private readonly turns: Turns;

  /** `onDeath` is told why a thread ended that had nothing to do; `threadFile` and `limits` are for tests. */
  constructor(
    private readonly start: ReaderStart,
    private readonly onDeath: (error: Error) => void,
    private readonly threadFile = new URL('../reader/thread.js', import.meta.url),
    private readonly limits: Readonly<Record<keyof typeof QUERY_LIMITS, number>> = QUERY_LIMITS,
  ) {
    this.threads = readerCountOf(start.config, availableParallelism());
    this.turns = new Turns(this.threads);
  }

  /** Queries that run or stand next in line, and requests that wait behind them. */
  get queries(): number {
    return this.running;
  }

  get waiting(): number {
    return this.line.length;
  }

  /** Runs a query. Throws `QueryRefused` when there is no place for it, or it takes too long. */
  async run(task: ReaderTask): Promise<ReaderAnswer> {
    if (this.running >= this.limits.queriesMax) await this.placeFree();
    else this.running++;
    const abort = new AbortController();
    let ending: Promise<unknown> = Promise.resolve();
    let hasTurn = false;
    const timer = setTimeout(() => {
      ending = this.cut(abort);
    }, this.limits.queryMsMax);
    try {
      await this.turns.take(abort.signal);
      hasTurn = true;
      this.pool ??= this.open();
      return (await (await this.pool).run(task, { signal: abort.signal })) as ReaderAnswer;
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      this.timeouts++;
      throw new QueryRefused(`the query took longer than ${this.limits.queryMsMax / 1000} s and was cut`);
    } finally {
      clearTimeout(timer);
      void ending.finally(() => {
        if (hasTurn) this.turns.pass();
        this.leave();
      });
    }
  }

  async close(): Promise<void> {
    for (const { timer, refuse } of this.line.splice(0)) {
      clearTimeout(timer);
      refuse(this.refusal());
    }
    await (await this.pool)?.destroy();
  }

  /** Ends a query, and resolves when its thread has ended. The pool lets go of that at once, also while it is in a statement. */
  private async cut(abort: AbortController): Promise<void> {
    const pool = await this.pool;
    const threads = [...(pool?.threads ?? [])] as unknown as Worker[];
    abort.abort();
    const rest = (pool?.threads ?? []) as unknown as Worker[];
    await Promise.all(threads.filter((thread) => !rest.includes(thread)).map((thread) => thread.terminate()));
  }

  /** Resolves when a place is ours. */
  private placeFree(): Promise<void> {
    if (this.line.length >= this.limits.waitingMax) return Promise.reject(this.refusal());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.line.splice(this.line.indexOf(waiting), 1);
        reject(this.refusal());
      }, this.limits.waitMsMax);
      const waiting: Waiting = { start: resolve, refuse: reject, timer };
      this.line.push(waiting);
    });
  }

  /** Gives the place to the next in line, or frees it. */
  private leave(): void {
    const next = this.line.shift();
    if (next === undefined) {
      this.running--;
      return;
    }
    clearTimeout(next.timer);
    next.start();
  }

  private refusal(): QueryRefused {
    return new QueryRefused('too many queries at once');
  }

  private async open(): Promise<Piscina> {
    const { Piscina } = await import('piscina');
    const pool = new Piscina({
      filename: this.threadFile.href,
      minThreads: 0,
      maxThreads: this.threads,
      idleTimeout: this.limits.threadIdleMsMax,
      atomics: 'disabled',
      workerData: this.start,
      resourceLimits: { maxOldGenerationSizeMb: this.limits.heapMibMax, maxYoungGenerationSizeMb: this.limits.youngMibMax },
      execArgv: poolFlags(),
    });
    pool.on('error', this.onDeath);
    return pool;
  }
}

/** Reader threads by the option `api.readers`. */
export function readerCountOf({ apiReaders }: Config, cores: number): number {
  return apiReaders || (cores <= 2 ? 1 : 2);
}
