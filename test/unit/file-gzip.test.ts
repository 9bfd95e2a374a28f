import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type FrameToWrite, pcapFile, pcapngFile } from '../helpers/capture-file.js';
import { tcpFrame, udpFrame } from '../helpers/frames.js';
import { readCapture, recorded, TestFiles } from '../helpers/read-capture.js';

const files = new TestFiles();

const FRAMES: readonly FrameToWrite[] = Array.from({ length: 400 }, (_, i) => ({
  bytes: i % 2 === 0 ? udpFrame({ srcPort: i, payload: `frame ${i * i}` }) : tcpFrame({ seq: i * 7919 }),
  seconds: 1_700_000_000 + i,
  nanoseconds: ((i * 7919) % 1000) * 1_000_000,
}));

/** Bytes that hardly compress, so that the compressed file has many slices. */
let state = 1;
const NOISE: readonly FrameToWrite[] = Array.from({ length: 300 }, (_, i) => ({
  bytes: Uint8Array.from({ length: 1000 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state >> 16;
  }),
  seconds: i,
}));

describe('gzip', () => {
  it.each([
    ['pcap', pcapFile(FRAMES)],
    ['big-endian pcap', pcapFile(FRAMES, { bigEndian: true })],
    ['pcapng', pcapngFile(FRAMES)],
  ])('%s is read, whatever the file is called', async (_name, bytes) => {
    const compressed = gzipSync(bytes);
    const result = await readCapture([files.write('capture', compressed)]);
    expect(result.error).toBeUndefined();
    expect(result.frames).toEqual(recorded(FRAMES));
    expect(result).toMatchObject({ inputBytesRead: compressed.length, inputBytesTotal: compressed.length });
  });

  it('of several members, cut anywhere, is one stream', async () => {
    const bytes = pcapFile(FRAMES);
    const members = [bytes.subarray(0, 3), bytes.subarray(3, 30), bytes.subarray(30, 5000), bytes.subarray(5000)];
    const path = files.write('members.gz', Buffer.concat(members.map((member) => gzipSync(member))));
    expect((await readCapture([path])).frames).toEqual(recorded(FRAMES));
  });

  it('that grows a thousandfold is read within the window', async () => {
    const frames = Array.from({ length: 100 }, (_, i) => ({ bytes: new Uint8Array(262_144), seconds: i }));
    const result = await readCapture([files.write('bomb.gz', gzipSync(pcapFile(frames)))], { snapBytes: 128 });
    expect(result.error).toBeUndefined();
    expect(result.frames).toHaveLength(frames.length);
  });

  it('among plain files is read in its turn', async () => {
    const plain = files.write('plain.pcap', pcapFile(FRAMES.slice(0, 2)));
    const gzip = files.write('compressed.pcap.gz', gzipSync(pcapFile(FRAMES.slice(2, 4), { linkType: 101 })));
    const result = await readCapture([plain, gzip, plain]);
    expect(result.frames).toEqual([
      ...recorded(FRAMES.slice(0, 2)),
      ...recorded(FRAMES.slice(2, 4), 101, 1),
      ...recorded(FRAMES.slice(0, 2)),
    ]);
  });

  it('of no capture is refused at open', async () => {
    for (const [content, what] of [
      ['', 'it is empty'],
      ['a text', 'neither pcap nor pcapng; it begins with 61 20 74 65'],
      ['a long text '.repeat(100_000), 'neither pcap nor pcapng; it begins with 61 20 6c 6f'],
      [gzipSync(pcapFile(FRAMES)), 'neither pcap nor pcapng; it begins with 1f 8b 08 00'],
    ] as const) {
      const path = files.write('none.gz', gzipSync(content));
      const result = await readCapture([path]);
      expect(result).toMatchObject({ failedAt: 'open', error: { code: 'INPUT_NOT_A_CAPTURE', message: `${path}: ${what}` } });
    }
  });
});

describe('a broken gzip file', () => {
  const whole = gzipSync(pcapFile(NOISE));

  it('that is cut gives every whole record before the cut', async () => {
    for (const cut of [15, 100, 20_000, whole.length - 9, whole.length - 1]) {
      const result = await readCapture([files.write('cut.gz', whole.subarray(0, cut))]);
      expect(result.frames).toEqual(recorded(NOISE).slice(0, result.frames.length));
      expect(result).toMatchObject({ failedAt: 'step', error: { code: 'INPUT_BROKEN' } });
      const position = cut === 15 ? 0 : 24 + result.frames.length * 1016;
      expect(result.error?.message).toContain(`cut.gz: byte ${position}: the gzip data are broken: unexpected end of file`);
      if (cut === 20_000) expect(result.frames.length).toBeGreaterThan(15);
      if (cut >= whole.length - 9) expect(result.frames).toHaveLength(NOISE.length);
    }
  });

  it('with a wrong checksum gives every record', async () => {
    const bytes = Buffer.from(whole);
    bytes.writeUInt32LE((bytes.readUInt32LE(bytes.length - 8) ^ 1) >>> 0, bytes.length - 8);
    const result = await readCapture([files.write('checksum.gz', bytes)]);
    expect(result.frames).toEqual(recorded(NOISE));
    expect(result.error?.message).toContain('the gzip data are broken: incorrect data check');
  });

  it('with something else behind gives every record', async () => {
    const result = await readCapture([files.write('behind.gz', Buffer.concat([whole, Buffer.from('something else')]))]);
    expect(result.frames).toEqual(recorded(NOISE));
    expect(result).toMatchObject({ failedAt: 'step', error: { code: 'INPUT_BROKEN' } });
  });

  it('with padding of zeros behind is sound', async () => {
    const result = await readCapture([files.write('padded.gz', Buffer.concat([whole, Buffer.alloc(70_000)]))]);
    expect(result.error).toBeUndefined();
    expect(result.frames).toEqual(recorded(NOISE));
  });

  it('with an impossible block gives everything before it, to the byte', async () => {
    // A gzip header, stored blocks that say nothing by themselves, then a block of the type that does not exist.
    const sound = pcapFile(NOISE.slice(0, 100)).subarray(0, 24 + 60 * 1016);
    const blocks = deflateRawSync(sound, { finishFlush: 2 });
    const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);
    const bytes = Buffer.concat([header, blocks, Uint8Array.of(0x07, 0xff, 0xff, 0xff), Buffer.alloc(40_000)]);
    const result = await readCapture([files.write('impossible.gz', bytes)]);
    expect(result.frames).toEqual(recorded(NOISE.slice(0, 60)));
    expect(result).toMatchObject({ failedAt: 'step', error: { code: 'INPUT_BROKEN' } });
    expect(result.error?.message).toContain(`byte ${sound.length}: the gzip data are broken: invalid block type`);
  });

  it('does not keep the files behind it from being read', async () => {
    const broken = files.write('broken.gz', whole.subarray(0, 50_000));
    const good = files.write('good.pcap', pcapFile(FRAMES));
    const result = await readCapture([broken, good]);
    expect(result.frames.slice(-FRAMES.length)).toEqual(recorded(FRAMES, 1, 1));
    expect(result.error?.message).toContain('broken.gz: byte ');
  });
});
