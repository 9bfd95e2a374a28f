import { HostBlock } from '../ring/host-block.js';
import { HostCell, HostField, REDUCED_MODES, type ReducedMode } from '../ring/host-layout.js';

type ReducedModeName = (typeof REDUCED_MODES)[number];

/** How the machine is, as main saw it last. Null: the machine does not show it, or there was no sample yet. */
export interface HostSnapshot {
  /** Since the last sample, ms; null before the first one, and in a replay. */
  readonly ageMs: number | null;
  readonly cpuPercent: number | null;
  readonly processCpuPercent: number | null;
  readonly frequencyMhz: number | null;
  readonly temperatureC: number | null;
  /** Mean of the last five minutes. */
  readonly temperatureMeanC: number | null;
  readonly throttleBits: number | null;
  readonly memoryTotalBytes: number | null;
  readonly memoryAvailableBytes: number | null;
  readonly residentBytes: number | null;
  readonly memoryLimitBytes: number | null;
  readonly cpuPressurePercent: number | null;
  readonly memoryPressurePercent: number | null;
  readonly ioPressurePercent: number | null;
  readonly diskFreeBytes: number | null;
  readonly diskTotalBytes: number | null;
  readonly diskReadBytes: number | null;
  readonly diskWrittenBytes: number | null;
  readonly networkReceivedBytes: number | null;
  readonly networkSentBytes: number | null;
  /** Every mode: whether it holds now, and how often it began. */
  readonly modes: readonly { readonly name: ReducedModeName; readonly isActive: boolean; readonly count: number }[];
  readonly log: {
    readonly lines: number;
    readonly bytes: number;
    readonly heldBack: number;
    readonly lost: number;
    readonly writes: number;
    /** Of the last complete minute. */
    readonly linesPerMinute: number;
    readonly isFailing: boolean;
  };
  readonly reloads: number;
  readonly reloadsRefused: number;
}

/** Reads what main shows of the machine: plain loads, one value from another sample at worst. */
export class HostReader {
  private readonly block: HostBlock;

  constructor(memory: SharedArrayBuffer) {
    this.block = new HostBlock(memory);
  }

  /** `nowMs` is the monotonic clock. */
  read(nowMs: number): HostSnapshot {
    const { block } = this;
    const cell = (index: HostCell): number => block.cells[index] as number;
    const field = (index: HostField): number | null => known(block.fields[index] as number);
    const sampledMs = cell(HostCell.SampledMs);
    return {
      ageMs: sampledMs > 0 ? Math.max(0, nowMs - sampledMs) : null,
      cpuPercent: field(HostField.CpuPercent),
      processCpuPercent: field(HostField.ProcessCpuPercent),
      frequencyMhz: field(HostField.FrequencyMhz),
      temperatureC: field(HostField.TemperatureC),
      temperatureMeanC: known(cell(HostCell.TemperatureMeanC)),
      throttleBits: field(HostField.ThrottleBits),
      memoryTotalBytes: field(HostField.MemoryTotalBytes),
      memoryAvailableBytes: field(HostField.MemoryAvailableBytes),
      residentBytes: field(HostField.ResidentBytes),
      memoryLimitBytes: cell(HostCell.MemoryLimitBytes) || null,
      cpuPressurePercent: field(HostField.CpuPressurePercent),
      memoryPressurePercent: field(HostField.MemoryPressurePercent),
      ioPressurePercent: field(HostField.IoPressurePercent),
      diskFreeBytes: field(HostField.DiskFreeBytes),
      diskTotalBytes: field(HostField.DiskTotalBytes),
      diskReadBytes: field(HostField.DiskReadBytes),
      diskWrittenBytes: field(HostField.DiskWrittenBytes),
      networkReceivedBytes: field(HostField.NetworkReceivedBytes),
      networkSentBytes: field(HostField.NetworkSentBytes),
      modes: REDUCED_MODES.map((name, index) => {
        const mode = index as ReducedMode;
        return { name, isActive: block.isReduced(mode), count: block.reducedCount(mode) };
      }),
      log: {
        lines: cell(HostCell.LogLines),
        bytes: cell(HostCell.LogBytes),
        heldBack: cell(HostCell.LogHeldBack),
        lost: cell(HostCell.LogLost),
        writes: cell(HostCell.LogWrites),
        linesPerMinute: cell(HostCell.LogLinesPerMinute),
        isFailing: cell(HostCell.LogFailing) === 1,
      },
      reloads: cell(HostCell.Reloads),
      reloadsRefused: cell(HostCell.ReloadsRefused),
    };
  }
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
