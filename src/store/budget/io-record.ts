import { Cell, type ThreadBlock } from '../../ring/thread-block.js';
import type { IoMeter } from './io-meter.js';
import { RateWindow } from './rate-window.js';
import type { WriteTotals } from './write-totals.js';

const MINUTE_MS = 60_000;
const MINUTES_KEPT = 60;
/** What a cell shows where the kernel does not tell. */
const UNKNOWN = -1;

/** Follows the counters of bytes written, by minute, by day and in all, and shows them in the writer's block. */
export class IoRecord {
  private readonly process = new RateWindow(62);
  private readonly device = new RateWindow(62);
  /** Bytes of the last whole minutes, the newest last. */
  private readonly minutes: number[] = [];
  private minute: number;
  private minuteBytes = 0;
  private isWholeMinute = false;
  private processBytes: number | null;
  private deviceBytes: number | null;
  private flows = 0;
  private lookedMs: number;

  constructor(
    private readonly block: ThreadBlock,
    private readonly totals: WriteTotals,
    private readonly meter: IoMeter,
    nowMs: number,
  ) {
    this.processBytes = meter.processBytes();
    this.deviceBytes = meter.deviceBytes();
    // A writer that replaces another one goes on where that one looked last.
    const seen = block.cell(Cell.IoProcessBytes);
    if (this.processBytes !== null && seen > 0) this.processBytes = seen;
    this.lookedMs = nowMs;
    this.minute = Math.floor(nowMs / MINUTE_MS);
  }

  /** So many rows of flows were committed. */
  wroteFlows(rows: number): void {
    this.flows += rows;
  }

  /** Reads the counters and shows what has become of them. */
  look(nowMs: number): void {
    const processMore = this.takeProcess();
    const deviceMore = this.takeDevice();
    const seconds = Math.max(0, nowMs - this.lookedMs) / 1000;
    this.lookedMs = nowMs;
    this.process.add(nowMs, processMore);
    this.device.add(nowMs, deviceMore);
    this.totals.add({ processBytes: processMore, deviceBytes: deviceMore, flows: this.flows, seconds });
    this.flows = 0;
    this.turnTo(Math.floor(nowMs / MINUTE_MS));
    this.minuteBytes += processMore;
    this.show(nowMs);
  }

  private turnTo(minute: number): void {
    if (minute === this.minute) return;
    // The minute in which this began is not known in full.
    if (this.isWholeMinute) this.minutes.push(this.minuteBytes);
    if (this.minutes.length > MINUTES_KEPT) this.minutes.shift();
    this.isWholeMinute = true;
    this.minuteBytes = 0;
    this.minute = minute;
  }

  private takeProcess(): number {
    const bytes = this.meter.processBytes();
    const more = bytes === null || this.processBytes === null ? 0 : Math.max(0, bytes - this.processBytes);
    this.processBytes = bytes;
    return more;
  }

  private takeDevice(): number {
    const bytes = this.meter.deviceBytes();
    const more = bytes === null || this.deviceBytes === null ? 0 : Math.max(0, bytes - this.deviceBytes);
    this.deviceBytes = bytes;
    return more;
  }

  private show(nowMs: number): void {
    const { cells } = this.block;
    const { totals, minutes } = this;
    const today = totals.sinceMidnight(nowMs * 1000);
    const { all } = totals;
    const hasProcess = this.processBytes !== null;
    const hasDevice = this.deviceBytes !== null;
    cells[Cell.IoProcessBytes] = this.processBytes ?? UNKNOWN;
    cells[Cell.IoMinuteBytes] = hasProcess ? this.process.sum(nowMs, 60) : UNKNOWN;
    cells[Cell.IoTodayBytes] = hasProcess ? today.processBytes : UNKNOWN;
    cells[Cell.IoTotalBytes] = hasProcess ? all.processBytes : UNKNOWN;
    cells[Cell.IoDeviceMinuteBytes] = hasDevice ? this.device.sum(nowMs, 60) : UNKNOWN;
    cells[Cell.IoDeviceTodayBytes] = hasDevice ? today.deviceBytes : UNKNOWN;
    cells[Cell.IoDeviceTotalBytes] = hasDevice ? all.deviceBytes : UNKNOWN;
    cells[Cell.IoTotalFlows] = all.flows;
    cells[Cell.IoTotalSeconds] = all.seconds;
    cells[Cell.IoHourMinutes] = minutes.length;
    cells[Cell.IoHourBytes] = minutes.reduce((sum, bytes) => sum + bytes, 0);
    cells[Cell.IoHourBytesMax] = Math.max(0, ...minutes);
  }
}
