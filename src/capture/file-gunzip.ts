import { createGunzip, type Gunzip } from 'node:zlib';
import { type ByteSource, messageOf, ReadFailure } from './file-bytes.js';

/**
 * Compressed bytes that are inflated at a time. One slice gives at most 1,032 times as much (16 MiB), which bounds what lies
 * inflated and not yet taken, whatever the input is.
 */
const SLICE_BYTES = 16_384;

/** Where a second attempt on broken data goes on: `skipBytes` of output have been given, input is fed byte by byte from `fineFrom`. */
interface Retry {
  readonly skipBytes: number;
  readonly fineFrom: number;
}

/**
 * Inflates gzip data (RFC 1952, several members one behind the other included).
 *
 * zlib drops what it has inflated from a slice when it meets an error in it. So that everything before the error is given
 * all the same, a file is then inflated again up to that slice and the slice fed byte by byte. A pipe cannot be read again;
 * there up to one slice before the error is lost.
 */
export class GunzipBytes implements ByteSource {
  private gunzip: Gunzip;
  private readonly chunks: Buffer[] = [];
  /** Bytes taken from the first chunk. */
  private chunkOffset = 0;
  private readonly slice = new Uint8Array(SLICE_BYTES);
  private head: Uint8Array;
  /** Compressed bytes fed so far, and bytes they gave. */
  private fedBytes = 0;
  private givenBytes = 0;
  private retry: Retry | undefined;
  private ended = false;
  private closed = false;
  private failure: ReadFailure | undefined;
  private work: Promise<void> | undefined;
  private settle: ((error?: Error) => void) | undefined;

  /** `head` is what has been read from `source` already; `reopen` gives the source again from its start, where that can be done. */
  constructor(
    private source: ByteSource,
    head: Uint8Array,
    private readonly reopen: (() => ByteSource) | undefined,
  ) {
    this.head = head;
    this.gunzip = this.create();
  }

  get bytesRead(): number {
    return this.source.bytesRead;
  }

  read(target: Uint8Array, offset: number): number | Promise<number> {
    const chunk = this.chunks[0];
    if (chunk === undefined) {
      if (this.failure) throw this.failure;
      return this.ended || this.closed ? 0 : this.readLater(target, offset);
    }
    const count = chunk.copy(target, offset, this.chunkOffset);
    this.chunkOffset += count;
    if (this.chunkOffset === chunk.length) {
      this.chunks.shift();
      this.chunkOffset = 0;
      // The next slice is inflated on another thread while the caller works on this one.
      if (this.chunks.length === 0) this.start();
    }
    return count;
  }

  close(): void {
    this.closed = true;
    this.gunzip.destroy();
    this.source.close();
    this.settle?.();
  }

  private async readLater(target: Uint8Array, offset: number): Promise<number> {
    this.start();
    await this.work;
    return this.read(target, offset);
  }

  private start(): void {
    if (this.work || this.ended || this.closed || this.failure) return;
    this.work = this.inflateSlice()
      .catch((error: unknown) => {
        const what = `the gzip data are broken: ${messageOf(error)}`;
        this.failure = error instanceof ReadFailure ? error : new ReadFailure(what, { cause: error });
      })
      .finally(() => {
        this.work = undefined;
      });
  }

  private async inflateSlice(): Promise<void> {
    const slice = await this.nextSlice();
    if (this.closed) return;
    const error = await this.feed(slice);
    if (!error) {
      this.fedBytes += slice.length;
    } else if (this.retry || !this.reopen || slice.length === 0) {
      throw error;
    } else {
      this.retry = { skipBytes: this.givenBytes, fineFrom: this.fedBytes };
      this.source.close();
      this.source = this.reopen();
      this.head = new Uint8Array(0);
      this.fedBytes = 0;
      this.givenBytes = 0;
      this.gunzip = this.create();
    }
  }

  /** The next compressed bytes; none at the end. */
  private async nextSlice(): Promise<Uint8Array> {
    const sliceBytes = this.sliceBytes();
    if (this.head.length === 0) {
      const count = await this.source.read(this.slice, 0);
      this.head = this.slice.subarray(0, count);
    }
    const slice = this.head.subarray(0, sliceBytes);
    this.head = this.head.subarray(slice.length);
    return slice;
  }

  private sliceBytes(): number {
    if (!this.retry) return SLICE_BYTES;
    return Math.min(SLICE_BYTES, Math.max(this.retry.fineFrom - this.fedBytes, 1));
  }

  /** Feeds one slice, or the end, and answers when all that it gives lies in `chunks`. */
  private async feed(slice: Uint8Array): Promise<Error | undefined> {
    const gunzip = this.gunzip;
    const error = await new Promise<Error | undefined>((resolve) => {
      this.settle = resolve;
      if (slice.length > 0) gunzip.write(slice, (failed) => resolve(failed ?? undefined));
      else gunzip.end();
    });
    this.settle = undefined;
    while (gunzip.readableLength > 0) gunzip.read();
    return error;
  }

  private create(): Gunzip {
    const gunzip = createGunzip({ chunkSize: 65_536 });
    gunzip.on('data', (chunk: Buffer) => this.take(chunk));
    gunzip.on('error', (error) => this.settle?.(error));
    // zlib ends by itself, without an answer to the write, when only padding follows the last member.
    gunzip.on('end', () => {
      this.ended = true;
      this.settle?.();
    });
    return gunzip;
  }

  private take(chunk: Buffer): void {
    const skip = Math.max((this.retry?.skipBytes ?? 0) - this.givenBytes, 0);
    this.givenBytes += chunk.length;
    if (skip < chunk.length) this.chunks.push(chunk.subarray(skip));
  }
}
