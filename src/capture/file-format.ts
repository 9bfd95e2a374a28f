import { AppError } from '../errors.js';
import type { InterfaceTable } from '../ring/interface-table.js';
import type { FileWindow } from './file-window.js';
import type { FrameSink } from './source.js';

/** Largest captured length of a frame, as in libpcap (MAXIMUM_SNAPLEN); a record that claims more is broken. */
export const CAPTURED_BYTES_MAX = 262_144;

/** Frames, or blocks of pcapng, that one step walks at most. */
export const RECORDS_PER_STEP_MAX = 8192;

/** Bytes at the start of a file by which its format and version are known. */
export const HEAD_BYTES = 24;

/** What a reader works for. */
export interface ReaderContext {
  readonly sink: FrameSink;
  readonly interfaces: InterfaceTable;
  /** Bytes of a frame that are handed over at most. */
  readonly snapBytes: number;
  /** The input's name as an interface. */
  readonly name: string;
}

/** Reads one format. Throws `AppError` `INPUT_BROKEN` where the input is unsound; all before it has been handed over. */
export interface FormatReader {
  /** Hands over the whole records of the window, at most `RECORDS_PER_STEP_MAX`; true when it needs more bytes to go on. */
  walk(window: FileWindow): boolean;
  /** Called when the input has ended and `walk` needs more: throws if it ended inside a record. */
  end(window: FileWindow): void;
}

/** What an input is by its first bytes. */
export const enum CaptureFormat {
  Unknown = 0,
  Gzip = 1,
  Pcap = 2,
  Pcapng = 3,
}

/** First word of a pcap file (draft-ietf-opsawg-pcap section 4), in the byte order of the writing machine. */
export const enum PcapMagic {
  Microseconds = 0xa1b2c3d4,
  Nanoseconds = 0xa1b23c4d,
  /** Alexey Kuznetzov's format of old Linux distributions: longer record headers, as libpcap and Wireshark read them. */
  Modified = 0xa1b2cd34,
}

/** Section header of a pcapng file (draft-ietf-opsawg-pcapng section 4.1). */
export const enum SectionHeader {
  /** Reads the same in both byte orders. */
  Type = 0x0a0d0d0a,
  ByteOrderMagic = 0x1a2b3c4d,
  ByteOrderOffset = 8,
  MajorOffset = 12,
  MinorOffset = 14,
  BytesMin = 28,
}

/** True when the 32-bit word at `offset` is `word` in little-endian order, false for big-endian, undefined for neither. */
export function byteOrderOf(view: DataView, offset: number, word: number): boolean | undefined {
  if (view.getUint32(offset, true) === word) return true;
  return view.getUint32(offset, false) === word ? false : undefined;
}

/** Byte order of a pcap file by its magic, as `byteOrderOf`. */
export function pcapByteOrder(view: DataView): boolean | undefined {
  return (
    byteOrderOf(view, 0, PcapMagic.Microseconds) ??
    byteOrderOf(view, 0, PcapMagic.Nanoseconds) ??
    byteOrderOf(view, 0, PcapMagic.Modified)
  );
}

/** Tells the format of an input by its first `count` bytes, which start `view`. Never by its name. */
export function formatOf(view: DataView, count: number): CaptureFormat {
  // RFC 1952 section 2.3.1: the magic and deflate, the only method there is.
  if (count >= 3 && view.getUint16(0) === 0x1f8b && view.getUint8(2) === 8) return CaptureFormat.Gzip;
  if (count < 4) return CaptureFormat.Unknown;
  if (pcapByteOrder(view) !== undefined) return CaptureFormat.Pcap;
  return view.getUint32(0) === SectionHeader.Type ? CaptureFormat.Pcapng : CaptureFormat.Unknown;
}

/**
 * As `formatOf`, for what must be pcap or pcapng in a version that can be read. Throws `AppError` `INPUT_NOT_A_CAPTURE`, which
 * says what was found instead. A start that is right as far as it goes passes: the reader will say where it was cut.
 */
export function requireCapture(view: DataView, count: number, label: string): CaptureFormat.Pcap | CaptureFormat.Pcapng {
  const refuse = (what: string): AppError => new AppError('INPUT_NOT_A_CAPTURE', `${label}: ${what}`);
  if (count === 0) throw refuse('it is empty');
  const format = formatOf(view, count);
  if (format === CaptureFormat.Pcap) {
    const littleEndian = pcapByteOrder(view);
    if (count < 8) return format;
    const major = view.getUint16(4, littleEndian);
    const minor = view.getUint16(6, littleEndian);
    if (major !== 2 || minor > 4) throw refuse(`pcap version ${major}.${minor} is not known; there are 2.0 to 2.4`);
    return format;
  }
  if (format === CaptureFormat.Pcapng) {
    if (count < SectionHeader.MinorOffset + 2) return format;
    const littleEndian = byteOrderOf(view, SectionHeader.ByteOrderOffset, SectionHeader.ByteOrderMagic);
    if (littleEndian === undefined) throw refuse('it begins like pcapng, but has no byte order mark');
    const major = view.getUint16(SectionHeader.MajorOffset, littleEndian);
    const minor = view.getUint16(SectionHeader.MinorOffset, littleEndian);
    if (!isSectionVersionKnown(major, minor)) throw refuse(`pcapng version ${major}.${minor} is not known; there is 1.0`);
    return format;
  }
  const found = Array.from({ length: Math.min(count, 4) }, (_, i) => view.getUint8(i).toString(16).padStart(2, '0'));
  throw refuse(`neither pcap nor pcapng; it begins with ${found.join(' ')}`);
}

/** The draft names 1.0, and 1.2 for files that were written with a wrong number and are 1.0. */
export function isSectionVersionKnown(major: number, minor: number): boolean {
  return major === 1 && (minor === 0 || minor === 2);
}
