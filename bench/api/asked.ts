import { type Metric, single } from '../result.js';

/** One request, and what came of it. */
export interface Asked {
  /** Name of the endpoint. */
  readonly kind: string;
  /** 0: no answer. */
  readonly status: number;
  readonly ms: number;
}

const SLOWEST_SHOWN = 5;

/** The value below which so much of the sorted samples lies. */
function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

const sortedMs = (asked: readonly Asked[]): number[] => asked.map(({ ms }) => ms).sort((a, b) => a - b);
const rounded = (value: number): number => Math.round(value * 100) / 100;
const isGood = ({ status }: Asked): boolean => status === 200;

/** How many requests of the users were answered, and how fast. */
export function answerMetrics(asked: readonly Asked[], wallS: number): Metric[] {
  const all = sortedMs(asked);
  const isSearch = ({ kind }: Asked): boolean => kind === 'search';
  return [
    single('answered_percent', 'higher', (100 * asked.filter(isGood).length) / asked.length),
    single('answer_p50_ms', 'lower', percentile(all, 0.5)),
    single('answer_p95_ms', 'lower', percentile(all, 0.95)),
    single('answer_p99_ms', 'lower', percentile(all, 0.99)),
    single('search_p95_ms', 'lower', percentile(sortedMs(asked.filter(isSearch)), 0.95)),
    single('answers_per_s', 'higher', asked.length / wallS),
  ];
}

/** How fast `/health` was. */
export function healthMetrics(health: readonly Asked[]): Metric[] {
  const all = sortedMs(health);
  return [
    single('health_p50_ms', 'lower', percentile(all, 0.5)),
    single('health_p99_ms', 'lower', percentile(all, 0.99)),
    single('health_max_ms', null, all.at(-1) ?? 0),
  ];
}

/** Which endpoints were slow, and what was not answered. */
export function answerNotes(asked: readonly Asked[]): string[] {
  const kinds = [...new Set(asked.map(({ kind }) => kind))];
  const slowest = kinds
    .map((name) => ({ name, ms: percentile(sortedMs(asked.filter(({ kind }) => kind === name)), 0.95) }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, SLOWEST_SHOWN)
    .map(({ name, ms }) => `${name} ${rounded(ms)}`);
  const refused = asked.filter((each) => !isGood(each));
  const ways = [...new Set(refused.map(({ kind, status }) => `${kind} ${status || 'no answer'}`))].map(
    (way) => `${way} ${refused.filter(({ kind, status }) => way === `${kind} ${status || 'no answer'}`).length} times`,
  );
  return [`slowest by p95, ms: ${slowest.join(', ')}`, ...(ways.length > 0 ? [`not answered: ${ways.join(', ')}`] : [])];
}

/** How many looks at `/health` were answered. */
export const healthNote = (health: readonly Asked[]): string =>
  `${health.filter(isGood).length} of ${health.length} looks at /health were answered`;
