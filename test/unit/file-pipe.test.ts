import { execFileSync, spawnSync } from 'node:child_process';
import { constants, createWriteStream, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FileSource } from '../../src/capture/file-source.js';
import { Step } from '../../src/capture/source.js';
import { createInterfaceTable, InterfaceTable } from '../../src/ring/interface-table.js';
import { type FrameToWrite, pcapFile, pcapngFile } from '../helpers/capture-file.js';
import { udpFrame } from '../helpers/frames.js';
import { readable, readCapture, recorded, temporaryDirectory } from '../helpers/read-capture.js';
import { RecordingSink } from '../helpers/recording-sink.js';

const FRAMES: readonly FrameToWrite[] = Array.from({ length: 5000 }, (_, i) => ({ bytes: udpFrame({ srcPort: i }), seconds: i }));

const directory = temporaryDirectory();
const command = 'mkfifo';
const hasFifos = spawnSync(command, [join(directory, 'probe')]).status === 0;
let fifos = 0;

function makeFifo(): string {
  const path = join(directory, `fifo-${fifos++}`);
  execFileSync(command, [path]);
  return path;
}

describe.skipIf(!hasFifos)('a pipe (needs mkfifo)', () => {
  it.each([
    ['pcap', pcapFile(FRAMES)],
    ['pcapng', pcapngFile(FRAMES)],
    ['gzip', gzipSync(pcapFile(FRAMES))],
  ])('of %s is read to its end', async (_name, bytes) => {
    const path = makeFifo();
    const reading = readCapture([path]);
    createWriteStream(path).end(bytes);
    const result = await reading;
    expect(result.error).toBeUndefined();
    expect(result.frames).toEqual(recorded(FRAMES));
    expect(result).toMatchObject({ inputBytesRead: bytes.length, inputBytesTotal: 0 });
  });

  it('that gives nothing lets the source be asked again, and what came is handed over at once', async () => {
    const path = makeFifo();
    const sink = new RecordingSink();
    const source = new FileSource({ paths: [path], snapBytes: 65_535 });
    source.open(sink, new InterfaceTable(createInterfaceTable()));
    expect(await source.step(1)).toBe(Step.Idle);
    const writer = openSync(path, constants.O_WRONLY);
    expect(await source.step(1)).toBe(Step.Idle);
    const bytes = pcapFile(FRAMES.slice(0, 2));
    // Byte by byte up to the last one of the first record, which is handed over when that has come.
    const firstEnd = 24 + 16 + udpFrame().length;
    const stepUntil = async (done: () => boolean) => {
      while (!done()) expect(await source.step(1000)).not.toBe(Step.End);
    };
    for (let i = 0; i < firstEnd; i++) {
      writeSync(writer, bytes, i, 1);
      await stepUntil(() => source.statistics().inputBytesRead === i + 1);
      expect(sink.frames).toHaveLength(i + 1 === firstEnd ? 1 : 0);
    }
    expect(await source.step(1)).toBe(Step.Idle);
    writeSync(writer, bytes, firstEnd);
    await stepUntil(() => sink.frames.length === 2);
    expect(readable(sink.frames)).toEqual(recorded(FRAMES.slice(0, 2)));
    source.close();
  });

  it('that ends inside a record is broken', async () => {
    for (const compress of [false, true]) {
      const path = makeFifo();
      const reading = readCapture([path]);
      const bytes = pcapFile(FRAMES.slice(0, 10)).subarray(0, -1);
      createWriteStream(path).end(compress ? gzipSync(bytes) : bytes);
      const result = await reading;
      expect(result.frames).toEqual(recorded(FRAMES.slice(0, 9)));
      expect(result).toMatchObject({ failedAt: 'step', error: { code: 'INPUT_BROKEN' } });
    }
  });

  it('of text, or of nothing, is no capture', async () => {
    for (const [text, what] of [
      ['Hello, world\n', 'neither pcap nor pcapng; it begins with 48 65 6c 6c'],
      ['', 'it is empty'],
    ]) {
      const path = makeFifo();
      const reading = readCapture([path]);
      createWriteStream(path).end(text);
      expect(await reading).toMatchObject({
        frames: [],
        failedAt: 'step',
        error: { code: 'INPUT_NOT_A_CAPTURE', message: `${path}: ${what}` },
      });
    }
  });

  it('can be closed while it is waited for', async () => {
    const source = new FileSource({ paths: [makeFifo()], snapBytes: 65_535 });
    source.open(new RecordingSink(), new InterfaceTable(createInterfaceTable()));
    expect(await source.step(1)).toBe(Step.Idle);
    const step = source.step(60_000);
    source.close();
    expect(await step).not.toBe(Step.Idle);
    expect(source.step(0)).toBe(Step.End);
  });
});
