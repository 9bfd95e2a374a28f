import { Host, HostCell, HostField, HostMinute, type ReducedMode, timeoutUs } from './host-layout.js';
import { LAYOUT_VERSION } from './layout.js';

/** Allocates what main says of the machine: nothing is known yet, and nothing is cut back. */
export function createHostBlock(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(Host.Bytes);
  const words = new Int32Array(memory);
  words[Host.Version] = LAYOUT_VERSION;
  words[Host.FlowTablePercent] = 100;
  const floats = new Float64Array(memory);
  floats.fill(Number.NaN, Host.FieldsF64, Host.FieldsF64 + HostField.Count);
  floats[Host.CellsF64 + HostCell.TemperatureMeanC] = Number.NaN;
  return memory;
}

/** A view of the memory in which main says how the machine is, and what the other threads are to do less of. */
export class HostBlock {
  /** Index with `Host`. */
  readonly words: Int32Array;
  /** Index with `HostCell`. */
  readonly cells: Float64Array;
  /** The last sample; index with `HostField`. NaN where a value is not known. */
  readonly fields: Float64Array;
  private readonly minutes: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    if (this.words[Host.Version] !== LAYOUT_VERSION) throw new Error('host block: other layout version');
    this.cells = new Float64Array(memory, Host.CellsF64 * 8, Host.CellCount);
    this.fields = new Float64Array(memory, Host.FieldsF64 * 8, HostField.Count);
    this.minutes = new Float64Array(memory, Host.MinutesF64 * 8, HostMinute.Words * HostMinute.CountMax);
  }

  /** One control word, index `Host`. */
  control(word: Host): number {
    return Atomics.load(this.words, word);
  }

  setControl(word: Host, value: number): void {
    Atomics.store(this.words, word, value);
  }

  /** Gives the flow tables other timeouts; a config has all of them, in seconds. */
  setTimeouts(
    given: Readonly<Record<'flowIdleTcpS' | 'flowIdleUdpS' | 'flowIdleOtherS' | 'flowTcpLingerS' | 'flowActiveS', number>>,
  ): void {
    this.cells[HostCell.IdleTcpUs] = timeoutUs(given.flowIdleTcpS);
    this.cells[HostCell.IdleUdpUs] = timeoutUs(given.flowIdleUdpS);
    this.cells[HostCell.IdleOtherUs] = timeoutUs(given.flowIdleOtherS);
    this.cells[HostCell.TcpLingerUs] = timeoutUs(given.flowTcpLingerS);
    this.cells[HostCell.ActiveUs] = timeoutUs(given.flowActiveS);
    this.setControl(Host.SettingsVersion, this.control(Host.SettingsVersion) + 1);
  }

  isReduced(mode: ReducedMode): boolean {
    return this.cells[HostCell.Modes + 2 * mode] === 1;
  }

  /** How often a mode has begun. */
  reducedCount(mode: ReducedMode): number {
    return this.cells[HostCell.Modes + 2 * mode + 1] as number;
  }

  setReduced(mode: ReducedMode, isReduced: boolean): void {
    if (isReduced === this.isReduced(mode)) return;
    this.cells[HostCell.Modes + 2 * mode] = Number(isReduced);
    if (isReduced) this.cells[HostCell.Modes + 2 * mode + 1] = this.reducedCount(mode) + 1;
  }

  /** Minutes that are not committed yet, at most `HostMinute.CountMax`. */
  get minutesWaiting(): number {
    return (this.control(Host.MinutesWritten) - this.control(Host.MinutesTaken)) | 0;
  }

  /** Adds a completed minute, `HostMinute.Words` long. False: there is no room, since nothing has been committed for an hour. */
  pushMinute(minute: Float64Array): boolean {
    if (this.minutesWaiting >= HostMinute.CountMax) return false;
    const number = this.control(Host.MinutesWritten);
    this.minutes.set(minute, ((number >>> 0) % HostMinute.CountMax) * HostMinute.Words);
    this.setControl(Host.MinutesWritten, (number + 1) | 0);
    return true;
  }

  /** The waiting minute with this index, 0 for the oldest; valid until `takeMinutes`. */
  minute(index: number): Float64Array {
    const number = (this.control(Host.MinutesTaken) + index) >>> 0;
    const first = (number % HostMinute.CountMax) * HostMinute.Words;
    return this.minutes.subarray(first, first + HostMinute.Words);
  }

  /** The oldest `count` minutes are committed. */
  takeMinutes(count: number): void {
    this.setControl(Host.MinutesTaken, (this.control(Host.MinutesTaken) + count) | 0);
  }
}
