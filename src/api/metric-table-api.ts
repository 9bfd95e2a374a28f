import { type HttpCounts, REFUSALS } from './http/counts.js';
import type { LiveState } from './live/live-hub.js';
import type { MetricEntry, MetricInput } from './metric-entry.js';
import type { QueryCounts } from './query/queries.js';

/** What the API counts of itself; there is none where only the pipeline is looked at. */
export interface ApiCounts {
  readonly counts: HttpCounts;
  readonly queries: QueryCounts;
  readonly live: LiveState;
}

type Value = (api: ApiCounts) => number;

const of = (value: Value) => (input: MetricInput) => (input.api ? [[{}, value(input.api)] as const] : []);
const counter = (help: string, value: Value): MetricEntry => ({ type: 'counter', help, values: of(value) });
const gauge = (help: string, value: Value): MetricEntry => ({ type: 'gauge', help, values: of(value) });

/** By endpoint, of which there are as many as the API has. */
const perQuery = (
  type: MetricEntry['type'],
  help: string,
  value: (time: QueryCounts['byQuery'][number][1]) => number,
): MetricEntry => ({
  type,
  help,
  labels: ['query'],
  values: ({ api }) => (api?.queries.byQuery ?? []).map(([query, time]) => [{ query }, value(time)] as const),
});

const FIRST_DIGITS = [1, 2, 3, 4, 5] as const;

/** Metrics of the API: who asks, who is turned away, and how long queries take. No client is named. */
export const API_METRICS: Readonly<Record<string, MetricEntry>> = {
  flowberry_api_answers_total: {
    type: 'counter',
    help: 'Answers by the first digit of their status.',
    labels: ['status'],
    values: ({ api }) =>
      api ? FIRST_DIGITS.map((digit) => [{ status: `${digit}xx` }, api.counts.answers[digit] ?? 0] as const) : [],
  },
  flowberry_api_refused_total: {
    type: 'counter',
    help: 'Requests and connections that were turned away, by reason.',
    labels: ['reason'],
    values: ({ api }) => (api ? REFUSALS.map((reason) => [{ reason }, api.counts.refused[reason]] as const) : []),
  },
  flowberry_api_connections: gauge('Connections that are open.', ({ counts }) => counts.connectionsOpen),
  flowberry_api_connections_accepted_total: counter('Connections that were taken.', ({ counts }) => counts.connectionsAccepted),
  flowberry_api_connections_evicted_total: counter(
    'Connections without a request that gave way to others.',
    ({ counts }) => counts.connectionsEvicted,
  ),
  flowberry_api_sent_bytes_total: counter('Bytes sent on connections that have ended.', ({ counts }) => counts.sentBytes),
  flowberry_api_queries_running: gauge('Queries that run or stand next in line.', ({ queries }) => queries.running),
  flowberry_api_queries_waiting: gauge('Requests that wait for such a place.', ({ queries }) => queries.waiting),
  flowberry_api_exports_running: gauge('Exports under way.', ({ queries }) => queries.exports),
  flowberry_api_queries_timed_out_total: counter(
    'Queries that were cut since they took too long.',
    ({ queries }) => queries.timeouts,
  ),
  flowberry_api_queries_shared_total: counter(
    'Requests that were answered by a query that another one had begun.',
    ({ queries }) => queries.joined,
  ),
  flowberry_api_cache_hits_total: counter('Requests that were answered from the cache.', ({ queries }) => queries.cacheHits),
  flowberry_api_cache_misses_total: counter('Requests that were not.', ({ queries }) => queries.cacheMisses),
  flowberry_api_cache_entries: gauge('Answers in the cache.', ({ queries }) => queries.cacheEntries),
  flowberry_api_cache_bytes: gauge('Their bytes.', ({ queries }) => queries.cacheBytes),
  flowberry_live_clients: gauge('Clients of the live stream.', ({ live }) => live.clients),
  flowberry_live_waiting_bytes: gauge('Bytes that wait for them, in queues and connections.', ({ live }) => live.waitingBytes),
  flowberry_live_messages_total: counter('Messages that the live stream made.', ({ live }) => live.published),
  flowberry_live_delivered_messages_total: counter('Times that one was queued for a client.', ({ live }) => live.delivered),
  flowberry_live_dropped_messages_total: counter(
    'Times that there was no room for one; the client was told.',
    ({ live }) => live.dropped,
  ),
  flowberry_live_frames_total: counter('Frames that were handed to connections.', ({ live }) => live.frames),
  flowberry_live_sent_bytes_total: counter('Their bytes, before compression.', ({ live }) => live.bytes),
  flowberry_live_refused_total: counter('Connections that were one too many.', ({ live }) => live.refused),
  flowberry_live_closed_slow_total: counter(
    'Connections that were closed since they took nothing.',
    ({ live }) => live.closedSlow,
  ),
  flowberry_api_queries_total: perQuery('counter', 'Queries that ran, by endpoint.', ({ count }) => count),
  flowberry_api_queries_failed_total: perQuery('counter', 'Queries that had no good answer.', ({ failed }) => failed),
  flowberry_api_queries_slow_total: perQuery('counter', 'Queries that took more than 0.1 s.', ({ slow }) => slow),
  flowberry_api_query_seconds_total: perQuery(
    'counter',
    'Time that queries took, waiting included.',
    ({ sumMs }) => sumMs / 1000,
  ),
  flowberry_api_query_max_seconds: perQuery('gauge', 'Longest of them since the start.', ({ maxMs }) => maxMs / 1000),
};
