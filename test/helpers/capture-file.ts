/**
 * Writes capture files for tests: `pcapFile` and `pcapngFile` for a list of frames, `PcapngWriter` for a file block by block.
 * Everything is returned as bytes; compress them with `gzipSync`, put several one behind the other with `Buffer.concat`.
 */

/** One frame to write; the time is 0 where it is not given. */
export interface FrameToWrite {
  readonly bytes: Uint8Array;
  readonly seconds?: number;
  readonly nanoseconds?: number;
  /** Length on the wire, if it is not that of `bytes`. */
  readonly wireBytes?: number;
  /** Captured length as it is written, if it is not that of `bytes`. */
  readonly capturedBytes?: number;
  /** pcapng: which of the interfaces, 0 by default. */
  readonly interfaceId?: number;
}

export interface PcapFileOptions {
  readonly bigEndian?: boolean;
  /** Nanoseconds instead of microseconds. */
  readonly isNanosecond?: boolean;
  /** The format of old Linux distributions, with record headers of 24 bytes. */
  readonly isModified?: boolean;
  readonly major?: number;
  readonly minor?: number;
  readonly snapBytes?: number;
  /** The whole field, flags in its upper half included. */
  readonly linkType?: number;
}

/** A pcap file. Before version 2.3 the length on the wire is written first, as it was. */
export function pcapFile(frames: readonly FrameToWrite[], options: PcapFileOptions = {}): Buffer {
  const { bigEndian = false, isNanosecond = false, isModified = false, major = 2, minor = 4 } = options;
  const magic = isModified ? 0xa1b2cd34 : isNanosecond ? 0xa1b23c4d : 0xa1b2c3d4;
  const out = new ByteWriter(bigEndian);
  out.word(magic).half(major).half(minor).word(0).word(0);
  out.word(options.snapBytes ?? 262_144).word(options.linkType ?? 1);
  for (const frame of frames) {
    const nanoseconds = frame.nanoseconds ?? 0;
    const captured = frame.capturedBytes ?? frame.bytes.length;
    const wire = frame.wireBytes ?? frame.bytes.length;
    out.word(frame.seconds ?? 0).word(isNanosecond ? nanoseconds : Math.floor(nanoseconds / 1000));
    if (minor < 3) out.word(wire).word(captured);
    else out.word(captured).word(wire);
    if (isModified) out.word(2).half(0x0800).half(0);
    out.bytes(frame.bytes);
  }
  return out.finish();
}

export interface InterfaceToWrite {
  readonly name?: string;
  readonly linkType?: number;
  /** The byte of `if_tsresol`: n for 10^-n seconds, 128 + n for 2^-n. */
  readonly resolution?: number;
  /** `if_tsoffset`, added to every time that is read. */
  readonly offsetSeconds?: number;
  /** 0 is no limit. */
  readonly snapBytes?: number;
}

export type PacketBlock = 'enhanced' | 'simple' | 'obsolete';

/** A pcapng file of one section. */
export function pcapngFile(
  frames: readonly FrameToWrite[],
  options: { bigEndian?: boolean; interfaces?: readonly InterfaceToWrite[]; block?: PacketBlock } = {},
): Buffer {
  const writer = new PcapngWriter(options.bigEndian).section();
  for (const description of options.interfaces ?? [{}]) writer.interface(description);
  for (const frame of frames) writer.packet(frame, options.block);
  return writer.finish();
}

/** Ticks since 1970 of a time, in the resolution given as for `if_tsresol`; rounded down. */
function ticksOf(seconds: number, nanoseconds: number, resolution = 6): bigint {
  const perSecond = (resolution & 0x80 ? 2n : 10n) ** BigInt(resolution & 0x7f);
  return BigInt(seconds) * perSecond + (BigInt(nanoseconds) * perSecond) / 1_000_000_000n;
}

/** Writes a pcapng file block by block; lengths and padding are right unless they are given. */
export class PcapngWriter {
  private readonly out: ByteWriter;
  private interfaces: InterfaceToWrite[] = [];

