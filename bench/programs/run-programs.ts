import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../src/errors.js';
import { type CaseResult, type CaseValues, type Metric, type SkippedCase, summarize } from '../result.js';
import { makeRunDirectory, removeRunDirectory } from '../temporary.js';
import type { Program } from './program.js';
import { commandLine, type ProgramTiming, timeProgram } from './time-program.js';

/** Name of the case that runs flowberry itself; the others are its peers. */
export const PIPELINE_CASE = 'pipeline';

interface Timed {
  readonly program: Program;
  readonly path: string;
  readonly timings: ProgramTiming[];
  command: string;
  /** Why its runs do not count, once one has failed. */
  failure: string | null;
}

/** Says what is being run. */
export type Progress = (line: string) => void;

/**
 * Runs of all programs on one file, each in turn, so that whatever slows the machine for a while slows all of them. A peer that
 * fails is not run again; flowberry's own failure is thrown.
 */
async function timeInTurn(timed: readonly Timed[], file: string, runs: number, progress: Progress): Promise<void> {
  const base = makeRunDirectory();
  try {
    for (let run = 1; run <= runs; run++) {
      for (const each of timed) {
        if (each.failure !== null) continue;
        progress(`${each.program.name}, run ${run} of ${runs}`);
        const directory = join(base, each.program.name);
        mkdirSync(directory);
        try {
          await timeOnce(each, file, directory);
        } catch (error) {
          if (each === timed[0]) throw error;
          each.failure = AppError.from(error).message;
        }
        removeRunDirectory(directory);
      }
    }
  } finally {
    removeRunDirectory(base);
  }
}

async function timeOnce(timed: Timed, file: string, directory: string): Promise<void> {
  const run = await timed.program.prepare(timed.path, file, directory);
  timed.command = commandLine(run);
  timed.timings.push(await timeProgram(run));
}

/** One metric over all runs; nothing when a run has no such figure. */
function metric(
  name: string,
  better: Metric['better'],
  timings: readonly ProgramTiming[],
  figure: (timing: ProgramTiming) => number | null,
): Metric[] {
  const samples = timings.map(figure).filter((value) => value !== null);
  return samples.length === timings.length ? [summarize(name, better, samples)] : [];
}

function metricsOf(timings: readonly ProgramTiming[], packets: number, flows: number | null, isOwn: boolean): Metric[] {
  const lower = isOwn ? 'lower' : null;
  const stages = Object.keys(timings[0]?.figures.cpuNsByStage ?? {});
  return [
    ...metric('wall_s', lower, timings, ({ wallS }) => wallS),
    ...metric('cpu_s', lower, timings, ({ cpuS }) => cpuS),
    ...metric('rss_bytes_max', lower, timings, ({ rssBytes }) => rssBytes),
    ...metric('packets_per_s', null, timings, ({ wallS }) => packets / wallS),
    ...metric('flows_per_s', null, timings, ({ figures, wallS }) =>
      flows === null || figures.flows === null ? null : flows / wallS,
    ),
    ...metric(isOwn ? 'rows_per_s' : 'flow_records_per_s', null, timings, ({ figures, wallS }) =>
      figures.flows === null ? null : figures.flows / wallS,
    ),
    ...metric('wall_ns_per_packet', null, timings, ({ wallS }) => (wallS * 1e9) / packets),
    ...stages.flatMap((stage) =>
      metric(`${stage}_cpu_ns_per_packet`, null, timings, ({ figures }) => (figures.cpuNsByStage?.[stage] ?? 0) / packets),
    ),
    ...metric(isOwn ? 'rows' : 'flow_records', null, timings, ({ figures }) => figures.flows),
    ...metric('flows_evicted', null, timings, ({ figures }) => figures.evicted),
    ...metric('packets_dropped', null, timings, ({ figures }) => figures.dropped),
    ...metric('stored_bytes', null, timings, ({ figures }) => figures.storedBytes),
  ];
}

/** Adds how often flowberry fits into a peer's time. */
function withRatio(metrics: readonly Metric[], own: readonly Metric[]): Metric[] {
  const ratio = (metrics[0] as Metric).median / (own[0] as Metric).median;
  return [...metrics, summarize('wall_over_flowberry', null, [ratio])];
}

/** What is run, and on what. */
export interface ProgramPlan {
  readonly own: Program;
  readonly peers: readonly Program[];
  readonly file: string;
  /** Describes the file, for comparisons. */
  readonly values: CaseValues;
  /** Flows that the file is known to hold. */
  readonly flows: number | null;
  readonly runs: number;
}

/** Times flowberry and those peers that are installed; the others are named as skipped. The first result is flowberry's. */
export async function runPrograms(
  plan: ProgramPlan,
  progress: Progress,
): Promise<{ results: CaseResult[]; skipped: SkippedCase[] }> {
  const timed: Timed[] = [];
  const skipped: SkippedCase[] = [];
  for (const program of [plan.own, ...plan.peers]) {
    const path = program.find();
    if (path === null) skipped.push({ case: program.name, reason: `${program.name} is not installed` });
    else timed.push({ program, path, timings: [], command: '', failure: null });
  }
  await timeInTurn(timed, plan.file, plan.runs, progress);
  const [own, ...peers] = timed as [Timed, ...Timed[]];
  const packets = own.timings[0]?.figures.packets ?? 0;
  const result = ownResult(own, plan, packets);
  const results = [result];
  for (const peer of peers) {
    if (peer.failure === null) results.push(peerResult(peer, plan, packets, result.metrics));
    else skipped.push({ case: peer.program.name, reason: peer.failure });
  }
  return { results, skipped };
}

function ownResult({ program, timings, command }: Timed, { values, flows }: ProgramPlan, packets: number): CaseResult {
  const metrics = metricsOf(timings, packets, flows, true);
  const hash = timings[0]?.figures.resultHash ?? null;
  return { case: PIPELINE_CASE, values, metrics, result_hash: hash, command, notes: [program.work] };
}

function peerResult(peer: Timed, { values, flows }: ProgramPlan, packets: number, own: readonly Metric[]): CaseResult {
  const { program, timings, command } = peer;
  const counted = timings[0]?.figures.packets ?? packets;
  const notes = counted === packets ? [program.work] : [program.work, `it counted ${counted} packets, flowberry ${packets}`];
  const metrics = withRatio(metricsOf(timings, packets, flows, false), own);
  return { case: program.name, values, metrics, result_hash: null, command, notes };
}
