import { readFileSync } from 'node:fs';
import { readMachine } from '../machine.js';
import type { Progress } from '../programs/run-programs.js';
import { type BenchReport, type CaseResult, REPORT_FORMAT } from '../result.js';
import { identify } from '../run-bench.js';
import { answerMetrics, answerNotes, healthMetrics, healthNote } from './asked.js';
import { runLoadedApi } from './loaded-api.js';
import type { ApiBenchOptions } from './options.js';
import { openOwnApi } from './own-api.js';
import { type AskedRange, requestKinds } from './requests.js';
import { Users } from './users.js';

/** What a daemon that runs is asked about. */
const LIVE_RANGE: AskedRange = { since: '24h', until: 'now' };

/** Has users ask for everything that the API has, in random order, and looks at /health meanwhile. */
export async function runApiBench(options: ApiBenchOptions, progress: Progress): Promise<BenchReport> {
  const started = new Date().toISOString();
  const results = options.load ? await runLoadedApi(options, options.load, progress) : [await runQuietApi(options, progress)];
  return { format: REPORT_FORMAT, ...identify(), started, machine: readMachine(), input: null, results, skipped: [] };
}

/** An API of the bench, or that of a daemon that somebody has started. */
async function runQuietApi(options: ApiBenchOptions, progress: Progress): Promise<CaseResult> {
  const own = options.url === null ? await openOwnApi(options, progress) : null;
  const token = options.tokenFile === null ? null : readFileSync(options.tokenFile, 'utf8').trim();
  const users = new Users(own?.url ?? (options.url as URL), token);
  try {
    const kinds = await requestKinds(users.newClient(), [own?.range ?? LIVE_RANGE]);
    progress(`${options.users} users, ${options.requests} requests each, over ${kinds.length} endpoints`);
    const { asked, health, wallS } = await users.ask(options, kinds);
    return {
      case: 'api',
      values: {
        users: options.users,
        requests_per_user: options.requests,
        pause_ms: options.pauseMs,
        endpoints: kinds.length,
        ...(own && { flows: own.flows }),
      },
      metrics: [...answerMetrics(asked, wallS), ...healthMetrics(health)],
      result_hash: null,
      notes: [...answerNotes(asked), healthNote(health)],
    };
  } finally {
    users.close();
    await own?.close();
  }
}
