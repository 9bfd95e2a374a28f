import { HostField, isThrottled, ReducedMode, TEMPERATURE_HOT_C } from '../ring/host-layout.js';
import { Ladder, type LadderView } from './ladder.js';

/** From where on steps are taken, and from where on they are undone. */
const HOST_LIMITS = {
  /** Part of `host.memory-bytes-max`. */
  memoryRatioMax: 0.8,
  memoryRatioGood: 0.7,
  /** °C. A Raspberry Pi slows itself down from 80 on. */
  temperatureMax: TEMPERATURE_HOT_C,
  temperatureGood: 75,
  /** Free bytes; less counts only when it is less than a tenth of the disk as well. */
  diskFreeBytesMin: 500e6,
  diskFreeRatioMin: 0.1,
  /** How much more than that must be free for the step to be undone. */
  diskGoodFactor: 1.2,
  /** Per cent of all cores together, of the whole machine. */
  cpuPercentMax: 95,
  cpuPercentGood: 85,
  /** Parts of the fullest ring. */
  ringRatioMax: 0.5,
  ringRatioPayload: 0.8,
  ringRatioGood: 0.25,
} as const;

/** What the ladders go by. Values that are not known (NaN) are never bad. */
export interface HostView {
  /** The last sample; index with `HostField`. */
  readonly fields: Float64Array;
  readonly memoryLimitBytes: number;
  /** How full the fullest ring is, 0 to 1. */
  readonly ringRatio: number;
}

/** A step that was taken or undone. */
export interface ModeChange {
  readonly mode: ReducedMode;
  readonly isTaken: boolean;
  /** What brought it about, for the log. */
  readonly reason: string;
}

interface Danger {
  readonly ladder: Ladder<ReducedMode>;
  readonly view: (view: HostView, next: ReducedMode | undefined) => LadderView;
}

const MIB = 2 ** 20;
const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

function memory({ fields, memoryLimitBytes }: HostView): LadderView {
  const bytes = fields[HostField.ResidentBytes] as number;
  const ratio = bytes / memoryLimitBytes;
  const isBad = ratio >= HOST_LIMITS.memoryRatioMax;
  const text = `${Math.round(bytes / MIB)} of ${Math.round(memoryLimitBytes / MIB)} MiB of memory are in use`;
  return { worse: isBad ? text : null, isBetter: ratio < HOST_LIMITS.memoryRatioGood };
}

/** The firmware slows the CPU down now. */
function heat({ fields }: HostView): LadderView {
  const temperature = fields[HostField.TemperatureC] as number;
  const isSlowed = isThrottled(fields[HostField.ThrottleBits] as number);
  const worse =
    temperature >= HOST_LIMITS.temperatureMax
      ? `the CPU has ${temperature.toFixed(1)} °C`
      : isSlowed
        ? 'the firmware slows the CPU down'
        : null;
  return { worse, isBetter: !isSlowed && !(temperature >= HOST_LIMITS.temperatureGood) };
}

function disk({ fields }: HostView): LadderView {
  const free = fields[HostField.DiskFreeBytes] as number;
  const total = fields[HostField.DiskTotalBytes] as number;
  const least = Math.min(HOST_LIMITS.diskFreeBytesMin, total * HOST_LIMITS.diskFreeRatioMin);
  return {
    worse: free < least ? `${Math.round(free / 1e6)} MB are free on the disk` : null,
    isBetter: !(free < least * HOST_LIMITS.diskGoodFactor),
  };
}

function load({ fields, ringRatio }: HostView, next: ReducedMode | undefined): LadderView {
  const cpu = fields[HostField.CpuPercent] as number;
  const ringMax = next === ReducedMode.LoadChores ? HOST_LIMITS.ringRatioMax : HOST_LIMITS.ringRatioPayload;
  const isCpuBad = next === ReducedMode.LoadChores && cpu >= HOST_LIMITS.cpuPercentMax;
  const worse =
    ringRatio >= ringMax ? `a ring is ${percent(ringRatio)} full` : isCpuBad ? `the CPU is busy for ${percent(cpu / 100)}` : null;
  return { worse, isBetter: ringRatio < HOST_LIMITS.ringRatioGood && !(cpu >= HOST_LIMITS.cpuPercentGood) };
}

/**
 * Which steps flowberry takes to go on with less. Pure: it is told what is, and tells what to do. Each danger has a ladder of its own; a step
 * is taken after some seconds and undone after minutes, the last one first.
 */
export class ReducedModes {
  private readonly dangers: readonly Danger[] = [
    {
      ladder: new Ladder([ReducedMode.MemoryCaches, ReducedMode.MemoryFlowTable, ReducedMode.MemoryRollups], {
        riseMs: 30_000,
        fallMs: 300_000,
      }),
      view: memory,
    },
    { ladder: new Ladder([ReducedMode.HeatChores], { riseMs: 5_000, fallMs: 60_000 }), view: heat },
    { ladder: new Ladder([ReducedMode.DiskLogs], { riseMs: 5_000, fallMs: 60_000 }), view: disk },
    { ladder: new Ladder([ReducedMode.LoadChores, ReducedMode.LoadPayload], { riseMs: 10_000, fallMs: 30_000 }), view: load },
  ];

  /** Looks once; `nowMs` is the monotonic clock. Returns what changed. */
  look(nowMs: number, view: HostView): ModeChange[] {
    return this.dangers.flatMap((danger) => {
      const ladderView = danger.view(view, danger.ladder.next);
      const change = danger.ladder.look(nowMs, ladderView);
      return change
        ? [{ mode: change.step, isTaken: change.isTaken, reason: ladderView.worse ?? 'it is not needed any more' }]
        : [];
    });
  }
}
