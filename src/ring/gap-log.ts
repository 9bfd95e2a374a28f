import { Gap, type GapReason } from './watch-layout.js';

/** One stretch of time in which an interface was not captured from. */
export interface GapEntry {
  /** Counts from 1 in the order in which the gaps began. */
  readonly number: number;
  /** µs since 1970 UTC; the start may be up to a second early and the end up to a second late, never the other way round. */
  readonly startUs: number;
  /** Null while the gap is open. */
  readonly endUs: number | null;
  readonly reason: GapReason;
  /** Index into the link table. */
  readonly linkIndex: number;
}

/** Allocates an empty gap log. */
export function createGapLog(): SharedArrayBuffer {
  return new SharedArrayBuffer(Gap.HeaderBytes + Gap.EntryCount * Gap.EntryBytes);
}

const entryByte = (number: number): number => Gap.HeaderBytes + ((number - 1) % Gap.EntryCount) * Gap.EntryBytes;

/**
 * The last 64 gaps of a live capture in shared memory: one writer, the capture, and any reader. The oldest gap goes when a new one
 * comes; the numbers tell a reader how many it has missed. A successor of the capture goes on in the same log.
 */
export class GapLog {
  private readonly words: Int32Array;
  private readonly floats: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.floats = new Float64Array(memory);
  }

  /** Number of the gap that began last; 0 for none. */
  get lastNumber(): number {
    return Atomics.load(this.words, Gap.LastNumber);
  }

  /** Writer: begins a gap and gives its number. */
  begin(linkIndex: number, reason: GapReason, startUs: number): number {
    const number = this.lastNumber + 1;
    const word = entryByte(number) >> 2;
    Atomics.store(this.words, word + Gap.Number, 0);
    this.words[word + Gap.Reason] = reason;
    this.words[word + Gap.LinkIndex] = linkIndex;
    this.floats[(word >> 1) + Gap.StartUsF64] = startUs;
    this.floats[(word >> 1) + Gap.EndUsF64] = 0;
    Atomics.store(this.words, word + Gap.Number, number);
    Atomics.store(this.words, Gap.LastNumber, number);
    return number;
  }

  /** Writer: ends a gap; one that is no longer in the log is left alone. */
  end(number: number, endUs: number): void {
    const word = entryByte(number) >> 2;
    if (this.words[word + Gap.Number] === number) this.floats[(word >> 1) + Gap.EndUsF64] = endUs;
  }

  /** The gap of this number, or null when it never began, is no longer in the log, or is overwritten during the call. */
  read(number: number): GapEntry | null {
    if (number < 1) return null;
    const word = entryByte(number) >> 2;
    if (Atomics.load(this.words, word + Gap.Number) !== number) return null;
    const reason = Atomics.load(this.words, word + Gap.Reason);
    const linkIndex = Atomics.load(this.words, word + Gap.LinkIndex);
    const startUs = this.floats[(word >> 1) + Gap.StartUsF64] as number;
    const endUs = this.floats[(word >> 1) + Gap.EndUsF64] as number;
    if (Atomics.load(this.words, word + Gap.Number) !== number) return null;
    return { number, startUs, endUs: endUs === 0 ? null : endUs, reason, linkIndex };
  }

  /** The gaps behind `number` that are still in the log, oldest first. */
  after(number: number): GapEntry[] {
    const last = this.lastNumber;
    const found: GapEntry[] = [];
    for (let next = Math.max(number, last - Gap.EntryCount) + 1; next <= last; next++) {
      const entry = this.read(next);
      if (entry) found.push(entry);
    }
    return found;
  }
}
