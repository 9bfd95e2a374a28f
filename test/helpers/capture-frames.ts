import { FileSource } from '../../src/capture/file-source.js';
import { Step } from '../../src/capture/source.js';
import { AppError } from '../../src/errors.js';
import { createInterfaceTable, InterfaceTable } from '../../src/ring/interface-table.js';
import { type RecordedFrame, RecordingSink } from './recording-sink.js';

/** Longest frame that is kept whole. */
const SNAP_BYTES = 262_144;

/** Frames of an uncompressed capture file, as far as it is sound; none of a file that is no capture. */
export function captureFrames(path: string): readonly RecordedFrame[] {
  const sink = new RecordingSink();
  const source = new FileSource({ paths: [path], snapBytes: SNAP_BYTES });
  try {
    source.open(sink, new InterfaceTable(createInterfaceTable()));
    while (source.step(0) !== Step.End);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  } finally {
    source.close();
  }
  return sink.frames;
}

/** Time of a frame in µs since 1970. */
export function frameUs({ timestamp }: RecordedFrame): number {
  return Number(timestamp / 1000n);
}
