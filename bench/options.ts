import { AppError } from '../src/errors.js';
import { type CaptureParameters, parametersProblem } from './generate/packets.js';

/** Flags of `flowberry bench`, as commander hands them over. */
export type BenchFlags = Readonly<Record<string, string | boolean | undefined>>;

/** What is to be run. */
export interface BenchOptions {
  /** Capture file instead of a generated one. */
  readonly file: string | null;
  readonly capture: CaptureParameters;
  /** Runs of each whole program. */
  readonly runs: number;
  /** Names of the cases to run; null for all. */
  readonly only: readonly string[] | null;
  readonly smoke: boolean;
  readonly peers: boolean;
  readonly json: boolean;
  readonly save: string | null;
  readonly compare: string | null;
  readonly clean: boolean;
}

const FULL = { packets: 2_000_000, flows: 200_000, runs: 5 };
const SMOKE = { packets: 20_000, flows: 2_000, runs: 1 };
const PACKETS_PER_FLOW = 10;
const RUNS_MAX = 1000;
const SEED = 1;

/** The whole number that a flag gives, or null. Throws `USAGE`. */
export function numberFlag(flags: BenchFlags, name: string): number | null {
  const value = flags[name];
  if (value === undefined) return null;
  const digits = String(value).replaceAll('_', '');
  if (!/^\d{1,15}$/.test(digits)) throw new AppError('USAGE', `--${name} ${value} is no number`);
  return Number(digits);
}

/** The same from `min` to `max`, or `standard` where the flag is not given. Throws `USAGE`. */
export function numberWithin<T extends number | null>(
  flags: BenchFlags,
  name: string,
  standard: T,
  min: number,
  max: number,
): number | T {
  const value = numberFlag(flags, name);
  if (value === null) return standard;
  if (value < min || value > max) throw new AppError('USAGE', `--${name} ${value} is not from ${min} to ${max}`);
  return value;
}

/** The text that a flag gives, or null. */
export function textFlag(flags: BenchFlags, name: string): string | null {
  const value = flags[name];
  return typeof value === 'string' ? value : null;
}

/** Packets and flows of the generated capture: what is given, and the other in the usual proportion. Throws `USAGE`. */
export function parametersOf(flags: BenchFlags, standard: { packets: number; flows: number }): CaptureParameters {
  const packets = numberFlag(flags, 'packets');
  const flows = numberFlag(flags, 'flows');
  const capture = {
    packets: packets ?? (flows === null ? standard.packets : flows * PACKETS_PER_FLOW),
    flows: flows ?? (packets === null ? standard.flows : Math.max(1, Math.floor(packets / PACKETS_PER_FLOW))),
    seed: SEED,
  };
  const problem = parametersProblem(capture);
  if (problem !== null) throw new AppError('USAGE', `--packets ${capture.packets} --flows ${capture.flows}: ${problem}`);
  return capture;
}

function onlyOf(flags: BenchFlags, caseNames: readonly string[]): readonly string[] | null {
  const only = textFlag(flags, 'only')?.split(',') ?? null;
  const unknown = only?.find((name) => !caseNames.includes(name));
  if (unknown !== undefined) throw new AppError('USAGE', `--only ${unknown}: no such case; there are ${caseNames.join(', ')}`);
  return only;
}

/** Checks the flags. Throws `USAGE` with what is wrong. */
export function benchOptionsOf(flags: BenchFlags, caseNames: readonly string[], pipelineCase: string): BenchOptions {
  const smoke = flags['smoke'] === true;
  const file = textFlag(flags, 'file');
  if (file !== null && (flags['packets'] !== undefined || flags['flows'] !== undefined))
    throw new AppError('USAGE', '--packets and --flows describe a generated capture; they do not go with --file');
  const only = onlyOf(flags, caseNames);
  const peers = flags['peers'] === true;
  if (peers && only !== null && !only.includes(pipelineCase))
    throw new AppError('USAGE', `--peers are compared with the case ${pipelineCase}, which --only leaves out`);
  const runs = numberWithin<number>(flags, 'runs', smoke ? SMOKE.runs : FULL.runs, 1, RUNS_MAX);
  return {
    file,
    capture: parametersOf(flags, smoke ? SMOKE : FULL),
    runs,
    only,
    smoke,
    peers,
    json: flags['json'] === true,
    save: textFlag(flags, 'save'),
    compare: textFlag(flags, 'compare'),
    clean: flags['clean'] === true,
  };
}
