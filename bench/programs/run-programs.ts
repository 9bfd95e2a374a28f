import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
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
}

/** Says what is being run. */
export type Progress = (line: string) => void;

/** Runs of all programs on one file, each in turn, so that whatever slows the machine for a while slows all of them. */
async function timeInTurn(timed: readonly Timed[], file: string, runs: number, progress: Progress): Promise<void> {
  const base = makeRunDirectory();
  try {
    for (let run = 1; run <= runs; run++) {
      for (const each of timed) {
        progress(`${each.program.name}, run ${run} of ${runs}`);
        const directory = join(base, each.program.name);
        mkdirSync(directory);
        const prepared = await each.program.prepare(each.path, file, directory);
        each.command = commandLine(prepared);
        each.timings.push(await timeProgram(prepared, each.program.threadPrefix ?? null));
        removeRunDirectory(directory);
      }
    }
  } finally {
    removeRunDirectory(base);
  }
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

const per = (count: number | null, seconds: number): number | null => (count === null ? null : count / seconds);

function metricsOf(timings: readonly ProgramTiming[], packets: number, isOwn: boolean): Metric[] {
  const lower = isOwn ? 'lower' : null;
  const threads = [...new Set(timings.flatMap((timing) => [...timing.cpuNsByThread.keys()]))];
  return [
    ...metric('wall_s', lower, timings, ({ wallS }) => wallS),
    ...metric('cpu_s', lower, timings, ({ cpuS }) => cpuS),
    ...metric('rss_bytes_max', lower, timings, ({ rssBytes }) => rssBytes),
    ...metric('packets_per_s', null, timings, ({ wallS }) => packets / wallS),
    ...metric(isOwn ? 'rows_per_s' : 'flow_records_per_s', null, timings, ({ figures, wallS }) => per(figures.flows, wallS)),
    ...metric('wall_ns_per_packet', null, timings, ({ wallS }) => (wallS * 1e9) / packets),
    ...threads.flatMap((thread) =>
      metric(`${thread}_cpu_ns_per_packet`, null, timings, ({ cpuNsByThread }) => (cpuNsByThread.get(thread) ?? 0) / packets),
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
    else timed.push({ program, path, timings: [], command: '' });
  }
  await timeInTurn(timed, plan.file, plan.runs, progress);
  const own = timed[0] as Timed;
  const packets = own.timings[0]?.figures.packets ?? 0;
  const ownMetrics = metricsOf(own.timings, packets, true);
  const results = timed.map((each): CaseResult => {
    const isOwn = each === own;
    const counted = each.timings[0]?.figures.packets ?? null;
    const miscounted = counted !== null && counted !== packets ? [`it counted ${counted} packets, flowberry ${packets}`] : [];
    const flows = plan.flows;
    const metrics = isOwn ? ownMetrics : withRatio(metricsOf(each.timings, packets, false), ownMetrics);
    return {
      case: isOwn ? PIPELINE_CASE : each.program.name,
      values: plan.values,
      metrics: isOwn && flows !== null ? [...metrics, ...metric('flows_per_s', null, each.timings, ({ wallS }) => flows / wallS)] : metrics,
      result_hash: each.timings[0]?.figures.resultHash ?? null,
      command: each.command,
      notes: [each.program.work, ...miscounted],
    };
  });
  return { results, skipped };
}
