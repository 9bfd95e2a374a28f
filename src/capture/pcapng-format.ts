import type { AppError } from '../errors.js';
import {
  byteOrderOf,
  CAPTURED_BYTES_MAX,
  type FormatReader,
  isSectionVersionKnown,
  RECORDS_PER_STEP_MAX,
  type ReaderContext,
  SectionHeader,
} from './file-format.js';
import { type FileWindow, WINDOW_BYTES } from './file-window.js';
import { type PcapngInterface, readInterface } from './pcapng-interface.js';

/** Types of the blocks that are read; all others are skipped (draft-ietf-opsawg-pcapng section 4). */
const enum BlockType {
  Interface = 1,
  /** Obsolete, but old files have it. */
  Packet = 2,
  SimplePacket = 3,
  EnhancedPacket = 6,
}

/** Offsets in blocks: type and length first, the length once more last. */
const enum Block {
  Length = 4,
  BytesMin = 12,
  InterfaceBytesMin = 20,
}
const TRAILER_BYTES = 4;
const enum Packet {
  Interface = 8,
  TimeHigh = 12,
  TimeLow = 16,
  CapturedBytes = 20,
  WireBytes = 24,
  Data = 28,
  BytesMin = 32,
}
const enum SimplePacket {
  WireBytes = 8,
  Data = 12,
  BytesMin = 16,
}

/** A section's interfaces are kept in memory, so there must be an end to them. */
const INTERFACES_PER_SECTION_MAX = 65_536;

/**
 * Reads pcapng: any number of sections in either byte order, enhanced, simple and obsolete packet blocks. A frame belongs to
 * the interface that the file names, `FILE#n` where it has no name. A simple packet block has no time and gets that of the
 * frame before it.
 */
export class PcapngReader implements FormatReader {
  private littleEndian = true;
  private interfaces: PcapngInterface[] = [];
  private seconds = 0;
  private nanoseconds = 0;
  /** While a block is skipped: its position and length, and the bytes that are left of it without its last four. */
  private skipPosition = 0;
  private skipLength = 0;
  private skipLeft = 0;

  constructor(private readonly context: ReaderContext) {}

  walk(window: FileWindow): boolean {
    const { view } = window;
    for (let count = 0; count < RECORDS_PER_STEP_MAX; count++) {
      if (this.skipLength > 0 && !this.skip(window)) return true;
      const offset = window.start;
      const available = window.end - offset;
      if (available < Block.BytesMin) return true;
      const type = view.getUint32(offset, this.littleEndian);
      if (type === SectionHeader.Type) {
        if (available < SectionHeader.MinorOffset + 2) return true;
        this.beginSection(window, offset);
        continue;
      }
      const length = this.lengthOf(window, offset, Block.BytesMin);
      if (type !== BlockType.EnhancedPacket && (type === 0 || type > BlockType.SimplePacket)) {
        this.beginSkip(window, length);
        continue;
      }
      if (length > WINDOW_BYTES) throw broken(window, `a block has ${length} bytes; at most ${WINDOW_BYTES} can be read`);
      if (length > available) return true;
      this.checkTrailer(window, window.positionOf(offset), offset + length - TRAILER_BYTES, length);
      switch (type) {
        case BlockType.EnhancedPacket:
          this.readPacket(window, offset, length, view.getUint32(offset + Packet.Interface, this.littleEndian));
          break;
        case BlockType.Packet:
          this.readPacket(window, offset, length, view.getUint16(offset + Packet.Interface, this.littleEndian));
          break;
        case BlockType.SimplePacket:
          this.readSimplePacket(window, offset, length);
          break;
        default:
          this.addInterface(window, offset, length);
      }
      window.start = offset + length;
    }
    return false;
  }

  end(window: FileWindow): void {
    if (this.skipLength > 0) throw window.broken(this.skipPosition, `a block of ${this.skipLength} bytes is cut short`);
    const bytes = window.availableBytes;
    if (bytes > 0) throw broken(window, `a block is cut short: only ${bytes} bytes of it are there`);
  }

  /** Length of the block at `offset`. */
  private lengthOf(window: FileWindow, offset: number, bytesMin: number): number {
    const length = window.view.getUint32(offset + Block.Length, this.littleEndian);
    if (length < bytesMin || (length & 3) !== 0) throw broken(window, `a block claims to have ${length} bytes`);
    return length;
  }

  /** Checks that a block says the same length at its end as at its start. */
  private checkTrailer(window: FileWindow, position: number, trailerOffset: number, length: number): void {
    const trailer = window.view.getUint32(trailerOffset, this.littleEndian);
    if (trailer !== length) throw window.broken(position, `a block has ${length} bytes at its start and ${trailer} at its end`);
  }

