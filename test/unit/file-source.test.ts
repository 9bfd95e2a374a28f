import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileSource } from '../../src/capture/file-source.js';
import { Step } from '../../src/capture/source.js';
import { createInterfaceTable, InterfaceTable } from '../../src/ring/interface-table.js';
import { type FrameToWrite, pcapFile } from '../helpers/capture-file.js';
import { tcpFrame, udpFrame } from '../helpers/frames.js';
import { asNobody, otherUserObstacle } from '../helpers/other-user.js';
import { readable, readCapture, recorded, TestFiles } from '../helpers/read-capture.js';
import { RecordingSink } from '../helpers/recording-sink.js';

const files = new TestFiles();

const FRAMES: readonly FrameToWrite[] = [
  { bytes: udpFrame({ payload: 'one' }), seconds: 1_700_000_000, nanoseconds: 123_456_000 },
  { bytes: tcpFrame({ flags: 'S' }).subarray(0, 40), wireBytes: 1514, seconds: 1_700_000_001, nanoseconds: 0 },
  { bytes: new Uint8Array(0), wireBytes: 60, seconds: 0xffff_ffff, nanoseconds: 999_999_000 },
];

describe('pcap', () => {
  for (const bigEndian of [false, true]) {
    for (const isNanosecond of [false, true]) {
      it(`is read in ${bigEndian ? 'big' : 'little'}-endian order with ${isNanosecond ? 'ns' : 'µs'}`, async () => {
        const frames = isNanosecond ? [...FRAMES, { bytes: udpFrame(), seconds: 5, nanoseconds: 999_999_999 }] : FRAMES;
        const path = files.write('plain.bin', pcapFile(frames, { bigEndian, isNanosecond }));
        const result = await readCapture([path]);
        expect(result.error).toBeUndefined();
        expect(result.frames).toEqual(recorded(frames));
      });
    }
  }

  it('of plain files is read without waiting', async () => {
    const result = await readCapture([files.write('plain.pcap', pcapFile(FRAMES))]);
    expect(result.stepsAwaited).toBe(0);
  });

  it('names one interface after the file, with the link type of the lower 16 bits', async () => {
    const path = files.write('office.pcap', pcapFile(FRAMES, { linkType: 0x3000_0114 }));
    const result = await readCapture([path]);
    expect(result.interfaces).toEqual(['office.pcap:276']);
    expect(result.frames).toEqual(recorded(FRAMES, 276));
  });

  it('with the longer record headers of old Linux distributions is read', async () => {
    const result = await readCapture([files.write('modified.pcap', pcapFile(FRAMES, { isModified: true }))]);
    expect(result.frames).toEqual(recorded(FRAMES));
  });

  it('before version 2.3 has its two lengths the other way round', async () => {
    const result = await readCapture([files.write('2.1.pcap', pcapFile(FRAMES, { minor: 1 }))]);
    expect(result.frames).toEqual(recorded(FRAMES));
  });

  it('of version 2.3 has its two lengths in either order', async () => {
    const straight = pcapFile(FRAMES, { minor: 3 });
    const swapped = pcapFile(FRAMES, { minor: 1 });
    swapped.writeUInt16LE(3, 6);
    for (const bytes of [straight, swapped]) {
      expect((await readCapture([files.write('2.3.pcap', bytes)])).frames).toEqual(recorded(FRAMES));
    }
  });

  it('frames are cut at the snap length and keep their length on the wire', async () => {
    const bytes = udpFrame({ payload: 'x'.repeat(500) });
    const result = await readCapture([files.write('snap.pcap', pcapFile([{ bytes }]))], { snapBytes: 128 });
    expect(result.frames).toEqual(recorded([{ bytes: bytes.subarray(0, 128), wireBytes: bytes.length }]));
  });

  it('a fraction of more than a second is carried into the seconds', async () => {
    const seen: [number, number][] = [];
    const sink = new RecordingSink();
    sink.frame = (_view, _offset, _captured, _wire, seconds, nanoseconds) => void seen.push([seconds, nanoseconds]);
    const bytes = pcapFile([
      { bytes: udpFrame(), seconds: 10 },
      { bytes: udpFrame(), seconds: 0xffff_ffff },
    ]);
    bytes.writeUInt32LE(2_500_000, 24 + 4);
    bytes.writeUInt32LE(0xffff_ffff, 24 + 16 + udpFrame().length + 4);
    const source = new FileSource({ paths: [files.write('fraction.pcap', bytes)], snapBytes: 65_535 });
    source.open(sink, new InterfaceTable(createInterfaceTable()));
    while (source.step(0) !== Step.End);
    source.close();
    expect(seen).toEqual([
      [12, 500_000_000],
      [0xffff_ffff, 967_295_000],
    ]);
  });

  it('larger than the window is read whole', async () => {
    const frames = Array.from({ length: 40 }, (_, i) => ({ bytes: new Uint8Array(262_144 - i).fill(i), seconds: i }));
    const result = await readCapture([files.write('large.pcap', pcapFile(frames))]);
    expect(result.error).toBeUndefined();
    expect(result.frames).toEqual(recorded(frames));
  });

  it('of many small records is handed over in many steps', async () => {
    const frames = Array.from({ length: 30_000 }, (_, i) => ({ bytes: Uint8Array.of(i >> 8, i), seconds: i }));
    const sink = new RecordingSink();
    const source = new FileSource({ paths: [files.write('many.pcap', pcapFile(frames))], snapBytes: 65_535 });
    source.open(sink, new InterfaceTable(createInterfaceTable()));
    let most = 0;
    for (let before = 0; source.step(0) !== Step.End; before = sink.frames.length)
      most = Math.max(most, sink.frames.length - before);
    expect(readable(sink.frames)).toEqual(recorded(frames));
    expect(most).toBeLessThan(10_000);
  });
});

