import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { FileSource } from '../../src/capture/file-source.js';
import { Step } from '../../src/capture/source.js';
import { AppError } from '../../src/errors.js';
import { createInterfaceTable, InterfaceTable } from '../../src/ring/interface-table.js';
import type { FrameToWrite } from './capture-file.js';
import { type RecordedFrame, RecordingSink } from './recording-sink.js';

/** A frame with its bytes in hexadecimal, which compares fast and prints well. */
export interface ReadableFrame extends Omit<RecordedFrame, 'bytes'> {
  readonly hex: string;
}

/** What reading capture files gave. */
export interface ReadResult {
  readonly frames: readonly ReadableFrame[];
  /** `name:linkType` of every interface, in the table's order. */
  readonly interfaces: readonly string[];
  /** What `open` or `step` threw. */
  readonly error: AppError | undefined;
  readonly failedAt: 'open' | 'step' | undefined;
  /** Steps that had to be waited for. */
  readonly stepsAwaited: number;
  readonly inputBytesRead: number;
  readonly inputBytesTotal: number;
}

/** More than any test file needs; a reader that does not come to an end is stopped here. */
const STEPS_MAX = 100_000;

/** Reads capture files from the first to the last. An error that is no `AppError` fails the test. */
export async function readCapture(paths: readonly string[], { snapBytes = 262_144 } = {}): Promise<ReadResult> {
  const sink = new RecordingSink();
  const table = new InterfaceTable(createInterfaceTable());
  const source = new FileSource({ paths, snapBytes });
  let failedAt: ReadResult['failedAt'] = 'open';
  let error: AppError | undefined;
  let stepsAwaited = 0;
  try {
    source.open(sink, table);
    failedAt = 'step';
    for (let steps = 0; ; steps++) {
      if (steps === STEPS_MAX) throw new Error('the source does not end');
      const step = source.step(1000);
      if (typeof step !== 'number') stepsAwaited++;
      if ((await step) === Step.End) break;
    }
    failedAt = undefined;
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    error = thrown;
  }
  const { inputBytesRead, inputBytesTotal } = source.statistics();
  source.close();
  const interfaces = Array.from({ length: table.count }, (_, index) => `${table.name(index)}:${table.linkType(index)}`);
  return { frames: readable(sink.frames), interfaces, error, failedAt, stepsAwaited, inputBytesRead, inputBytesTotal };
}

export function readable(frames: readonly RecordedFrame[]): ReadableFrame[] {
  return frames.map(({ bytes, ...rest }) => ({ hex: Buffer.from(bytes).toString('hex'), ...rest }));
}

/** The frames as they must be read. */
export function recorded(frames: readonly FrameToWrite[], linkType = 1, interfaceIndex = 0): ReadableFrame[] {
  return frames.map((frame) => ({
    hex: Buffer.from(frame.bytes).toString('hex'),
    wireBytes: frame.wireBytes ?? frame.bytes.length,
    timestamp: BigInt(frame.seconds ?? 0) * 1_000_000_000n + BigInt(frame.nanoseconds ?? 0),
    interfaceIndex,
    linkType,
  }));
}

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** A directory that lives until all tests of the file have ended. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'flowberry-test-'));
  directories.push(directory);
  return directory;
}

/** Writes test files into a directory of their own. */
export class TestFiles {
  readonly directory = temporaryDirectory();

  /** Writes `bytes` and gives the path. */
  write(name: string, bytes: Uint8Array | string): string {
    const path = join(this.directory, name);
    writeFileSync(path, bytes);
    return path;
  }
}
