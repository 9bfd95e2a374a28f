import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMachine } from '../machine.js';
import type { Progress } from '../programs/run-programs.js';
import { type BenchReport, type CaseResult, type Metric, REPORT_FORMAT, summarize } from '../result.js';
import { identify } from '../run-bench.js';
import { Client } from './client.js';
import type { ApiBenchOptions } from './options.js';
import { openOwnApi } from './own-api.js';
import { type AskedRange, type RequestKind, requestKinds } from './requests.js';

/** Between two looks at /health while the users ask. */
const HEALTH_INTERVAL_MS = 20;
/** What a daemon that runs is asked about. */
const LIVE_RANGE: AskedRange = { since: '24h', until: 'now' };
const SEED = 1;
const SLOWEST_SHOWN = 5;

interface Asked {
  readonly kind: string;
  readonly status: number;
  readonly ms: number;
}

/** Random numbers that are the same in every run: xorshift. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 0x9e37_79b9 + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** The value below which so much of the sorted samples lies. */
function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

const sortedMs = (asked: readonly Asked[]): number[] => asked.map(({ ms }) => ms).sort((a, b) => a - b);
const rounded = (value: number): number => Math.round(value * 100) / 100;
const isGood = ({ status }: Asked): boolean => status === 200;

/** Has users ask for everything that the API has, in random order, and looks at /health meanwhile. */
export async function runApiBench(options: ApiBenchOptions, progress: Progress): Promise<BenchReport> {
  const started = new Date().toISOString();
  const own = options.url === null ? await openOwnApi(options, progress) : null;
  const url = own?.url ?? (options.url as URL);
  const token = options.tokenFile === null ? null : readFileSync(options.tokenFile, 'utf8').trim();
  const clients: Client[] = [];
  const newClient = (): Client => {
    const client = new Client(url, token);
    clients.push(client);
    return client;
  };
  try {
    const kinds = await requestKinds(newClient(), own?.range ?? LIVE_RANGE);
    progress(`${options.users} users, ${options.requests} requests each, over ${kinds.length} endpoints`);
    const health: Asked[] = [];
    const over = new AbortController();
    const watching = watchHealth(newClient(), health, over.signal);
    const startMs = performance.now();
    const asked = (
      await Promise.all(
        Array.from({ length: options.users }, (_, user) => runUser(newClient(), kinds, options.requests, user + SEED)),
      )
    ).flat();
    const wallS = (performance.now() - startMs) / 1000;
    over.abort();
    await watching;
    const result = resultOf(options, kinds, asked, health, wallS, own?.flows ?? null);
    return { format: REPORT_FORMAT, ...identify(), started, machine: readMachine(), input: null, results: [result], skipped: [] };
  } finally {
    for (const client of clients) client.close();
    await own?.close();
  }
}

async function runUser(client: Client, kinds: readonly RequestKind[], requests: number, seed: number): Promise<Asked[]> {
  const random = randomOf(seed);
  const asked: Asked[] = [];
  for (let request = 0; request < requests; request++) {
    const kind = kinds[random(kinds.length)] as RequestKind;
    const { status, ms } = await client.get(kind.paths[random(kind.paths.length)] as string);
    asked.push({ kind: kind.name, status, ms });
  }
  return asked;
}

async function watchHealth(client: Client, into: Asked[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { status, ms } = await client.get('/health');
    // A daemon that records nothing says that it failed; it answers all the same.
    into.push({ kind: 'health', status: status === 503 ? 200 : status, ms });
    await sleep(HEALTH_INTERVAL_MS);
  }
}

function resultOf(
  options: ApiBenchOptions,
  kinds: readonly RequestKind[],
  asked: readonly Asked[],
  health: readonly Asked[],
  wallS: number,
  flows: number | null,
): CaseResult {
  const one = (name: string, better: Metric['better'], value: number): Metric => summarize(name, better, [rounded(value)]);
  const all = sortedMs(asked);
  const searches = sortedMs(asked.filter(({ kind }) => kind === 'search'));
  const healthMs = sortedMs(health);
  const refused = asked.filter((each) => !isGood(each));
  const statuses = [...new Set(refused.map(({ status }) => status))].map(
    (status) => `${refused.filter((each) => each.status === status).length} times ${status || 'no answer'}`,
  );
  const slowest = kinds
    .map(({ name }) => ({ name, ms: percentile(sortedMs(asked.filter(({ kind }) => kind === name)), 0.95) }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, SLOWEST_SHOWN)
    .map(({ name, ms }) => `${name} ${rounded(ms)}`);
  return {
    case: 'api',
    values: {
      users: options.users,
      requests_per_user: options.requests,
      endpoints: kinds.length,
      ...(flows !== null && { flows }),
    },
    metrics: [
      one('answered_percent', 'higher', (100 * asked.filter(isGood).length) / asked.length),
      one('answer_p50_ms', 'lower', percentile(all, 0.5)),
      one('answer_p95_ms', 'lower', percentile(all, 0.95)),
      one('answer_p99_ms', 'lower', percentile(all, 0.99)),
      one('search_p95_ms', 'lower', percentile(searches, 0.95)),
      one('health_p50_ms', 'lower', percentile(healthMs, 0.5)),
      one('health_p99_ms', 'lower', percentile(healthMs, 0.99)),
      one('answers_per_s', 'higher', asked.length / wallS),
    ],
    result_hash: null,
    notes: [
      `slowest by p95, ms: ${slowest.join(', ')}`,
      `${health.filter(isGood).length} of ${health.length} looks at /health were answered`,
      ...(statuses.length > 0 ? [`not answered: ${statuses.join(', ')}`] : []),
    ],
  };
}
