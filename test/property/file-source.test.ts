import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FrameToWrite, type PacketBlock, PcapngWriter, pcapFile, pcapngFile } from '../helpers/capture-file.js';
import { tcpFrame, udpFrame } from '../helpers/frames.js';
import { readCapture, recorded, TestFiles } from '../helpers/read-capture.js';

const files = new TestFiles();
const read = (bytes: Uint8Array) => readCapture([files.write('property', bytes)]);

const INTERFACES = [{ name: 'a', resolution: 9 }, { name: 'b' }, { resolution: 3, offsetSeconds: 1000 }];

/** Nanoseconds that each interface of `INTERFACES` can say. */
const TICK_NS = [1, 1000, 1_000_000];

const anyFrame = fc
  .record({
    bytes: fc.uint8Array({ maxLength: 300 }),
    seconds: fc.integer({ min: 1000, max: 0xffff_ffff }),
    nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
    beyondBytes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff_0000 })),
    interfaceId: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ beyondBytes, ...frame }) => ({ ...frame, wireBytes: frame.bytes.length + beyondBytes }));

const rounded = (frame: FrameToWrite, unit: number): FrameToWrite => ({
  ...frame,
  nanoseconds: Math.floor((frame.nanoseconds ?? 0) / unit) * unit,
});

describe('any list of frames', () => {
  it('is read back from pcap', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFrame, { maxLength: 30 }),
        fc.record({ bigEndian: fc.boolean(), isNanosecond: fc.boolean(), minor: fc.integer({ min: 0, max: 4 }) }),
        fc.boolean(),
        async (frames, options, compress) => {
          const bytes = pcapFile(frames, options);
          const result = await read(compress ? gzipSync(bytes) : bytes);
          expect(result.error).toBeUndefined();
          expect(result.frames).toEqual(recorded(frames.map((frame) => rounded(frame, options.isNanosecond ? 1 : 1000))));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is read back from pcapng', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFrame, { maxLength: 30 }),
        fc.boolean(),
        fc.constantFrom<PacketBlock>('enhanced', 'obsolete'),
        fc.boolean(),
        async (frames, bigEndian, block, compress) => {
          const bytes = pcapngFile(frames, { bigEndian, block, interfaces: INTERFACES });
          const result = await read(compress ? gzipSync(bytes) : bytes);
          const order = [...new Set(frames.map((frame) => frame.interfaceId))];
          const expected = frames.flatMap((frame) => {
            const inTicks = rounded(frame, TICK_NS[frame.interfaceId] ?? 1);
            return recorded([inTicks], 1, order.indexOf(frame.interfaceId));
          });
          expect(result.error).toBeUndefined();
          expect(result.frames).toEqual(expected);
          expect(result.interfaces).toEqual(order.map((id) => `${INTERFACES[id]?.name ?? `property#${id}`}:1`));
        },
      ),
      { numRuns: 200 },
    );
  });
});

const FRAMES: readonly FrameToWrite[] = [
  { bytes: udpFrame({ payload: 'first' }), seconds: 1_700_000_000, nanoseconds: 1000 },
  { bytes: tcpFrame().subarray(0, 21), wireBytes: 54, seconds: 1_700_000_001 },
  { bytes: new Uint8Array(0), seconds: 1_700_000_002 },
  { bytes: Uint8Array.of(1, 2, 3), seconds: 1_700_000_003 },
];

/** A pcapng file that has everything, and the lengths at which it may end soundly. */
function eventfulPcapng(bigEndian: boolean): { bytes: Buffer; soundLengths: Set<number> } {
  const soundLengths = new Set<number>();
  const writer = new PcapngWriter(bigEndian);
  const note = () => soundLengths.add(writer.finish().length);
  for (let section = 0; section < 2; section++) {
    writer.section();
    note();
    writer.interface({ name: 'eth0', snapBytes: 1000 });
    note();
    for (const frame of FRAMES.slice(section * 2, section * 2 + 2)) {
      writer.packet(frame, section === 0 ? 'enhanced' : 'obsolete');
      note();
      writer.block(5, (body) => body.word(0).word(0));
      note();
    }
  }
  return { bytes: writer.finish(), soundLengths };
}

function eventfulPcap(bigEndian: boolean, isModified: boolean): { bytes: Buffer; soundLengths: Set<number> } {
  const write = (count: number) => pcapFile(FRAMES.slice(0, count), { bigEndian, isModified });
  const soundLengths = new Set(Array.from({ length: FRAMES.length + 1 }, (_, count) => write(count).length));
  return { bytes: write(FRAMES.length), soundLengths };
}

const VARIANTS = [
  ['pcap', eventfulPcap(false, false)],
  ['big-endian pcap', eventfulPcap(true, false)],
  ['modified pcap', eventfulPcap(false, true)],
  ['pcapng', eventfulPcapng(false)],
  ['big-endian pcapng', eventfulPcapng(true)],
] as const;

describe('a file cut at any byte', () => {
  it.each(VARIANTS)('%s gives a prefix of its frames, and an error unless the cut is between records', async (_name, variant) => {
    for (let cut = 0; cut <= variant.bytes.length; cut++) {
      const result = await read(variant.bytes.subarray(0, cut));
      expect(result.frames).toEqual(recorded(FRAMES).slice(0, result.frames.length));
      const code = variant.soundLengths.has(cut) ? undefined : cut < 4 ? 'INPUT_NOT_A_CAPTURE' : 'INPUT_BROKEN';
      expect(result.error?.code, `cut at ${cut}`).toBe(code);
      if (cut === variant.bytes.length) expect(result.frames).toHaveLength(FRAMES.length);
    }
  });

  it.each(VARIANTS)('%s in gzip gives a prefix of its frames and an error', async (_name, variant) => {
    const compressed = gzipSync(variant.bytes);
    for (let cut = 0; cut < compressed.length; cut++) {
      const result = await read(compressed.subarray(0, cut));
      expect(result.frames).toEqual(recorded(FRAMES).slice(0, result.frames.length));
      expect(result.error?.code, `cut at ${cut}`).toBe(cut < 3 ? 'INPUT_NOT_A_CAPTURE' : 'INPUT_BROKEN');
    }
  });
});

describe('a file with any bytes changed', () => {
  it.each(VARIANTS)('%s is read to an end or to an error', async (_name, variant) => {
    const change = fc.tuple(fc.nat(variant.bytes.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), fc.boolean(), async (changes, compress) => {
        const bytes = Buffer.from(variant.bytes);
        for (const [at, value] of changes) bytes[at] = value;
        const result = await read(compress ? gzipSync(bytes) : bytes);
        for (const { hex, wireBytes, timestamp } of result.frames) {
          expect(hex.length / 2).toBeLessThanOrEqual(variant.bytes.length);
          expect(wireBytes).toBeGreaterThanOrEqual(0);
          expect(timestamp >= 0n && timestamp < 2n ** 32n * 1_000_000_000n).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gzip is read to an end or to an error', async () => {
    const frames = Array.from({ length: 50 }, () => FRAMES).flat();
    const whole = recorded(frames);
    const compressed = gzipSync(pcapFile(frames));
    const change = fc.tuple(fc.nat(compressed.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = Buffer.from(compressed);
        for (const [at, value] of changes) bytes[at] = value;
        const result = await read(bytes);
        // The checksum covers the content, so that what passes is what was written.
        if (result.error === undefined) expect(result.frames).toEqual(whole);
        else expect(result.error.code).toMatch(/^INPUT_(BROKEN|NOT_A_CAPTURE)$/);
      }),
      { numRuns: 200 },
    );
  });
});