describe('a broken pcap file', () => {
  const second = 24 + 16 + (FRAMES[0] as FrameToWrite).bytes.length;

  it('that ends inside a record gives all records before it, and the position', async () => {
    const path = files.write('cut.pcap', pcapFile(FRAMES).subarray(0, second + 20));
    const result = await readCapture([path]);
    expect(result.frames).toEqual(recorded(FRAMES.slice(0, 1)));
    expect(result.error?.code).toBe('INPUT_BROKEN');
    expect(result.error?.message).toBe(`${path}: byte ${second}: a record is cut short: only 20 bytes of it are there`);
  });

  it('that ends inside its file header is broken at byte 0', async () => {
    const path = files.write('head.pcap', pcapFile(FRAMES).subarray(0, 10));
    const result = await readCapture([path]);
    expect(result.error?.code).toBe('INPUT_BROKEN');
    expect(result.error?.message).toBe(`${path}: byte 0: the file header is cut short: 10 of 24 bytes`);
  });

  it('with an insane captured length is broken at that record', async () => {
    const path = files.write(
      'insane.pcap',
      pcapFile([FRAMES[0] as FrameToWrite, { bytes: new Uint8Array(300_000), capturedBytes: 262_145 }]),
    );
    const result = await readCapture([path]);
    expect(result.frames).toHaveLength(1);
    expect(result.error?.code).toBe('INPUT_BROKEN');
    expect(result.error?.message).toContain(`byte ${second}: a record claims 262145 captured bytes`);
  });

  it('in a large file is broken at its position in the file', async () => {
    const frames = Array.from({ length: 3000 }, () => ({ bytes: new Uint8Array(1000) }));
    const whole = pcapFile(frames);
    const path = files.write('large-cut.pcap', whole.subarray(0, whole.length - 1));
    const result = await readCapture([path]);
    expect(result.frames).toHaveLength(2999);
    expect(result.error?.message).toContain(`byte ${24 + 2999 * 1016}:`);
  });
});

