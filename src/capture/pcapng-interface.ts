import { TickClock } from './file-ticks.js';

/** Offsets in an interface description block (draft-ietf-opsawg-pcapng section 4.2). */
const enum Description {
  LinkType = 8,
  SnapBytes = 12,
  Options = 16,
  TrailerBytes = 4,
}

/** Options of the block; all others are skipped. */
const enum OptionCode {
  End = 0,
  Name = 2,
  TickResolution = 9,
  TickOffset = 14,
}

/** One interface of a section. */
export interface PcapngInterface {
  /** What the file calls it; empty where it says nothing. */
  readonly name: string;
  readonly linkType: number;
  /** Captured bytes of a frame at most; 0 for no limit. */
  readonly snapBytes: number;
  readonly clock: TickClock;
  /** Index in the interface table, -1 until the first frame of the interface. */
  index: number;
}

/** Microseconds, where the option is missing. */
const TICK_RESOLUTION_DEFAULT = 6;

/**
 * Reads the interface description block of `bytes` bytes at `offset`, all of them in the view and at least 20; a text says
 * what is wrong with it.
 */
export function readInterface(view: DataView, offset: number, bytes: number, littleEndian: boolean): PcapngInterface | string {
  let name = '';
  let tickResolution = TICK_RESOLUTION_DEFAULT;
  let offsetSeconds = 0;
  const end = offset + bytes - Description.TrailerBytes;
  let next = offset + Description.Options;
  while (next + 4 <= end) {
    const code = view.getUint16(next, littleEndian);
    const length = view.getUint16(next + 2, littleEndian);
    const value = next + 4;
    if (code === OptionCode.End) break;
    if (value + length > end) return `option ${code} of an interface reaches beyond its block`;
    if (code === OptionCode.Name) {
      name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + value, length));
    } else if (code === OptionCode.TickResolution) {
      if (length !== 1) return `the resolution of an interface has ${length} bytes instead of 1`;
      tickResolution = view.getUint8(value);
    } else if (code === OptionCode.TickOffset) {
      if (length !== 8) return `the time offset of an interface has ${length} bytes instead of 8`;
      offsetSeconds = Number(view.getBigInt64(value, littleEndian));
    }
    next = value + ((length + 3) & ~3);
  }
  return {
    name,
    linkType: view.getUint16(offset + Description.LinkType, littleEndian),
    snapBytes: view.getUint32(offset + Description.SnapBytes, littleEndian),
    clock: new TickClock(tickResolution, offsetSeconds),
    index: -1,
  };
}
