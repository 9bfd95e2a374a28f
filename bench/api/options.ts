import { AppError } from '../../src/errors.js';
import type { CaptureParameters } from '../generate/packets.js';
import { type BenchFlags, numberFlag, parametersOf, textFlag } from '../options.js';

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
  readonly json: boolean;
}

const USERS = 50;
const USERS_MAX = 200;
const REQUESTS = 100;
const REQUESTS_MAX = 100_000;
const STANDARD = { packets: 500_000, flows: 100_000 };

function within(flags: BenchFlags, name: string, standard: number, max: number): number {
  const value = numberFlag(flags, name) ?? standard;
  if (value < 1 || value > max) throw new AppError('USAGE', `--${name} ${value} is not from 1 to ${max}`);
  return value;
}

/** Checks the flags. Throws `USAGE` with what is wrong. */
export function apiBenchOptionsOf(flags: BenchFlags): ApiBenchOptions {
  const given = textFlag(flags, 'url');
  const url = given === null || !URL.canParse(given) ? null : new URL(given);
  if (given !== null && url?.protocol !== 'http:') throw new AppError('USAGE', `--url ${given} is no http address`);
  const database = textFlag(flags, 'db');
  if (url && database !== null) throw new AppError('USAGE', '--db is for an API of the bench; --url names one that runs');
  return {
    url,
    tokenFile: textFlag(flags, 'tokenFile'),
    database,
    capture: parametersOf(flags, STANDARD),
    users: within(flags, 'users', USERS, USERS_MAX),
    requests: within(flags, 'requests', REQUESTS, REQUESTS_MAX),
    json: flags['json'] === true,
  };
}