describe('what is no capture', () => {
  it.each([
    ['an empty file', new Uint8Array(0), 'it is empty'],
    ['a text file', 'Hello, world\n', 'neither pcap nor pcapng; it begins with 48 65 6c 6c'],
    ['a file of two bytes', Uint8Array.of(0xd4, 0xc3), 'neither pcap nor pcapng; it begins with d4 c3'],
    ['pcap of version 1.4', pcapFile(FRAMES, { major: 1 }), 'pcap version 1.4 is not known; there are 2.0 to 2.4'],
    ['pcap of version 2.5', pcapFile(FRAMES, { minor: 5 }), 'pcap version 2.5 is not known; there are 2.0 to 2.4'],
  ])('%s is refused at open, before any frame of another file', async (_name, bytes, what) => {
    const good = files.write('good.pcap', pcapFile(FRAMES));
    const path = files.write('none', bytes);
    const result = await readCapture([good, path]);
    expect(result).toMatchObject({ frames: [], failedAt: 'open' });
    expect(result.error?.code).toBe('INPUT_NOT_A_CAPTURE');
    expect(result.error?.message).toBe(`${path}: ${what}`);
  });

  it('a missing file is not found', async () => {
    for (const path of [join(files.directory, 'missing.pcap'), join(files.write('a-file', 'x'), 'below.pcap')]) {
      const result = await readCapture([files.write('good.pcap', pcapFile(FRAMES)), path]);
      expect(result).toMatchObject({ frames: [], failedAt: 'open', error: { code: 'INPUT_NOT_FOUND' } });
      expect(result.error?.message).toBe(`${path}: there is no such file`);
    }
  });

  it('a directory is not readable', async () => {
    const path = join(files.directory, 'directory');
    mkdirSync(path);
    const result = await readCapture([path]);
    expect(result).toMatchObject({
      failedAt: 'open',
      error: { code: 'INPUT_NOT_READABLE', message: `${path}: it is a directory` },
    });
  });

  it('standard input can be named only once', async () => {
    const result = await readCapture(['-', '-']);
    expect(result).toMatchObject({ failedAt: 'open', error: { code: 'INPUT_NOT_READABLE' } });
  });
});

const obstacle = otherUserObstacle();
describe.skipIf(obstacle !== null)(`a file without the right to read it (needs ${obstacle})`, () => {
  it('is not readable', async () => {
    const path = files.write('secret.pcap', pcapFile(FRAMES));
    chmodSync(files.directory, 0o755);
    chmodSync(path, 0);
    const result = await asNobody(() => readCapture([path]));
    expect(result).toMatchObject({ frames: [], failedAt: 'open', error: { code: 'INPUT_NOT_READABLE' } });
    expect(result.error?.message).toContain(`${path}: EACCES`);
  });
});

describe('several files', () => {
  it('are read one after another, each as an interface', async () => {
    const first = files.write('first.pcap', pcapFile(FRAMES));
    const second = files.write('second.pcap', pcapFile(FRAMES, { linkType: 101, bigEndian: true }));
    const result = await readCapture([first, second]);
    expect(result.frames).toEqual([...recorded(FRAMES), ...recorded(FRAMES, 101, 1)]);
    expect(result.interfaces).toEqual(['first.pcap:1', 'second.pcap:101']);
  });

  it('are all read when one is broken; the first error is thrown once, at the end, and names the others', async () => {
    const broken = (name: string) => files.write(name, pcapFile(FRAMES).subarray(0, -1));
    const good = files.write('good.pcap', pcapFile(FRAMES));
    const sink = new RecordingSink();
    const source = new FileSource({ paths: [broken('b1.pcap'), good, broken('b2.pcap'), good], snapBytes: 65_535 });
    source.open(sink, new InterfaceTable(createInterfaceTable()));
    const run = () => {
      while (source.step(0) !== Step.End);
    };
    expect(run).toThrow(/b1\.pcap: byte \d+: .* \(also broken: .*b2\.pcap\)$/);
    expect(sink.frames).toHaveLength(2 + 3 + 2 + 3);
    expect(source.step(0)).toBe(Step.End);
    source.close();
  });

  it('none at all is an end at once', async () => {
    expect(await readCapture([])).toMatchObject({ frames: [], error: undefined });
  });
});

describe('statistics', () => {
  it('count the bytes of all files, and their total before anything is read', async () => {
    const paths = [files.write('s1.pcap', pcapFile(FRAMES)), files.write('s2.pcap', pcapFile(FRAMES.slice(1)))];
    const total = pcapFile(FRAMES).length + pcapFile(FRAMES.slice(1)).length;
    const source = new FileSource({ paths, snapBytes: 65_535 });
    source.open(new RecordingSink(), new InterfaceTable(createInterfaceTable()));
    expect(source.statistics()).toEqual({ kernelPackets: 0, kernelDropped: 0, inputBytesRead: 0, inputBytesTotal: total });
    source.close();
    expect(await readCapture(paths)).toMatchObject({ inputBytesRead: total, inputBytesTotal: total });
  });

  it('a closed source has ended, however often it is closed', () => {
    const source = new FileSource({ paths: [files.write('closed.pcap', pcapFile(FRAMES))], snapBytes: 65_535 });
    source.close();
    source.open(new RecordingSink(), new InterfaceTable(createInterfaceTable()));
    source.step(0);
    source.close();
    source.close();
    expect(source.step(0)).toBe(Step.End);
  });
});
