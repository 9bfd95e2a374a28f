import { type ByteSource, ReadFailure } from './file-bytes.js';
import { CaptureFormat, type FormatReader, formatOf, HEAD_BYTES, type ReaderContext, requireCapture } from './file-format.js';
import { GunzipBytes } from './file-gunzip.js';
import type { Input } from './file-input.js';
import { FileWindow } from './file-window.js';
import { PcapReader } from './pcap-format.js';
import { PcapngReader } from './pcapng-format.js';
import { Step } from './source.js';

/** Reads one capture file: finds its format, and walks it window by window. */
export class CaptureFile {
  private source: ByteSource;
  private window: FileWindow;
  private reader: FormatReader | undefined;
  private isInflating = false;
  private needsBytes = true;
  /** A fill that had to be waited for: under way, or what it failed with. */
  private isFilling = false;
  private fillError: unknown;
  private wake: (() => void) | undefined;
  private isClosed = false;

  /** Opens `input`; `buffer` is used until the file is closed. Throws `AppError`. */
  constructor(
    private readonly input: Input,
    private readonly buffer: Uint8Array<ArrayBuffer>,
    private readonly context: ReaderContext,
  ) {
    this.source = input.open();
    this.window = new FileWindow(buffer, this.source, input.label);
  }

  get bytesRead(): number {
    return this.source.bytesRead;
  }

  /** As `PacketSource.step`, for this file alone. */
  step(waitMs: number): Step | Promise<Step> {
    if (this.isFilling) return this.stepLater(waitMs);
    if (this.needsBytes) {
      const fill = this.fill();
      if (fill) {
        this.isFilling = true;
        fill.then(
          () => this.filled(undefined),
          (error: unknown) => this.filled(error),
        );
        return this.stepLater(waitMs);
      }
    }
    return this.walk();
  }

  close(): void {
    this.isClosed = true;
    this.source.close();
  }

  private fill(): undefined | Promise<void> {
    try {
      return this.window.fill();
    } catch (error) {
      throw this.explained(error);
    }
  }

  private filled(error: unknown): void {
    this.isFilling = false;
    this.fillError = error;
    this.wake?.();
  }

  private async stepLater(waitMs: number): Promise<Step> {
    if (this.isFilling) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.wake = undefined;
    }
    if (this.isClosed) return Step.End;
    if (this.isFilling) return Step.Idle;
    if (this.fillError !== undefined) throw this.explained(this.fillError);
    return this.walk();
  }

  /** The error of an input that could not be read on, at the first byte that was not handed over. */
  private explained(error: unknown): unknown {
    if (!(error instanceof ReadFailure)) return error;
    return this.window.broken(this.window.positionOf(this.window.start), error.message, { cause: error });
  }

  private walk(): Step {
    this.reader ??= this.begin();
    if (!this.reader) return Step.More;
    this.needsBytes = this.reader.walk(this.window);
    if (!this.needsBytes || !this.window.ended) return Step.More;
    this.reader.end(this.window);
    return Step.End;
  }

  /** Chooses the reader by the first bytes; none while there are too few of them, or when they turned out to be compressed. */
  private begin(): FormatReader | undefined {
    const { window } = this;
    const count = window.availableBytes;
    if (count < HEAD_BYTES && !window.ended) return undefined;
    if (!this.isInflating && formatOf(window.view, count) === CaptureFormat.Gzip) {
      const reopen = this.input.canReopen ? () => this.input.open() : undefined;
      this.isInflating = true;
      this.source = new GunzipBytes(this.source, window.bytes.slice(0, count), reopen);
      this.window = new FileWindow(this.buffer, this.source, this.input.label);
      return undefined;
    }
    const format = requireCapture(window.view, count, this.input.label);
    return format === CaptureFormat.Pcap ? new PcapReader(window, this.context) : new PcapngReader(this.context);
  }
}