  /** Takes over the byte order of the section that starts here, and forgets the interfaces of the one before. */
  private beginSection(window: FileWindow, offset: number): void {
    const { view } = window;
    const littleEndian = byteOrderOf(view, offset + SectionHeader.ByteOrderOffset, SectionHeader.ByteOrderMagic);
    if (littleEndian === undefined) throw broken(window, 'a section has no byte order mark');
    this.littleEndian = littleEndian;
    const major = view.getUint16(offset + SectionHeader.MajorOffset, littleEndian);
    const minor = view.getUint16(offset + SectionHeader.MinorOffset, littleEndian);
    if (!isSectionVersionKnown(major, minor)) throw broken(window, `pcapng version ${major}.${minor} of a section is not known`);
    this.interfaces = [];
    this.beginSkip(window, this.lengthOf(window, offset, SectionHeader.BytesMin));
  }

  /** Skips the block at the start of the window. It may be larger than the window. */
  private beginSkip(window: FileWindow, length: number): void {
    this.skipPosition = window.positionOf(window.start);
    this.skipLength = length;
    this.skipLeft = length - TRAILER_BYTES;
  }

  /** Goes on with skipping; false when the window ends before the block. */
  private skip(window: FileWindow): boolean {
    const count = Math.min(this.skipLeft, window.availableBytes);
    window.start += count;
    this.skipLeft -= count;
    if (this.skipLeft > 0 || window.availableBytes < TRAILER_BYTES) return false;
    this.checkTrailer(window, this.skipPosition, window.start, this.skipLength);
    window.start += TRAILER_BYTES;
    this.skipLength = 0;
    return true;
  }

  private addInterface(window: FileWindow, offset: number, length: number): void {
    if (length < Block.InterfaceBytesMin) throw broken(window, `an interface block has ${length} bytes`);
    if (this.interfaces.length === INTERFACES_PER_SECTION_MAX) {
      throw broken(window, `a section has more than ${INTERFACES_PER_SECTION_MAX} interfaces`);
    }
    const described = readInterface(window.view, offset, length, this.littleEndian);
    if (typeof described === 'string') throw broken(window, described);
    this.interfaces.push(described);
  }

  /** An enhanced or an obsolete packet block; they differ in the width of the interface's number only. */
  private readPacket(window: FileWindow, offset: number, length: number, id: number): void {
    const { view } = window;
    if (length < Packet.BytesMin) throw broken(window, `a packet block has ${length} bytes`);
    const origin = this.interfaceOf(window, id);
    const captured = view.getUint32(offset + Packet.CapturedBytes, this.littleEndian);
    if (captured > length - Packet.BytesMin) throw broken(window, `a packet of ${captured} bytes is larger than its block`);
    const { clock } = origin;
    clock.convert(
      view.getUint32(offset + Packet.TimeHigh, this.littleEndian),
      view.getUint32(offset + Packet.TimeLow, this.littleEndian),
    );
    this.seconds = clock.seconds;
    this.nanoseconds = clock.nanoseconds;
    const wire = view.getUint32(offset + Packet.WireBytes, this.littleEndian);
    this.hand(window, offset + Packet.Data, captured, wire, origin);
  }

  /** A simple packet block is of the section's first interface and has as much data as that one captures at most. */
  private readSimplePacket(window: FileWindow, offset: number, length: number): void {
    if (length < SimplePacket.BytesMin) throw broken(window, `a packet block has ${length} bytes`);
    const origin = this.interfaceOf(window, 0);
    const wire = window.view.getUint32(offset + SimplePacket.WireBytes, this.littleEndian);
    const captured = origin.snapBytes > 0 && origin.snapBytes < wire ? origin.snapBytes : wire;
    if (captured > length - SimplePacket.BytesMin) throw broken(window, `a packet of ${captured} bytes is larger than its block`);
    this.hand(window, offset + SimplePacket.Data, captured, wire, origin);
  }

  private interfaceOf(window: FileWindow, id: number): PcapngInterface {
    const origin = this.interfaces[id];
    if (!origin) throw broken(window, `a packet is of interface ${id}, which its section has not described`);
    if (origin.index < 0) {
      const name = origin.name === '' ? `${this.context.name}#${id}` : origin.name;
      origin.index = this.context.interfaces.indexOf(name, origin.linkType);
    }
    return origin;
  }

  private hand(window: FileWindow, offset: number, captured: number, wire: number, origin: PcapngInterface): void {
    const { sink, snapBytes } = this.context;
    if (captured > CAPTURED_BYTES_MAX) {
      throw broken(window, `a packet claims ${captured} captured bytes; at most ${CAPTURED_BYTES_MAX} are sane`);
    }
    const handed = captured < snapBytes ? captured : snapBytes;
    sink.frame(window.view, offset, handed, wire, this.seconds, this.nanoseconds, origin.index, origin.linkType);
  }
}

/** What is wrong with the block at the start of the window. */
function broken(window: FileWindow, what: string): AppError {
  return window.broken(window.positionOf(window.start), what);
}
