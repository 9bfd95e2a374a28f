import { AppError } from '../../src/errors.js';
import type { CaptureParameters } from '../generate/packets.js';
import { type Rate, rateOf } from '../live/options.js';
import { type BenchFlags, numberWithin, parametersOf, textFlag } from '../options.js';

/** Packets that a daemon captures while it is asked. */
export interface ApiLoad {
  /** While the users ask. */
  readonly rate: Rate;
  /** While only /health is watched, and for how long. */
  readonly flood: Rate;
  readonly floodSeconds: number;
  /** Flows of the kept history over which the daemon runs. */
  readonly historyFlows: number;
}

/** What `flowberry bench api` is to do. */
export interface ApiBenchOptions {
  /** A daemon that runs; null: an API of its own over a database. */
  readonly url: URL | null;
  /** File with the token of that daemon, or null. */
  readonly tokenFile: string | null;
  /** Database for an API of its own; null: one that is made of a generated capture. */
  readonly database: string | null;
  readonly capture: CaptureParameters;
  /** Users that ask at the same time, each one request after the other. */
  readonly users: number;
  /** Requests of each user. */
  readonly requests: number;
  /** How long a user looks at an answer on average, ms; 0: each asks again at once. */
  readonly pauseMs: number;
  /** A daemon of the bench that captures meanwhile; null: nobody captures. */
  readonly load: ApiLoad | null;
  readonly json: boolean;
}

const USERS = 50;
const USERS_MAX = 200;
const REQUESTS = 100;
const REQUESTS_MAX = 100_000;
const PAUSE_MS_MAX = 600_000;
const STANDARD = { packets: 500_000, flows: 100_000 };
/** The sender holds the capture in memory. */
const STANDARD_SENT = { packets: 200_000, flows: 20_000 };
const HISTORY_FLOWS = 10_000_000;
const HISTORY_FLOWS_MAX = 100_000_000;
const FLOOD_SECONDS = 10;
const FLOOD_SECONDS_MAX = 3_600;

function loadOf(flags: BenchFlags): ApiLoad | null {
  const rate = textFlag(flags, 'rate');
  const lone = ['flood', 'seconds', 'history'].find((name) => rate === null && flags[name] !== undefined);
  if (lone !== undefined) throw new AppError('USAGE', `--${lone} goes with --rate`);
  if (rate === null) return null;
  const other = ['url', 'db'].find((name) => flags[name] !== undefined);
  if (other !== undefined) throw new AppError('USAGE', `--rate is for a daemon of the bench; it does not go with --${other}`);
  return {
    rate: rateOf(rate),
    flood: rateOf(textFlag(flags, 'flood') ?? 'top'),
    floodSeconds: numberWithin<number>(flags, 'seconds', FLOOD_SECONDS, 1, FLOOD_SECONDS_MAX),
    historyFlows: numberWithin<number>(flags, 'history', HISTORY_FLOWS, 1, HISTORY_FLOWS_MAX),
  };
}

/** Checks the flags. Throws `USAGE` with what is wrong. */
export function apiBenchOptionsOf(flags: BenchFlags): ApiBenchOptions {
  const given = textFlag(flags, 'url');
  const url = given === null || !URL.canParse(given) ? null : new URL(given);
  if (given !== null && url?.protocol !== 'http:') throw new AppError('USAGE', `--url ${given} is no http address`);
  const database = textFlag(flags, 'db');
  if (url && database !== null) throw new AppError('USAGE', '--db is for an API of the bench; --url names one that runs');
  const load = loadOf(flags);
  return {
    url,
    tokenFile: textFlag(flags, 'tokenFile'),
    database,
    capture: parametersOf(flags, load ? STANDARD_SENT : STANDARD),
    users: numberWithin<number>(flags, 'users', USERS, 1, USERS_MAX),
    requests: numberWithin<number>(flags, 'requests', REQUESTS, 1, REQUESTS_MAX),
    pauseMs: numberWithin<number>(flags, 'pause', 0, 0, PAUSE_MS_MAX),
    load,
    json: flags['json'] === true,
  };
}
