import {
  CAPTURED_BYTES_MAX,
  type FormatReader,
  PcapMagic,
  pcapByteOrder,
  RECORDS_PER_STEP_MAX,
  type ReaderContext,
} from './file-format.js';
import type { FileWindow } from './file-window.js';
import type { FrameSink } from './source.js';

/** Offsets in the file header and in a record header (draft-ietf-opsawg-pcap sections 4 and 5). */
const enum File {
  Minor = 6,
  Network = 20,
  HeaderBytes = 24,
}
const enum RecordHeader {
  Seconds = 0,
  Fraction = 4,
  CapturedBytes = 8,
  WireBytes = 12,
  Bytes = 16,
  /** With interface, protocol and packet type behind. */
  ModifiedBytes = 24,
}

const SECONDS_MAX = 0xffff_ffff;

/**
 * Reads pcap: µs and ns, both byte orders, versions 2.0 to 2.4, and the modified format. Every frame of a file is of one
 * interface, named after the file. The time zone in the header is ignored, as libpcap ignores it.
 */
export class PcapReader implements FormatReader {
  private readonly sink: FrameSink;
  private readonly snapBytes: number;
  private readonly littleEndian: boolean;
  private readonly headerBytes: number;
  private readonly capturedOffset: number;
  private readonly wireOffset: number;
  /** Version 2.3 has the two lengths in either order. */
  private readonly lengthsInDoubt: boolean;
  private readonly ticksPerSecond: number;
  private readonly nanosecondsPerTick: number;
  private readonly linkType: number;
  private readonly interfaceIndex: number;

  /** Takes the file header off `window`, whose magic and version the caller has checked. */
  constructor(window: FileWindow, context: ReaderContext) {
    const { view } = window;
    if (window.availableBytes < File.HeaderBytes) {
      throw window.broken(0, `the file header is cut short: ${window.availableBytes} of ${File.HeaderBytes} bytes`);
    }
    this.sink = context.sink;
    this.snapBytes = context.snapBytes;
    this.littleEndian = pcapByteOrder(view) === true;
    const magic = view.getUint32(0, this.littleEndian);
    this.headerBytes = magic === PcapMagic.Modified ? RecordHeader.ModifiedBytes : RecordHeader.Bytes;
    this.ticksPerSecond = magic === PcapMagic.Nanoseconds ? 1_000_000_000 : 1_000_000;
    this.nanosecondsPerTick = 1_000_000_000 / this.ticksPerSecond;
    const minor = view.getUint16(File.Minor, this.littleEndian);
    // Before version 2.3 the length on the wire came first.
    this.capturedOffset = minor < 3 ? RecordHeader.WireBytes : RecordHeader.CapturedBytes;
    this.wireOffset = minor < 3 ? RecordHeader.CapturedBytes : RecordHeader.WireBytes;
    this.lengthsInDoubt = minor === 3;
    // The upper half says whether frames end with a check sequence, and is no part of the link type.
    this.linkType = view.getUint32(File.Network, this.littleEndian) & 0xffff;
    this.interfaceIndex = context.interfaces.indexOf(context.name, this.linkType);
    window.start = File.HeaderBytes;
  }

  walk(window: FileWindow): boolean {
    const { view, end } = window;
    const { sink, snapBytes, littleEndian, headerBytes, capturedOffset, wireOffset } = this;
    const { lengthsInDoubt, ticksPerSecond, nanosecondsPerTick, linkType, interfaceIndex } = this;
    let offset = window.start;
    for (let count = 0; count < RECORDS_PER_STEP_MAX; count++) {
      const frameOffset = offset + headerBytes;
      if (frameOffset > end) return this.pause(window, offset);
      let captured = view.getUint32(offset + capturedOffset, littleEndian);
      let wire = view.getUint32(offset + wireOffset, littleEndian);
      if (lengthsInDoubt && captured > wire) {
        const swapped = captured;
        captured = wire;
        wire = swapped;
      }
      if (captured > CAPTURED_BYTES_MAX) {
        window.start = offset;
        throw window.broken(
          window.positionOf(offset),
          `a record claims ${captured} captured bytes; at most ${CAPTURED_BYTES_MAX} are sane`,
        );
      }
      if (frameOffset + captured > end) return this.pause(window, offset);
      let seconds = view.getUint32(offset + RecordHeader.Seconds, littleEndian);
      let fraction = view.getUint32(offset + RecordHeader.Fraction, littleEndian);
      if (fraction >= ticksPerSecond) {
        seconds = Math.min(seconds + Math.floor(fraction / ticksPerSecond), SECONDS_MAX);
        fraction %= ticksPerSecond;
      }
      const handed = captured < snapBytes ? captured : snapBytes;
      sink.frame(view, frameOffset, handed, wire, seconds, fraction * nanosecondsPerTick, interfaceIndex, linkType);
      offset = frameOffset + captured;
    }
    window.start = offset;
    return false;
  }

  end(window: FileWindow): void {
    const bytes = window.availableBytes;
    if (bytes === 0) return;
    const part = bytes < this.headerBytes ? 'the header of a record' : 'a record';
    throw window.broken(window.positionOf(window.start), `${part} is cut short: only ${bytes} bytes of it are there`);
  }

  private pause(window: FileWindow, offset: number): true {
    window.start = offset;
    return true;
  }
}
