import { accessSync, closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { basename } from 'node:path';
import { isatty } from 'node:tty';
import { gunzipSync, constants as zlib } from 'node:zlib';
import { AppError } from '../errors.js';
import { type ByteSource, FileBytes, messageOf, PipeBytes } from './file-bytes.js';
import { CaptureFormat, formatOf, HEAD_BYTES, requireCapture } from './file-format.js';

/** An input that was found fit to be read. */
export interface Input {
  /** What messages call it. */
  readonly label: string;
  /** Its name as an interface. */
  readonly name: string;
  /** Size, where the input is a regular file; 0 where it is not known. */
  readonly bytes: number;
  /** Opens it from its start. Throws `AppError`. */
  open(): ByteSource;
  /** Whether `open` gives the same bytes once more. */
  readonly canReopen: boolean;
}

/** What stands for standard input among paths. */
export const STANDARD_INPUT_PATH = '-';
const STANDARD_INPUT = 0;
/** Bytes of a file that are looked at before anything is read. */
const PROBE_BYTES = 4096;

/**
 * Looks at what `path` names; `-` is standard input. Throws `AppError`: `INPUT_NOT_FOUND`, `INPUT_NOT_READABLE`, or
 * `INPUT_NOT_A_CAPTURE` for a regular file that is none. What can be known only by reading on is left to the reader.
 */
export function checkInput(path: string): Input {
  return path === STANDARD_INPUT_PATH ? standardInput() : fileInput(path);
}

function standardInput(): Input {
  const label = 'standard input';
  if (isatty(STANDARD_INPUT)) throw new AppError('INPUT_NOT_A_CAPTURE', `${label}: it is a terminal`);
  const stats = orFail(label, () => fstatSync(STANDARD_INPUT));
  if (stats.isDirectory()) throw new AppError('INPUT_NOT_READABLE', `${label}: it is a directory`);
  const bytes = stats.isFile() ? stats.size : 0;
  return { label, name: 'stdin', bytes, open: () => sourceOf(STANDARD_INPUT, stats), canReopen: false };
}

function fileInput(path: string): Input {
  const stats = orFail(path, () => statSync(path));
  if (stats.isDirectory()) throw new AppError('INPUT_NOT_READABLE', `${path}: it is a directory`);
  if (stats.isFile()) orFail(path, () => probe(path, stats.size));
  else orFail(path, () => accessSync(path, constants.R_OK));
  // Opened without waiting, a FIFO does not block the thread until somebody writes to it.
  const flags = constants.O_RDONLY | (stats.isFIFO() ? constants.O_NONBLOCK : 0);
  return {
    label: path,
    name: basename(path),
    bytes: stats.isFile() ? stats.size : 0,
    open: () => orFail(path, () => sourceOf(openSync(path, flags), stats)),
    canReopen: stats.isFile(),
  };
}

function sourceOf(fd: number, stats: Stats): ByteSource {
  return stats.isFIFO() || stats.isSocket() ? new PipeBytes(fd) : new FileBytes(fd);
}

/** Throws if a regular file is no capture by its first bytes, those inside of gzip data included. */
function probe(path: string, size: number): void {
  const head = readHead(path);
  if (formatOf(viewOf(head), head.length) !== CaptureFormat.Gzip) {
    requireCapture(viewOf(head), head.length, path);
    return;
  }
  const inner = gunzipHead(head, size <= head.length);
  if (inner) requireCapture(viewOf(inner), inner.length, path);
}

function readHead(path: string): Uint8Array {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    const head = new Uint8Array(PROBE_BYTES);
    return head.subarray(0, readSync(fd, head));
  } finally {
    closeSync(fd);
  }
}

/** The first bytes inside of gzip data; undefined where they cannot be known, because the data are broken or begin late. */
function gunzipHead(head: Uint8Array, isWhole: boolean): Uint8Array | undefined {
  try {
    const inner = gunzipSync(head, { finishFlush: isWhole ? zlib.Z_FINISH : zlib.Z_SYNC_FLUSH });
    return isWhole || inner.length >= HEAD_BYTES ? inner : undefined;
  } catch {
    // The reader meets the same error, and can say where.
    return undefined;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Runs `action`; an error of the system becomes an `AppError` about `label`. */
function orFail<T>(label: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof AppError) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new AppError('INPUT_NOT_FOUND', `${label}: there is no such file`, { cause: error });
    }
    throw new AppError('INPUT_NOT_READABLE', `${label}: ${messageOf(error)}`, { cause: error });
  }
}
