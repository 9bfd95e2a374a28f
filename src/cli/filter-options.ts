import type { Command } from 'commander';
import { AppError } from '../errors.js';
import { DEVICE_HELP } from '../store/reader/device-help.js';
import type { DnsFilter } from '../store/reader/dns-search.js';
import type { FlowFilter } from '../store/reader/flow-filter.js';
import type { PageInput } from '../store/reader/flow-search.js';
import { PROTOCOLS } from '../store/reader/protocols.js';
import { momentOf } from './moment.js';
import type { Flags } from './options.js';

/** How far back is looked where no time is given. */
const SINCE_DEFAULT = '1h';

/** What every command that can be asked about one device has. */
export const DEVICE_FLAG = ['--device <device>', DEVICE_HELP] as const;

/** Adds the flags that say which rows are asked for, by time and by who took part. */
function addCommonFilters(command: Command, since: string): Command {
  return command
    .option('--address <ip>', 'of either side')
    .option('--net <network>', 'such as 10.0.0.0/8 or fe80::/10, of either side')
    .option(...DEVICE_FLAG)
    .option('--name <name>', 'exactly, or *.example.com for all names below it')
    .option('--since <time>', `30s, 10min, 1h, 7d, 2w ago, an ISO date, or all (default ${since})`)
    .option('--until <time>', 'as --since (default now)');
}

/** Adds the flags of a `FlowFilter`. `since` is what counts where no time is given. */
export function addFlowFilters(command: Command, since = SINCE_DEFAULT): Command {
  return addCommonFilters(command, since)
    .option('--port <number>', 'of either side')
    .option('--protocol <protocol>', `number, or ${Object.keys(PROTOCOLS).join(', ')}`)
    .option('--application <name>', 'such as tls, dns, ssh')
    .option('--interface <name>', 'that the flow was seen on')
    .option('--vlan <id>', 'VLAN id')
    .option('--end-reason <reason>', 'such as tcp_fin, idle_timeout')
    .option('--bytes-min <bytes>', 'IP bytes of both directions together');
}

export function addDnsFilters(command: Command): Command {
  return addCommonFilters(command, SINCE_DEFAULT).option('--code <code>', 'such as NXDOMAIN; none for queries without an answer');
}

/** Adds the flags that say how much is printed, and how. */
export function addPageFlags(command: Command): Command {
  return command
    .option('--limit <rows>', 'rows at most, up to 1000 (default 100)')
    .option('--cursor <cursor>', 'go on where an earlier answer ended')
    .option('--oldest-first', 'in the order of time')
    .option('--json', 'print one JSON object')
    .option('--csv', 'print comma-separated values');
}

/** What the flags say about the rows. `nowUs` is the wall clock. Throws `USAGE`; values are checked by the search. */
export function flowFilterOf(flags: Flags, nowUs: number, since = SINCE_DEFAULT): FlowFilter {
  const { protocol } = flags;
  return {
    ...commonFilterOf(flags, nowUs, since),
    ...numbersOf(flags, ['port', 'vlan', 'bytesMin']),
    ...textsOf(flags, ['application', 'interface', 'endReason']),
    ...(typeof protocol === 'string' && {
      protocol: Object.hasOwn(PROTOCOLS, protocol.toLowerCase())
        ? (PROTOCOLS[protocol.toLowerCase()] as number)
        : numberOf('protocol', protocol),
    }),
  };
}

export function dnsFilterOf(flags: Flags, nowUs: number): DnsFilter {
  return { ...commonFilterOf(flags, nowUs, SINCE_DEFAULT), ...textsOf(flags, ['code']) };
}

/** What the flags say about the page. */
export function pageOf(flags: Flags): PageInput {
  return { ...numbersOf(flags, ['limit']), ...textsOf(flags, ['cursor']), ...(flags['oldestFirst'] && { order: 'oldest' }) };
}

/** How the flags want the answer printed. Throws `USAGE` for two ways at once. */
export function formatOf(flags: Flags): 'table' | 'json' | 'csv' {
  if (flags['json'] && flags['csv'])
    throw new AppError('USAGE', '--json and --csv are two forms of one answer; give one of them');
  return flags['json'] ? 'json' : flags['csv'] ? 'csv' : 'table';
}

function commonFilterOf(flags: Flags, nowUs: number, since: string) {
  const sinceUs = timeOf('since', flags['since'] ?? since, nowUs);
  const untilUs = flags['until'] === undefined ? null : timeOf('until', flags['until'], nowUs);
  if (sinceUs !== null && untilUs !== null && untilUs <= sinceUs)
    throw new AppError('USAGE', '--until is not later than --since');
  return {
    ...textsOf(flags, ['address', 'net', 'device', 'name']),
    ...(sinceUs !== null && { sinceUs }),
    ...(untilUs !== null && { untilUs }),
  };
}

/** A time as people give it, µs since 1970; null for all times. */
function timeOf(flag: string, text: string | boolean, nowUs: number): number | null {
  return text === 'all' ? null : momentOf(flag, text, nowUs);
}

function flagOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function numberOf(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new AppError('USAGE', `--${flagOf(name)} ${text} is no number`);
  return Number(text);
}

function numbersOf<N extends string>(flags: Flags, names: readonly N[]): { readonly [K in N]?: number } {
  const given = names.filter((name) => typeof flags[name] === 'string');
  return Object.fromEntries(given.map((name) => [name, numberOf(name, flags[name] as string)])) as { [K in N]?: number };
}

function textsOf<N extends string>(flags: Flags, names: readonly N[]): { readonly [K in N]?: string } {
  const given = names.filter((name) => typeof flags[name] === 'string');
  return Object.fromEntries(given.map((name) => [name, flags[name]])) as { [K in N]?: string };
}
