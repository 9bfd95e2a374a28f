import assert from 'node:assert';
import { AppError } from '../errors.js';
import type { ByteSource } from './file-bytes.js';

/**
 * Size of the window. It bounds the largest record that can be read, and it is small enough to stay in a second-level cache
 * while its records are walked.
 */
export const WINDOW_BYTES = 327_680;

/**
 * The part of an input that lies in memory. Readers look at `view` between `start`
 * and `end` and move `start` behind what they are done with.
 */
export class FileWindow {
  readonly view: DataView;
  start = 0;
  end = 0;
  /** The source has nothing more. */
  ended = false;
  /** Position in the uncompressed input of the window's first byte. */
  private base = 0;

  /** `bytes` is the window's memory, of `WINDOW_BYTES`; `label` is the input's name in messages. */
  constructor(
    readonly bytes: Uint8Array<ArrayBuffer>,
    private readonly source: ByteSource,
    private readonly label: string,
  ) {
    this.view = new DataView(bytes.buffer);
  }

  get availableBytes(): number {
    return this.end - this.start;
  }

  /**
   * Moves what is left to the front and reads on behind it, or finds that the input has ended. A promise only where the source
   * needs one; nothing may touch the window before it settles. Throws what the source throws.
   */
  fill(): undefined | Promise<void> {
    assert(this.availableBytes < this.bytes.length, 'a full window cannot be filled');
    if (this.start > 0) {
      this.bytes.copyWithin(0, this.start, this.end);
      this.base += this.start;
      this.end -= this.start;
      this.start = 0;
    }
    const read = this.source.read(this.bytes, this.end);
    if (typeof read !== 'number') return read.then((count) => this.grow(count));
    this.grow(read);
    return undefined;
  }

  private grow(count: number): void {
    this.end += count;
    if (count === 0) this.ended = true;
  }

  /** Position of `offset`, an offset in the window, in the uncompressed input. */
  positionOf(offset: number): number {
    return this.base + offset;
  }

  /** What is wrong at a position of the uncompressed input. */
  broken(position: number, what: string, options?: ErrorOptions): AppError {
    return new AppError('INPUT_BROKEN', `${this.label}: byte ${position}: ${what}`, options);
  }
}
