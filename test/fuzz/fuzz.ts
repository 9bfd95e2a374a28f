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
  /** A packet that takes more CPU time is a finding. */
  readonly stepMsMax?: number;
  /** Called before each packet, for whoever watches over the thread. */
  readonly watch?: (number: number, frame: FuzzFrame) => void;
}

/** A frame and when it was seen, µs since 1970. */
export interface TimedFrame extends FuzzFrame {
  readonly us: number;
}

interface Finding {
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
  /** Longest CPU time that one packet took. */
  readonly slowestMs: number;
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

/** What one worker got, until something went wrong with it or its run was over. */
interface Run {
  readonly rig: FuzzRig;
  readonly fed: number;
  readonly history: readonly TimedFrame[];
  readonly problem: string | null;
}

/** Makes the packets of a seed and feeds them to one worker after another. */
class Fuzzer {
  private readonly random: Random;
  private us = START_US;
  /** Packets so far. */
  fed = 0;

  constructor(private readonly options: FuzzOptions) {
    this.random = new Random(options.seed);
  }

  run(number: number): Run {
    const rig = newRig(number);
    const history: TimedFrame[] = [];
    const endAt = Math.min(this.options.packets, this.fed + PACKETS_PER_RUN);
    while (this.fed < endAt) {
      for (const frame of conversation(this.random, this.options.captured ?? [])) {
        if (this.fed === endAt) break;
        const problem = this.feed(rig, frame, history);
        if (problem !== null) return { rig, fed: this.fed, history, problem };
      }
    }
    return { rig, fed: this.fed, history, problem: rig.finish() };
  }

  private feed(rig: FuzzRig, frame: FuzzFrame, history: TimedFrame[]): string | null {
    const { watch, stepMsMax = Number.POSITIVE_INFINITY } = this.options;
    this.us = nextUs(this.random, this.us);
    history.push({ ...frame, us: this.us });
    if (history.length > 2 * HISTORY) history.splice(0, HISTORY);
    watch?.(this.fed, frame);
    this.fed++;
    const problem = rig.feed(frame, this.us);
    return problem ?? (rig.lastMs > stepMsMax ? `a packet that took ${Math.round(rig.lastMs)} ms` : null);
  }
}

/** Feeds damaged packets to the parse stage, and returns what it should not have done. The same for the same options. */
export function fuzz(options: FuzzOptions): FuzzReport {
  const fuzzer = new Fuzzer(options);
  const sums = { packets: 0, ipBytes: 0, wireBytes: 0, flows: 0, dns: 0, devices: 0, flowsWithDetails: 0 };
  const dropped: Record<string, number> = {};
  const findings: Finding[] = [];
  let slowestMs = 0;
  for (let number = 0; fuzzer.fed < options.packets && findings.length < FINDINGS_MAX; number++) {
    const { rig, fed, history, problem } = fuzzer.run(number);
    if (problem !== null) findings.push({ number: fed - 1, what: problem, frames: leastOf(history, number, problem) });
    for (const key of Object.keys(sums) as (keyof RecordSums)[]) sums[key] += rig.sums[key];
    for (const [reason, count] of Object.entries(rig.dropped)) dropped[reason] = (dropped[reason] ?? 0) + count;
    slowestMs = Math.max(slowestMs, rig.slowestMs);
  }
  return { ...sums, fed: fuzzer.fed, dropped, findings, slowestMs };
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
