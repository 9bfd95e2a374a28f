import type { Command } from 'commander';
import { AppError } from '../errors.js';
import type { Range } from '../store/reader/analytics/answer.js';
import { momentOf } from './moment.js';
import type { Flags } from './options.js';

/** Adds the flags that say of which time the answer is; a day up to now if they are not given. */
export function addTimeFlags(command: Command): Command {
  return command
    .option('--since <time>', '10min, 1h, 7d, 2w ago, or an ISO date (default 24h)')
    .option('--until <time>', 'as --since (default now)');
}

/** The range that the flags ask for. `nowUs` is the wall clock. Throws `USAGE`. */
export function rangeOf(flags: Flags, nowUs: number): Range {
  const range = {
    fromUs: momentOf('since', flags['since'] ?? '24h', nowUs),
    toUs: momentOf('until', flags['until'] ?? '0s', nowUs),
  };
  if (range.toUs <= range.fromUs) throw new AppError('USAGE', '--until is not later than --since');
  return range;
}

/** How the flags want the answer printed. Throws `USAGE` for two ways at once. */
export function answerFormatOf(flags: Flags): 'table' | 'json' | 'csv' {
  if (flags['json'] && flags['csv'])
    throw new AppError('USAGE', '--json and --csv are two forms of one answer; give one of them');
  return flags['json'] ? 'json' : flags['csv'] ? 'csv' : 'table';
}

/** The whole number of a flag; undefined if it is not given. Throws `USAGE`. */
export function numberOf(flags: Flags, name: string): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) throw new AppError('USAGE', `--${name} ${text} is no number`);
  return Number(text);
}
