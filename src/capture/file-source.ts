import assert from 'node:assert';
import { AppError } from '../errors.js';
import type { InterfaceTable } from '../ring/interface-table.js';
import { CaptureFile } from './file-capture.js';
import { checkInput, type Input, STANDARD_INPUT_PATH } from './file-input.js';
import { WINDOW_BYTES } from './file-window.js';
import { type FrameSink, type PacketSource, type SourceStatistics, Step } from './source.js';

export interface FileSourceOptions {
  /** Files in the order in which they are read; `-` is standard input. */
  readonly paths: readonly string[];
  /** Bytes of a frame that are handed over at most. */
  readonly snapBytes: number;
}

/** Names of further broken files that one message holds. */
const NAMES_IN_MESSAGE_MAX = 3;

/**
 * Reads capture files, one after another: pcap and pcapng, plain or gzip, told apart by content.
 *
 * `open` refuses the whole run when an input is missing, unreadable or no capture. A broken file is handed over as far as it
 * is sound, and the files after it are read all the same; when all are done, `step` throws the first error once, and after
 * that answers `End`. For plain files `step` never returns a promise.
 */
export class FileSource implements PacketSource {
  private readonly buffer = new Uint8Array(WINDOW_BYTES);
  private inputs: readonly Input[] = [];
  private target: { readonly sink: FrameSink; readonly interfaces: InterfaceTable } | undefined;
  private nextIndex = 0;
  private current: { readonly file: CaptureFile; readonly input: Input } | undefined;
  private bytesTotal = 0;
  /** Bytes of the files that are closed again. */
  private bytesReadBefore = 0;
  private firstError: AppError | undefined;
  private readonly furtherBroken: string[] = [];

  constructor(private readonly options: FileSourceOptions) {}

  open(sink: FrameSink, interfaces: InterfaceTable): void {
    const { paths } = this.options;
    if (paths.filter((path) => path === STANDARD_INPUT_PATH).length > 1) {
      throw new AppError('INPUT_NOT_READABLE', 'standard input: it can be read only once');
    }
    this.inputs = paths.map(checkInput);
    const isSizeKnown = this.inputs.every((input) => input.bytes > 0);
    this.bytesTotal = isSizeKnown ? this.inputs.reduce((sum, input) => sum + input.bytes, 0) : 0;
    this.target = { sink, interfaces };
  }

  step(waitMs: number): Step | Promise<Step> {
    if (!this.current && this.nextIndex === this.inputs.length) return this.finish();
    try {
      this.current ??= this.openNext();
      const step = this.current.file.step(waitMs);
      if (typeof step === 'number') return this.after(step);
      return step.then(
        (later) => this.after(later),
        (error: unknown) => this.failed(error),
      );
    } catch (error) {
      return this.failed(error);
    }
  }

  statistics(): SourceStatistics {
    return {
      kernelPackets: 0,
      kernelDropped: 0,
      inputBytesRead: this.bytesReadBefore + (this.current?.file.bytesRead ?? 0),
      inputBytesTotal: this.bytesTotal,
    };
  }

  close(): void {
    this.closeCurrent();
    this.nextIndex = this.inputs.length;
    this.firstError = undefined;
  }

  private openNext(): { readonly file: CaptureFile; readonly input: Input } {
    const input = this.inputs[this.nextIndex++];
    assert(input && this.target, 'step before open');
    const { snapBytes } = this.options;
    return { file: new CaptureFile(input, this.buffer, { ...this.target, snapBytes, name: input.name }), input };
  }

  private after(step: Step): Step {
    if (step !== Step.End) return step;
    this.closeCurrent();
    return Step.More;
  }

  /** Puts the error of one file aside until all are read. An error that is not about the file is thrown on. */
  private failed(error: unknown): Step {
    if (!(error instanceof AppError)) throw error;
    if (!this.firstError) this.firstError = error;
    else this.furtherBroken.push(this.inputs[this.nextIndex - 1]?.label ?? '');
    this.closeCurrent();
    return Step.More;
  }

  private finish(): Step {
    const error = this.firstError;
    if (!error) return Step.End;
    this.firstError = undefined;
    if (this.furtherBroken.length === 0) throw error;
    const names = this.furtherBroken.slice(0, NAMES_IN_MESSAGE_MAX).join(', ');
    const more = this.furtherBroken.length - NAMES_IN_MESSAGE_MAX;
    throw new AppError(error.code, `${error.message} (also broken: ${names}${more > 0 ? ` and ${more} more` : ''})`, {
      cause: error,
    });
  }

  private closeCurrent(): void {
    if (!this.current) return;
    this.current.file.close();
    this.bytesReadBefore += this.current.file.bytesRead;
    this.current = undefined;
  }
}
