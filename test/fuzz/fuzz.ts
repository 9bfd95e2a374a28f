import { Random } from '../../bench/generate/random.js';
import type { OptionValues } from '../../src/config.js';
import { onceIn } from '../helpers/mutate.js';
import { conversation, type FuzzFrame } from './conversations.js';
import { FuzzRig } from './fuzz-rig.js';
import type { RecordSums } from './record-check.js';

/** Packets that one worker gets before its run is ended and the next begins. */
const PACKETS_PER_RUN = 10_000;
/** Packets before a finding that are tried, and kept, with it. */
const HISTORY = 256;
/** After so many findings a run is of no more use. */
const FINDINGS_MAX = 10;
const START_US = 1_700_000_000e6;

export interface FuzzOptions {
  readonly packets: number;
  readonly seed: number;
  /** Frames of real captures that take part. */
  readonly captured?: readonly FuzzFrame[];
  /** A packet that takes longer is a finding. */
  readonly stepMsMax?: number;
  /** Called before each packet, for whoever watches over the thread. */
  readonly watch?: (number: number, frame: FuzzFrame) => void;
}

/** A frame and when it was seen, µs since 1970. */
export interface TimedFrame extends FuzzFrame {
  readonly us: number;
}

export interface Finding {
  /** The packet's number, from 0; the same seed makes the same packets. */
  readonly number: number;
  readonly what: string;
  /** Those that bring it about; the last one is the packet itself. */
  readonly frames: readonly TimedFrame[];
}

/** What came of a run. */
export interface FuzzReport extends RecordSums {
  /** Packets that were fed. */
  readonly fed: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
  /** Longest time that one packet took. */
  readonly stepMsMax: number;
}

/** Settings of the runs, in turn. */
const SETTINGS: readonly (readonly [flowsMax: number, options: OptionValues])[] = [
  [1000, { 'names.http-path': true }],
  [100, { 'flow.key-vlan': true }],
  [1000, { 'flow.decap': false }],
  [200, { 'flow.join-fragments': false, 'flow.idle-udp-s': 1, 'flow.active-s': 2 }],
];

function newRig(run: number): FuzzRig {
  const [flowsMax, options] = SETTINGS[run % SETTINGS.length] as (typeof SETTINGS)[number];
  return new FuzzRig(flowsMax, options);
}

/** Time passes by milliseconds; now and then it jumps beyond every timeout, or goes back. */
function nextUs(random: Random, us: number): number {
  if (onceIn(random, 3000)) return us + random.below(400) * 1e6;
  if (onceIn(random, 500)) return us - random.below(5000) * 1000;
  return us + random.below(20_000);
}

/** Feeds damaged packets to the parse worker, and returns what it should not have done. The same for the same options. */
export function fuzz({ packets, seed, captured = [], stepMsMax = Number.POSITIVE_INFINITY, watch }: FuzzOptions): FuzzReport {
  const random = new Random(seed);
  const report = { packets: 0, ipBytes: 0, wireBytes: 0, flows: 0, dns: 0, devices: 0, flowsWithDetails: 0 };
  const dropped: Record<string, number> = {};
  const findings: Finding[] = [];
  let slowestMs = 0;
  let fed = 0;
  let us = START_US;
  for (let run = 0; fed < packets && findings.length < FINDINGS_MAX; run++) {
    const rig = newRig(run);
    const history: TimedFrame[] = [];
    const endAt = Math.min(packets, fed + PACKETS_PER_RUN);
    let problem: string | null = null;
    while (problem === null && fed < endAt) {
      for (const frame of conversation(random, captured)) {
        if (fed === endAt) break;
        us = nextUs(random, us);
        history.push({ ...frame, us });
        if (history.length > 2 * HISTORY) history.splice(0, HISTORY);
        watch?.(fed++, frame);
        const startMs = performance.now();
        problem = rig.feed(frame, us);
        const ms = performance.now() - startMs;
        slowestMs = Math.max(slowestMs, ms);
        if (problem === null && ms > stepMsMax) problem = `a packet that took ${Math.round(ms)} ms`;
        if (problem !== null) break;
      }
    }
    problem ??= rig.finish();
    if (problem !== null) findings.push({ number: fed - 1, what: problem, frames: leastOf(history, run, problem) });
    for (const key of Object.keys(report) as (keyof RecordSums)[]) report[key] += rig.sums[key];
    for (const [reason, count] of Object.entries(rig.dropped)) dropped[reason] = (dropped[reason] ?? 0) + count;
  }
  return { ...report, fed, dropped, findings, stepMsMax: slowestMs };
}

/** The fewest of the last frames that bring about the same once more; all that are known where none do. */
function leastOf(history: readonly TimedFrame[], run: number, what: string): readonly TimedFrame[] {
  const last = history.slice(-HISTORY);
  for (let count = 1; count < last.length; count *= 2) {
    const frames = last.slice(-count);
    if (firstLine(replayFrames(frames, newRig(run))) === firstLine(what)) return frames;
  }
  return last;
}

const firstLine = (text: string | null): string | undefined => text?.split('\n')[0];

/** Feeds frames as they were found to a worker, and returns what is wrong, or null. */
export function replayFrames(frames: readonly TimedFrame[], rig = newRig(0)): string | null {
  for (const frame of frames) {
    const problem = rig.feed(frame, frame.us);
    if (problem !== null) return problem;
  }
  return rig.finish();
}
