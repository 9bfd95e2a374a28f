import { AppError } from '../../src/errors.js';
import type { CaptureParameters } from '../generate/packets.js';
import { type BenchFlags, numberWithin, parametersOf, textFlag } from '../options.js';

/** Who sends: the sender of this bench, or tcpreplay. */
export type SenderName = 'own' | 'tcpreplay';

/** Packets per second, or `top`: as fast as the sender can. */
export type Rate = number | 'top';

/** What `flowberry bench live` is to do. */
export interface LiveOptions {
  /** Capture file instead of a generated one. */
  readonly file: string | null;
  readonly capture: CaptureParameters;
  readonly rates: readonly Rate[];
  /** Length of a run; `count`, where it is given, ends a run after so many packets instead. */
  readonly seconds: number;
  readonly count: number | null;
  readonly sender: SenderName;
  /** Names of the programs to run; null for all. */
  readonly only: readonly string[] | null;
  /** Length of a soak in minutes; null for stepped rates. */
  readonly soakMinutes: number | null;
  readonly json: boolean;
}

const DEFAULT_RATES = '10k,50k,100k,200k,top';
const DEFAULT_SECONDS = 10;
const DEFAULT_SOAK_RATE = '5k';
const SECONDS_MAX = 86_400;
const SOAK_MINUTES_MAX = 7 * 24 * 60;
const RATE_MAX = 100_000_000;
/** The sender holds the capture in memory. */
const STANDARD = { packets: 200_000, flows: 20_000 };

/** `10k`, `2500`, `1M` or `top`. Throws `USAGE`. */
export function rateOf(text: string): Rate {
  if (text === 'top') return 'top';
  const match = /^(\d{1,9})([kM]?)$/.exec(text);
  const rate = match ? Number(match[1]) * (match[2] === 'k' ? 1e3 : match[2] === 'M' ? 1e6 : 1) : 0;
  if (rate < 1 || rate > RATE_MAX)
    throw new AppError('USAGE', `${text} is no rate: packets per second such as 2500, 10k, or top`);
  return rate;
}

/** Checks the flags. Throws `USAGE` with what is wrong. */
export function liveOptionsOf(flags: BenchFlags, programNames: readonly string[]): LiveOptions {
  const file = textFlag(flags, 'file');
  if (file !== null && (flags['packets'] !== undefined || flags['flows'] !== undefined))
    throw new AppError('USAGE', '--packets and --flows describe a generated capture; they do not go with --file');
  const soakMinutes = numberWithin(flags, 'soak', null, 1, SOAK_MINUTES_MAX);
  if (soakMinutes !== null && flags['rates'] !== undefined)
    throw new AppError('USAGE', '--soak goes with --rate, one rate for the whole time');
  if (soakMinutes === null && flags['rate'] !== undefined)
    throw new AppError('USAGE', '--rate goes with --soak; --rates takes several');
  const rates =
    soakMinutes === null ? (textFlag(flags, 'rates') ?? DEFAULT_RATES) : (textFlag(flags, 'rate') ?? DEFAULT_SOAK_RATE);
  const sender = textFlag(flags, 'sender') ?? 'own';
  if (sender !== 'own' && sender !== 'tcpreplay') throw new AppError('USAGE', `--sender ${sender} is neither own nor tcpreplay`);
  const only = textFlag(flags, 'only')?.split(',') ?? null;
  const unknown = only?.find((name) => !programNames.includes(name));
  if (unknown !== undefined) throw new AppError('USAGE', `--only ${unknown}: there are ${programNames.join(', ')}`);
  return {
    file,
    capture: parametersOf(flags, STANDARD),
    rates: rates.split(',').map(rateOf),
    seconds: numberWithin<number>(flags, 'seconds', DEFAULT_SECONDS, 1, SECONDS_MAX),
    count: numberWithin(flags, 'count', null, 1, Number.MAX_SAFE_INTEGER),
    sender,
    only,
    soakMinutes,
    json: flags['json'] === true,
  };
}
