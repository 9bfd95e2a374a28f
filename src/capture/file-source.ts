import { AppError } from '../errors.js';
import type { InterfaceTable } from '../ring/interface-table.js';
import { type ByteSource, ReadFailure } from './file-bytes.js';
import { CaptureFormat, type FormatReader, formatOf, HEAD_BYTES, type ReaderContext, requireCapture } from './file-format.js';
import { GunzipBytes } from './file-gunzip.js';
import { checkInput, type Input } from './file-input.js';
import { FileWindow } from './file-window.js';
import { PcapReader } from './pcap-format.js';
import { PcapngReader } from './pcapng-format.js';
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
 * A broken file is handed over as far as it is sound and the files after it are read all the same; when all are done, `step`
 * throws the first error once, and after that it answers `End`. For plain files `step` never returns a promise.
 */
export class FileSource implements PacketSource {
  private inputs: Input[] = [];
  private readonly window = new FileWindow();
  private context: Omit<ReaderContext, 'name'> | undefined;
  private nextIndex = 0;
  private input: Input | undefined;
  private source: ByteSource | undefined;
  private reader: FormatReader | undefined;
  private isInflating = false;
  private needsBytes = true;
  /** A fill that has to be waited for: under way, done (`null`), or what it failed with. */
  private filling = false;
  private fillError: unknown;
  private wake: (() => void) | undefined;
  private bytesReadBefore = 0;
  private firstError: AppError | undefined;
  private readonly furtherBroken: string[] = [];

  constructor(private readonly options: FileSourceOptions) {}
}
