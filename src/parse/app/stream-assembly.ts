/** Gaps that may be open at a time. Browsers scramble a ClientHello into a dozen pieces; beyond this the stream is somebody's test of us. */
const HOLES_MAX = 16;
const RANGES_MAX = HOLES_MAX + 1;

/**
 * The start of a stream, put together from pieces that come in any order, twice, or overlapping. The first copy of a byte stays.
 * Its memory is its own and not shared, so that libraries take it. Allocates nothing once it is made.
 */
export class StreamAssembly {
  /** All `bytesMax` bytes; those that have come stay where their offset says. */
  readonly bytes: Uint8Array;
  /** The same memory. */
  readonly view: DataView;
  /** What has come, as ranges in ascending order that neither overlap nor touch. */
  private readonly starts = new Int32Array(RANGES_MAX);
  private readonly ends = new Int32Array(RANGES_MAX);
  private rangeCount = 0;
  /** Pieces that have come since the last `clear`. */
  pieceCount = 0;

  /** `bytesMax`: bytes of the stream that are kept, less than 2^31. */
  constructor(bytesMax: number) {
    this.bytes = new Uint8Array(bytesMax);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Bytes from the stream's start up to the first gap. */
  get contiguousBytes(): number {
    return this.rangeCount > 0 && this.starts[0] === 0 ? (this.ends[0] as number) : 0;
  }

  /** Forgets everything that has come. */
  clear(): void {
    this.rangeCount = 0;
    this.pieceCount = 0;
  }

  /**
   * Takes what lies in `view` from `from` to `to`, which stands `at` bytes behind the start of the stream; the caller guarantees that
   * `at` is not negative and that the range lies in the view. Returns whether all of it is kept: a piece that ends beyond
   * `bytesMax` is cut there, and one that opens a gap too many is not kept at all.
   */
  put(at: number, view: DataView, from: number, to: number): boolean {
    const { starts, ends } = this;
    this.pieceCount++;
    const isWhole = at + (to - from) <= this.bytes.length;
    const end = isWhole ? at + (to - from) : this.bytes.length;
    if (end <= at) return isWhole;
    let first = 0;
    while (first < this.rangeCount && (ends[first] as number) < at) first++;
    let last = first;
    while (last < this.rangeCount && (starts[last] as number) <= end) last++;
    if (first === last && !this.makeRoom(first, at)) return false;
    let filled = at;
    for (let range = first; range < last; range++) {
      this.copy(view, from - at, filled, Math.min(starts[range] as number, end));
      filled = Math.max(filled, ends[range] as number);
    }
    this.copy(view, from - at, filled, end);
    if (first === last) {
      starts[first] = at;
      ends[first] = end;
    } else this.merge(first, last, at, end);
    return isWhole;
  }

  /** Fills `start` to `end` with the bytes that stand `shift` bytes behind in `view`. */
  private copy(view: DataView, shift: number, start: number, end: number): void {
    const { bytes } = this;
    for (let i = start; i < end; i++) bytes[i] = view.getUint8(i + shift);
  }

  /** Makes room for a range of its own, which begins at `at`, unless that makes a hole too many. */
  private makeRoom(range: number, at: number): boolean {
    const lowest = range === 0 ? at : (this.starts[0] as number);
    const holes = this.rangeCount + (lowest === 0 ? 0 : 1);
    if (holes > HOLES_MAX) return false;
    this.starts.copyWithin(range + 1, range, this.rangeCount);
    this.ends.copyWithin(range + 1, range, this.rangeCount);
    this.rangeCount++;
    return true;
  }

  /** Makes one range of those from `first` up to `last` and the piece from `start` to `end`, which closed the gaps between them. */
  private merge(first: number, last: number, start: number, end: number): void {
    const { starts, ends } = this;
    starts[first] = Math.min(starts[first] as number, start);
    ends[first] = Math.max(ends[last - 1] as number, end);
    starts.copyWithin(first + 1, last, this.rangeCount);
    ends.copyWithin(first + 1, last, this.rangeCount);
    this.rangeCount -= last - first - 1;
  }
}
