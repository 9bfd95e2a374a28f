import { Link, type LinkState, NicCounter } from './watch-layout.js';

/** Allocates the table of watched interfaces. */
export function createLinkTable(): SharedArrayBuffer {
  return new SharedArrayBuffer(Link.CountMax * Link.Bytes);
}

/**
 * The interfaces that a live capture watches, in the order of `capture.interface`: their state, and what their network cards have
 * counted since the capture began. One writer, the capture; any reader.
 */
export class LinkTable {
  private readonly words: Int32Array;
  private readonly floats: Float64Array;
  private readonly bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.floats = new Float64Array(memory);
    this.bytes = new Uint8Array(memory);
  }

  /** Interfaces that are watched. */
  get count(): number {
    let count = 0;
    while (count < Link.CountMax && Atomics.load(this.words, count * Link.Words + Link.Ready) === 1) count++;
    return count;
  }

  /** Writer: names the interface at `index`, from 0 to 15. True if a predecessor has named it already. */
  add(index: number, name: string): boolean {
    const ready = index * Link.Words + Link.Ready;
    this.bytes.fill(0, this.nameByte(index), this.nameByte(index) + Link.NameBytesMax);
    new TextEncoder().encodeInto(name, this.bytes.subarray(this.nameByte(index), this.nameByte(index) + Link.NameBytesMax - 1));
    return Atomics.exchange(this.words, ready, 1) === 1;
  }

  name(index: number): string {
    const field = this.bytes.slice(this.nameByte(index), this.nameByte(index) + Link.NameBytesMax);
    const end = field.indexOf(0);
    return new TextDecoder().decode(field.subarray(0, end < 0 ? field.length : end));
  }

  state(index: number): LinkState {
    return Atomics.load(this.words, index * Link.Words + Link.State);
  }

  /** Writer: the state as it was at `nowUs`. */
  check(index: number, state: LinkState, nowUs: number): void {
    Atomics.store(this.words, index * Link.Words + Link.State, state);
    this.floats[this.float(index) + Link.CheckedUsF64] = nowUs;
  }

  /** When the state was looked at last, µs since 1970; 0 for never. */
  checkedUs(index: number): number {
    return this.floats[this.float(index) + Link.CheckedUsF64] as number;
  }

  /** Writer: the gap that is open, or none (0 and 0). */
  setGap(index: number, number: number, startUs: number): void {
    this.floats[this.float(index) + Link.GapNumberF64] = number;
    this.floats[this.float(index) + Link.GapStartUsF64] = startUs;
  }

  /** Number of the gap that is open; 0 while the interface is captured from. */
  gapNumber(index: number): number {
    return this.floats[this.float(index) + Link.GapNumberF64] as number;
  }

  /** Start of that gap, µs since 1970; 0 for none. */
  gapStartUs(index: number): number {
    return this.floats[this.float(index) + Link.GapStartUsF64] as number;
  }

  /** The counters of the interface's network card, writable; index with `NicCounter`. */
  counters(index: number): Float64Array {
    const start = this.float(index) + Link.CountersF64;
    return this.floats.subarray(start, start + NicCounter.Count);
  }

  /** What the kernel has counted for the captures of all interfaces since the session began, and dropped of it. */
  get kernelCounts(): { readonly packets: number; readonly dropped: number } {
    let packets = 0;
    let dropped = 0;
    for (let index = 0; index < Link.CountMax; index++) {
      packets += this.floats[this.float(index) + Link.KernelPacketsF64] as number;
      dropped += this.floats[this.float(index) + Link.KernelDroppedF64] as number;
    }
    return { packets, dropped };
  }

  private nameByte(index: number): number {
    return index * Link.Bytes + Link.NameBytes;
  }

  private float(index: number): number {
    return (index * Link.Words) >> 1;
  }
}