  constructor(bigEndian = false) {
    this.out = new ByteWriter(bigEndian);
  }

  /** Begins a section. `byteOrderMagic` is wrong where a test wants it. */
  section({
    major = 1,
    minor = 0,
    byteOrderMagic = 0x1a2b3c4d,
  }: {
    major?: number;
    minor?: number;
    byteOrderMagic?: number;
  } = {}): this {
    this.interfaces = [];
    return this.block(0x0a0d0d0a, (body) => {
      body.word(byteOrderMagic).half(major).half(minor).word(0xffffffff).word(0xffffffff);
    });
  }

  interface(description: InterfaceToWrite = {}): this {
    this.interfaces.push(description);
    return this.block(1, (body) => {
      body
        .half(description.linkType ?? 1)
        .half(0)
        .word(description.snapBytes ?? 0);
      if (description.name !== undefined) body.option(2, new TextEncoder().encode(description.name));
      if (description.resolution !== undefined) body.option(9, Uint8Array.of(description.resolution));
      if (description.offsetSeconds !== undefined) {
        body
          .half(14)
          .half(8)
          .long(BigInt.asUintN(64, BigInt(description.offsetSeconds)));
      }
      body.half(0).half(0);
    });
  }

  packet(frame: FrameToWrite, block: PacketBlock = 'enhanced'): this {
    const captured = frame.capturedBytes ?? frame.bytes.length;
    const wire = frame.wireBytes ?? frame.bytes.length;
    if (block === 'simple') return this.block(3, (body) => body.word(wire).bytes(frame.bytes));
    const id = frame.interfaceId ?? 0;
    const origin = this.interfaces[id] ?? {};
    const ticks = ticksOf((frame.seconds ?? 0) - (origin.offsetSeconds ?? 0), frame.nanoseconds ?? 0, origin.resolution);
    return this.block(block === 'enhanced' ? 6 : 2, (body) => {
      if (block === 'enhanced') body.word(id);
      else body.half(id).half(0xffff);
      body
        .word(Number(ticks >> 32n))
        .word(Number(ticks & 0xffffffffn))
        .word(captured)
        .word(wire)
        .bytes(frame.bytes);
    });
  }

  /** Any block; its body is padded. The two lengths are wrong where a test wants them. */
  block(type: number, write: (body: ByteWriter) => void, lengths: { first?: number; last?: number } = {}): this {
    const body = new ByteWriter(this.out.bigEndian);
    write(body);
    const content = body.pad().finish();
    const bytes = content.length + 12;
    this.out
      .word(type)
      .word(lengths.first ?? bytes)
      .bytes(content)
      .word(lengths.last ?? bytes);
    return this;
  }

  finish(): Buffer {
    return this.out.finish();
  }
}

/** Gathers bytes in one byte order. */
export class ByteWriter {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  constructor(readonly bigEndian: boolean) {}

  bytes(bytes: Uint8Array): this {
    this.parts.push(bytes);
    this.length += bytes.length;
    return this;
  }

  half(value: number): this {
    return this.number(2, (view) => view.setUint16(0, value, !this.bigEndian));
  }

  word(value: number): this {
    return this.number(4, (view) => view.setUint32(0, value, !this.bigEndian));
  }

  long(value: bigint): this {
    return this.number(8, (view) => view.setBigUint64(0, value, !this.bigEndian));
  }

  option(code: number, value: Uint8Array): this {
    return this.half(code).half(value.length).bytes(value).pad();
  }

  /** Zeros up to a multiple of four. */
  pad(): this {
    return this.bytes(new Uint8Array((4 - (this.length % 4)) % 4));
  }

  finish(): Buffer {
    return Buffer.concat(this.parts);
  }

  private number(bytes: number, set: (view: DataView) => void): this {
    const buffer = new ArrayBuffer(bytes);
    set(new DataView(buffer));
    return this.bytes(new Uint8Array(buffer));
  }
}
