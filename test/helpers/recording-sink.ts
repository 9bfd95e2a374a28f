import type { FrameSink } from '../../src/capture/source.js';

/** One frame as a source handed it over. */
export interface RecordedFrame {
  readonly bytes: Uint8Array;
  readonly wireBytes: number;
  /** ns since 1970. */
  readonly timestamp: bigint;
  readonly interfaceIndex: number;
  readonly linkType: number;
}

/** Keeps a copy of every frame. */
export class RecordingSink implements FrameSink {
  readonly frames: RecordedFrame[] = [];

  frame(
    view: DataView,
    offset: number,
    capturedBytes: number,
    wireBytes: number,
    seconds: number,
    nanoseconds: number,
    interfaceIndex: number,
    linkType: number,
  ): void {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, capturedBytes).slice();
    const timestamp = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
    this.frames.push({ bytes, wireBytes, timestamp, interfaceIndex, linkType });
  }

  /** The frames' bytes in hexadecimal, which compares and prints well. */
  get hex(): string[] {
    return this.frames.map(({ bytes }) => Buffer.from(bytes).toString('hex'));
  }
}
