import { HostField } from '../ring/host-layout.js';
import { blockDeviceOf, diskSpace, type HostRoots, readNumber } from './host-files.js';
import {
  type CpuTicks,
  findThermalZone,
  findThrottleSource,
  readCpuTicks,
  readDiskBytes,
  readFrequencyMhz,
  readMemory,
  readNetworkBytes,
  readPressure,
  readProcessCpuS,
  readResidentBytes,
  readThrottleBits,
  type ThrottleSource,
} from './readings.js';

/**
 * Reads how the machine is: some fifteen small files, a third of a millisecond. What a machine does not show is NaN. Shares of CPU are
 * those since the sample before, so the first one has none.
 */
export class HostSampler {
  /** The last sample; index with `HostField`. */
  readonly fields = new Float64Array(HostField.Count).fill(Number.NaN);
  private readonly thermalZone: string | null;
  private readonly throttleSource: ThrottleSource | null;
  private blockDevice: string | null = null;
  private cpuBefore: CpuTicks = { busy: Number.NaN, total: Number.NaN };
  private processCpuBeforeS = Number.NaN;
  private beforeMs = Number.NaN;

  /** `diskPath` is a file or folder on the disk that is looked at. */
  constructor(
    private readonly roots: HostRoots,
    private readonly diskPath: string,
  ) {
    this.thermalZone = findThermalZone(roots);
    this.throttleSource = findThrottleSource(roots);
  }

  /** Reads everything; `nowMs` is the monotonic clock. */
  sample(nowMs: number): void {
    const { roots, fields } = this;
    this.sampleCpu(nowMs);
    fields[HostField.FrequencyMhz] = readFrequencyMhz(roots);
    fields[HostField.TemperatureC] = this.thermalZone ? readNumber(this.thermalZone, 'temp') / 1000 : Number.NaN;
    fields[HostField.ThrottleBits] = readThrottleBits(this.throttleSource);
    const memory = readMemory(roots);
    fields[HostField.MemoryAvailableBytes] = memory.availableBytes;
    fields[HostField.MemoryTotalBytes] = memory.totalBytes;
    fields[HostField.ResidentBytes] = readResidentBytes(roots);
    fields[HostField.CpuPressurePercent] = readPressure(roots, 'cpu');
    fields[HostField.MemoryPressurePercent] = readPressure(roots, 'memory');
    fields[HostField.IoPressurePercent] = readPressure(roots, 'io');
    const space = diskSpace(this.diskPath);
    fields[HostField.DiskFreeBytes] = space.freeBytes;
    fields[HostField.DiskTotalBytes] = space.totalBytes;
    // The folder of the database may come later than this object.
    this.blockDevice ??= blockDeviceOf(roots, this.diskPath);
    const disk = readDiskBytes(this.blockDevice);
    fields[HostField.DiskReadBytes] = disk.readBytes;
    fields[HostField.DiskWrittenBytes] = disk.writtenBytes;
    const network = readNetworkBytes(roots);
    fields[HostField.NetworkReceivedBytes] = network.receivedBytes;
    fields[HostField.NetworkSentBytes] = network.sentBytes;
  }

  private sampleCpu(nowMs: number): void {
    const { fields, cpuBefore } = this;
    const cpu = readCpuTicks(this.roots);
    const ticks = cpu.total - cpuBefore.total;
    fields[HostField.CpuPercent] = ticks > 0 ? (100 * (cpu.busy - cpuBefore.busy)) / ticks : Number.NaN;
    this.cpuBefore = cpu;
    const processCpuS = readProcessCpuS(this.roots);
    const elapsedS = (nowMs - this.beforeMs) / 1000;
    fields[HostField.ProcessCpuPercent] = elapsedS > 0 ? (100 * (processCpuS - this.processCpuBeforeS)) / elapsedS : Number.NaN;
    this.processCpuBeforeS = processCpuS;
    this.beforeMs = nowMs;
  }
}
