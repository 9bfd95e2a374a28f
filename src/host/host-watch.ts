import type { LogEvent, LogLevel, PipelineMemory } from '../messages.js';
import { HostBlock } from '../ring/host-block.js';
import { HostCell, HostField, ReducedMode, reducedModeName } from '../ring/host-layout.js';
import { ringCapacityBytes, ringUsedBytes } from '../ring/ring.js';
import { type HostRoots, SYSTEM_ROOTS } from './host-files.js';
import { HostSampler } from './host-sampler.js';
import { MinuteMeans } from './minute-means.js';
import { applyModes } from './mode-controls.js';
import { ReducedModes } from './reduced-modes.js';

/** How often the machine is looked at. */
export const SAMPLE_INTERVAL_MS = 5_000;
/** Samples of the mean temperature: five minutes. */
const TEMPERATURE_SAMPLES = 60;

/** What the log has counted. */
interface LogMeter {
  readonly lines: number;
  readonly bytes: number;
  readonly heldBack: number;
  readonly lost: number;
  readonly writes: number;
  readonly isFailing: boolean;
}

/** What a watch needs. */
export interface HostWatchSetup {
  readonly memory: PipelineMemory;
  /** On the disk that is looked at: the folder of the database. */
  readonly diskPath: string;
  readonly memoryLimitBytes: number;
  /** Clock of the session, µs since 1970, and the monotonic clock. */
  readonly nowUs: () => number;
  readonly nowMs: () => number;
  readonly log: (level: LogLevel, message: string, fields?: LogEvent['fields']) => void;
  readonly logMeter: () => LogMeter;
  /** Told whether only warnings and worse are to be logged. */
  readonly reduceLog: (isReduced: boolean) => void;
  readonly roots?: HostRoots;
}

/** Looks at the machine every five seconds, from main: shows what it sees to all threads, and has them do less when something is short. */
export class HostWatch {
  private readonly block: HostBlock;
  private readonly sampler: HostSampler;
  private readonly means = new MinuteMeans();
  private readonly modes = new ReducedModes();
  private readonly temperatures: number[] = [];
  private linesBeforeMinute = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly setup: HostWatchSetup) {
    this.block = new HostBlock(setup.memory.host);
    this.sampler = new HostSampler(setup.roots ?? SYSTEM_ROOTS, setup.diskPath);
    this.limitMemory(setup.memoryLimitBytes);
  }

  /** Looks now and from then on. The timer keeps nobody alive. */
  start(): void {
    this.look();
    this.timer = setInterval(() => this.look(), SAMPLE_INTERVAL_MS);
    this.timer.unref();
  }

  /** Stops; the log is as wanted again. */
  stop(): void {
    clearInterval(this.timer);
    this.setup.reduceLog(false);
  }

  /** What this process may take from now on, bytes. */
  limitMemory(bytes: number): void {
    this.block.cells[HostCell.MemoryLimitBytes] = bytes;
  }

  /** Counts a reload of the configuration. */
  countReload(isApplied: boolean): void {
    const cell = isApplied ? HostCell.Reloads : HostCell.ReloadsRefused;
    this.block.cells[cell] = (this.block.cells[cell] as number) + 1;
  }

  /** One sample, and what follows from it. */
  look(): void {
    const { block, sampler, setup } = this;
    const nowMs = setup.nowMs();
    sampler.sample(nowMs);
    block.fields.set(sampler.fields);
    block.cells[HostCell.SampledMs] = nowMs;
    block.cells[HostCell.TemperatureMeanC] = this.temperatureMean(sampler.fields[HostField.TemperatureC] as number);
    this.showLog();
    const minute = this.means.add(sampler.fields, setup.nowUs());
    if (minute) {
      block.pushMinute(minute);
      const lines = block.cells[HostCell.LogLines] as number;
      block.cells[HostCell.LogLinesPerMinute] = lines - this.linesBeforeMinute;
      this.linesBeforeMinute = lines;
    }
    this.judge(nowMs);
  }

  private temperatureMean(temperature: number): number {
    const { temperatures } = this;
    temperatures.push(temperature);
    if (temperatures.length > TEMPERATURE_SAMPLES) temperatures.shift();
    if (temperatures.length < TEMPERATURE_SAMPLES) return Number.NaN;
    return temperatures.reduce((sum, value) => sum + value, 0) / TEMPERATURE_SAMPLES;
  }

  private showLog(): void {
    const { cells } = this.block;
    const meter = this.setup.logMeter();
    cells[HostCell.LogLines] = meter.lines;
    cells[HostCell.LogBytes] = meter.bytes;
    cells[HostCell.LogHeldBack] = meter.heldBack;
    cells[HostCell.LogLost] = meter.lost;
    cells[HostCell.LogWrites] = meter.writes;
    cells[HostCell.LogFailing] = Number(meter.isFailing);
  }

  private judge(nowMs: number): void {
    const { block, setup } = this;
    const memoryLimitBytes = block.cells[HostCell.MemoryLimitBytes] as number;
    const changes = this.modes.look(nowMs, { fields: block.fields, memoryLimitBytes, ringRatio: this.ringRatio() });
    if (changes.length === 0) return;
    for (const { mode, isTaken, reason } of changes) {
      block.setReduced(mode, isTaken);
      const name = reducedModeName(mode);
      setup.log('warn', `${isTaken ? 'reduced mode begins' : 'reduced mode ends'}: ${name}: ${reason}`, { mode: name });
    }
    applyModes(block);
    setup.reduceLog(block.isReduced(ReducedMode.DiskLogs));
  }

  private ringRatio(): number {
    const { frameRings, flowRings } = this.setup.memory;
    return Math.max(...[...frameRings, ...flowRings].map((ring) => ringUsedBytes(ring) / ringCapacityBytes(ring)));
  }
}
