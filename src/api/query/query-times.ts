/** A query that takes longer is slow, ms. */
export const SLOW_MS = 100;
/** Slow queries that are listed; the oldest goes. */
const SLOW_LISTED_MAX = 100;

export interface QueryTime {
  count: number;
  failed: number;
  sumMs: number;
  maxMs: number;
  slow: number;
}

export interface SlowQuery {
  readonly query: string;
  /** Names of the parameters that were given, not their values: those tell who looked at whom. */
  readonly parameters: readonly string[];
  readonly endedUs: number;
  readonly durationMs: number;
}

/** How long the queries took, by name; the names are those of the endpoints, so their number is bounded. */
export class QueryTimes {
  readonly byQuery = new Map<string, QueryTime>();
  private readonly slow: SlowQuery[] = [];

  /** Slow queries, the latest first. */
  get slowest(): readonly SlowQuery[] {
    return this.slow.toReversed();
  }

  add(query: string, parameters: readonly string[], durationMs: number, endedUs: number, hasFailed: boolean): void {
    const time = this.byQuery.get(query) ?? { count: 0, failed: 0, sumMs: 0, maxMs: 0, slow: 0 };
    this.byQuery.set(query, time);
    time.count++;
    if (hasFailed) time.failed++;
    time.sumMs += durationMs;
    if (durationMs > time.maxMs) time.maxMs = durationMs;
    if (durationMs <= SLOW_MS) return;
    time.slow++;
    if (this.slow.length === SLOW_LISTED_MAX) this.slow.shift();
    this.slow.push({ query, parameters, endedUs, durationMs });
  }
}
