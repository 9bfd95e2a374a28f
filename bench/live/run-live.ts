import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../src/errors.js';
import { readMachine } from '../machine.js';
import type { Progress } from '../programs/run-programs.js';
import type { SkippedCase } from '../result.js';
import { type BenchInput, identify, openInput } from '../run-bench.js';
import { removeRunDirectory } from '../temporary.js';
import { liveFlowberry } from './live-flowberry.js';
import { LIVE_PEERS } from './live-peers.js';
import type { LiveProgram } from './live-program.js';
import { LIVE_REPORT_FORMAT, type LiveReport, type LiveResult, losslessRates, type SoakResult } from './live-result.js';
import type { LiveOptions, Rate } from './options.js';
import { Rig } from './rig.js';
import { type RunOutcome, runOnce } from './run-once.js';
import { loadSender, type Sending } from './senders.js';
import { soak } from './soak.js';

const SOAKED = liveFlowberry('afpacket');
const PROGRAMS: readonly LiveProgram[] = [SOAKED, liveFlowberry('cap'), ...LIVE_PEERS];

/** Every program that `--only` can name. */
export const LIVE_PROGRAM_NAMES: readonly string[] = PROGRAMS.map(({ name }) => name);

function sendingOf({ seconds, count }: LiveOptions, file: string, rate: Rate): Sending {
  return { file, packetsPerS: rate === 'top' ? null : rate, seconds, count };
}

/** What a run came to, as it is reported. */
function resultOf(program: LiveProgram, rate: Rate, outcome: RunOutcome): LiveResult {
  const { sent, counts, cpuUs, stageCpuUs } = outcome;
  const perPacket = (us: number): number => us / Math.max(1, counts.received);
  return {
    program: program.name,
    work: program.work,
    command: outcome.command,
    rate,
    sent: sent.packets,
    sent_per_s: sent.packets / sent.seconds,
    arrived: outcome.arrived,
    received: counts.received,
    kernel_dropped: counts.kernelDropped,
    own_dropped: counts.ownDropped,
    stored: counts.stored,
    lost: sent.packets - counts.stored - counts.ignored,
    rows: counts.rows,
    cpu_us_per_packet: perPacket(cpuUs),
    stage_cpu_us_per_packet:
      stageCpuUs && Object.fromEntries(Object.entries(stageCpuUs).map(([stage, us]) => [stage, perPacket(us)])),
    cores_used: outcome.cpuWhileSendingUs / (sent.seconds * 1e6),
    rss_bytes_max: outcome.rssBytes,
    load_average: outcome.loadAverage,
    ledger: counts.ledger,
  };
}

interface Chosen {
  readonly programs: readonly LiveProgram[];
  readonly skipped: SkippedCase[];
}

/** The programs that can run here. Throws `USAGE` when there is none. */
async function choose({ only }: LiveOptions): Promise<Chosen> {
  const programs: LiveProgram[] = [];
  const skipped: SkippedCase[] = [];
  for (const program of PROGRAMS) {
    if (only !== null && !only.includes(program.name)) continue;
    const reason = await program.obstacle();
    if (reason === null) programs.push(program);
    else skipped.push({ case: program.name, reason });
  }
  if (programs.length > 0) return { programs, skipped };
  throw new AppError('USAGE', `--only: ${skipped.map((each) => each.reason).join(', ')}`);
}

/** The programs beginning with another one at each rate, so that none always has the machine as the others leave it. */
const rotated = <T>(items: readonly T[], by: number): T[] => items.map((_, index) => items[(index + by) % items.length] as T);

/** All programs at all rates, one after the other. A peer that fails is named and not run again; flowberry's failure is thrown. */
async function runRates(
  rig: Rig,
  input: BenchInput,
  options: LiveOptions,
  chosen: Chosen,
  progress: Progress,
): Promise<LiveResult[]> {
  const results: LiveResult[] = [];
  const failed = new Set<LiveProgram>();
  for (const [index, rate] of options.rates.entries()) {
    for (const program of rotated(chosen.programs, index)) {
      if (failed.has(program)) continue;
      progress(`${program.name} at ${rate}${rate === 'top' ? ' speed' : ' packets/s'}`);
      const directory = join(rig.directory, program.name);
      mkdirSync(directory);
      try {
        const sender = await loadSender(rig, options.sender, sendingOf(options, input.description.path, rate));
        results.push(resultOf(program, rate, await runOnce(rig, program, directory, sender)));
      } catch (error) {
        if (program.name.startsWith('flowberry') || error instanceof AppError) throw asRunFailed(error);
        failed.add(program);
        chosen.skipped.push({ case: program.name, reason: (error as Error).message });
      }
      removeRunDirectory(directory);
    }
  }
  return results;
}

function asRunFailed(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError('BENCH_RUN_FAILED', (error as Error).message, { cause: error });
}

async function runSoak(
  rig: Rig,
  input: BenchInput,
  options: LiveOptions,
  minutes: number,
  progress: Progress,
): Promise<SoakResult> {
  const rate = options.rates[0] as Rate;
  const seconds = minutes * 60;
  progress(`${SOAKED.name} for ${minutes} minutes at ${rate} packets/s`);
  try {
    const sending = { ...sendingOf(options, input.description.path, rate), seconds, count: null };
    return await soak(rig, SOAKED, await loadSender(rig, options.sender, sending), minutes);
  } catch (error) {
    throw asRunFailed(error);
  }
}

/** Runs what is asked for. Throws `AppError`; the rig is gone in any case. */
export async function runLive(options: LiveOptions, progress: Progress): Promise<LiveReport> {
  const rig = new Rig();
  try {
    const input = openInput(options, progress);
    const started = new Date().toISOString();
    const chosen = options.soakMinutes === null ? await choose(options) : { programs: [], skipped: [] };
    const results = await runRates(rig, input, options, chosen, progress);
    return {
      format: LIVE_REPORT_FORMAT,
      ...identify(),
      started,
      machine: readMachine(),
      input: input.description,
      sender: options.sender,
      results,
      lossless_per_s: losslessRates(results),
      soak: options.soakMinutes === null ? null : await runSoak(rig, input, options, options.soakMinutes, progress),
      skipped: chosen.skipped,
    };
  } finally {
    rig.delete();
  }
}
