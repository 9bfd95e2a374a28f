import { constants, copyFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { captureMetrics } from '../live/capture-metrics.js';
import { API_URL, DATABASE_NAME, liveFlowberry } from '../live/live-flowberry.js';
import type { Rate } from '../live/options.js';
import { Rig } from '../live/rig.js';
import { type RunOutcome, runOnce } from '../live/run-once.js';
import { loadSender } from '../live/senders.js';
import type { Progress } from '../programs/run-programs.js';
import { HISTORY_DAYS, HISTORY_START_MS, openHistory } from '../query/history.js';
import type { CaseResult } from '../result.js';
import { openInput } from '../run-bench.js';
import { type Asked, answerMetrics, answerNotes, healthMetrics, healthNote } from './asked.js';
import type { ApiBenchOptions, ApiLoad } from './options.js';
import { type AskedRange, type RequestKind, requestKinds } from './requests.js';
import { type Asking, Users } from './users.js';

/** The history is old: nothing may be deleted of it, whatever the machine has. */
const KEEPING = ['flows-days', 'minutes-days', 'hours-days', 'free-bytes-min'].flatMap((name) => [`--retention-${name}`, '0']);
const FILE_BYTES_MAX = ['--retention-file-bytes-max', '1000000000000'];

const DAY_MS = 86_400_000;
const LOOK_MS = 100;
const FIRST_ROWS_DEADLINE_MS = 60_000;
/** Longer than any users take; they end it. */
const SECONDS_MAX = 86_400;

/** So many days of the history, from a day on. */
function historyRange(firstDay: number, days: number): AskedRange {
  const us = (day: number): string => String((HISTORY_START_MS + day * DAY_MS) * 1000);
  return { since: us(firstDay), until: us(firstDay + days) };
}

/** What the users want to know: of now, and of the history in small and in large. */
const RANGES: readonly AskedRange[] = [
  { since: '15m', until: 'now' },
  { since: '24h', until: 'now' },
  historyRange(HISTORY_DAYS - 1, 1),
  historyRange(10, 7),
  historyRange(0, HISTORY_DAYS),
];

/**
 * A daemon over a copy of the kept history while packets come in: first at a rate while users ask, then at a rate or at the sender's top
 * speed while only /health is watched. Each is a run of `bench live`, with its check of kernel, ledger and database.
 */
export async function runLoadedApi(options: ApiBenchOptions, load: ApiLoad, progress: Progress): Promise<CaseResult[]> {
  const history = openHistory(load.historyFlows, progress, tmpdir());
  const rig = new Rig();
  try {
    const { description } = openInput({ file: null, capture: options.capture }, progress);
    progress('copying the history');
    copyFileSync(history, join(rig.directory, DATABASE_NAME), constants.COPYFILE_FICLONE);
    const program = liveFlowberry('afpacket', [...KEEPING, ...FILE_BYTES_MAX]);
    const run = async <T>(rate: Rate, work: (users: Users) => Promise<T>): Promise<Loaded<T>> => {
      const sending = { file: description.path, packetsPerS: rate === 'top' ? null : rate, seconds: SECONDS_MAX, count: null };
      const sender = await loadSender(rig, 'own', sending);
      let done: Promise<T> | undefined;
      const outcome = await runOnce(rig, program, rig.directory, sender, () => {
        const users = new Users(new URL(API_URL), null);
        done = work(users);
        return { done, stop: () => users.close() };
      });
      return { outcome, seen: (await done) as T };
    };
    progress(`${options.users} users, ${options.requests} requests each, at ${load.rate} packets/s`);
    const asked = await run(load.rate, (users) => askAll(users, options));
    progress(`/health at ${load.flood} packets/s`);
    const flooded = await run(load.flood, (users) => users.watchHealth(AbortSignal.timeout(load.floodSeconds * 1000)));
    return [usersResult(options, load, asked), floodResult(load, flooded)];
  } finally {
    rig.delete();
  }
}

/** A run of the daemon, and what was seen of its API meanwhile. */
interface Loaded<T> {
  readonly outcome: RunOutcome;
  readonly seen: T;
}

interface LoadedAsking extends Asking {
  readonly kinds: readonly RequestKind[];
}

async function askAll(users: Users, options: ApiBenchOptions): Promise<LoadedAsking> {
  const client = users.newClient();
  const endMs = performance.now() + FIRST_ROWS_DEADLINE_MS;
  // What the users ask for is made of rows, so there must be some of now.
  for (let rows = 0; rows === 0 && performance.now() < endMs; await sleep(LOOK_MS)) {
    const { status, body } = await client.get('/api/v1/flows?since=15m&limit=50');
    if (status === 200) rows = (JSON.parse(body.toString()) as { flows: unknown[] }).flows.length;
  }
  const kinds = await requestKinds(client, RANGES);
  return { kinds, ...(await users.ask(options, kinds)) };
}

function usersResult(options: ApiBenchOptions, load: ApiLoad, { outcome, seen }: Loaded<LoadedAsking>): CaseResult {
  const { asked, health, wallS, kinds } = seen;
  return {
    case: 'api-ingest',
    values: {
      users: options.users,
      requests_per_user: options.requests,
      pause_ms: options.pauseMs,
      endpoints: kinds.length,
      flows: load.historyFlows,
      rate: load.rate,
    },
    metrics: [...answerMetrics(asked, wallS), ...healthMetrics(health), ...captureMetrics(outcome)],
    result_hash: null,
    command: outcome.command,
    notes: [...answerNotes(asked), healthNote(health)],
  };
}

function floodResult(load: ApiLoad, { outcome, seen: health }: Loaded<readonly Asked[]>): CaseResult {
  return {
    case: 'api-flood',
    values: { flows: load.historyFlows, rate: load.flood, seconds: load.floodSeconds },
    metrics: [...healthMetrics(health), ...captureMetrics(outcome)],
    result_hash: null,
    command: outcome.command,
    notes: [healthNote(health)],
  };
}
