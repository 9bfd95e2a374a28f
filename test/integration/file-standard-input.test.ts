import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type FrameToWrite, pcapFile, pcapngFile } from '../helpers/capture-file.js';
import { udpFrame } from '../helpers/frames.js';
import { TestFiles } from '../helpers/read-capture.js';

const built = new URL('../../dist/src/', import.meta.url);
const files = new TestFiles();

/** Reads standard input as the capture thread does, in a worker, and prints what becomes of it line by line. */
const READER = `
import { writeSync } from 'node:fs';
import { FileSource } from '${built}capture/file-source.js';
import { createInterfaceTable, InterfaceTable } from '${built}ring/interface-table.js';
const [IDLE, END] = [0, 2];
let frames = 0;
const table = new InterfaceTable(createInterfaceTable());
const source = new FileSource({ paths: ['-'], snapBytes: 65535 });
const print = (line) => writeSync(1, line + '\\n');
try {
  source.open({ frame: () => void frames++ }, table);
  for (let idle = 0; ;) {
    const before = frames;
    const step = await source.step(20);
    if (frames > before) print('frames ' + frames);
    if (step === IDLE && idle++ === 0) print('idle');
    if (step === END) break;
    if (process.env.CLOSE_WHEN_IDLE && idle > 0) { source.close(); break; }
  }
  print('end ' + frames + ' ' + table.name(0));
} catch (error) {
  print('error ' + frames + ' ' + error.code + ' ' + error.message);
}
`;
const PROGRAM = `
import { Worker } from 'node:worker_threads';
new Worker(new URL('data:text/javascript,' + encodeURIComponent(process.env.READER)));
`;

/** Starts the reader with its standard input from `stdin`, or from what a shell command writes into a pipe. */
function start(stdin: 'pipe' | number, environment: Record<string, string> = {}, shell?: string): ChildProcess {
  const command = [process.execPath, '--input-type=module', '-e', PROGRAM];
  const env = { ...process.env, READER, ...environment };
  const options: SpawnOptions = { stdio: [stdin, 'pipe', 'inherit'], env };
  if (shell === undefined) return spawn(command[0] as string, command.slice(1), options);
  return spawn('sh', ['-c', `${shell} | "$@"`, 'sh', ...command], options);
}

async function linesOf(child: ChildProcess): Promise<string[]> {
  const lines: string[] = [];
  if (child.stdout) for await (const line of createInterface(child.stdout)) lines.push(line);
  return lines;
}

const FRAMES: readonly FrameToWrite[] = Array.from({ length: 20_000 }, (_, i) => ({
  bytes: udpFrame({ srcPort: i }),
  seconds: i,
}));

describe.skipIf(!existsSync(new URL('capture/file-source.js', built)))('standard input (needs the build)', () => {
  it.each([
    ['pcap', pcapFile(FRAMES)],
    ['pcapng', pcapngFile(FRAMES, { interfaces: [{ name: 'stdin' }] })],
    ['gzip', gzipSync(pcapFile(FRAMES))],
  ])('of %s comes from a pipe, a socket or a file', async (name, bytes) => {
    const path = files.write(name, bytes);
    const fromPipe = await linesOf(start('pipe', {}, `cat '${path}'`));
    expect(fromPipe.at(-1)).toBe('end 20000 stdin');

    const child = start('pipe');
    child.stdin?.end(bytes);
    expect((await linesOf(child)).at(-1)).toBe('end 20000 stdin');

    const fd = openSync(path, 'r');
    const fromFile = await linesOf(start(fd));
    closeSync(fd);
    expect(fromFile.at(-1)).toBe('end 20000 stdin');
  });

  it('that is slow is waited for, and what came is handed over at once', async () => {
    const child = start('pipe');
    const bytes = pcapFile(FRAMES.slice(0, 2));
    const lines = createInterface(child.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]();
    const next = async () => (await lines.next()).value as string;
    expect(await next()).toBe('idle');
    child.stdin?.write(bytes.subarray(0, bytes.length - 1));
    expect(await next()).toBe('frames 1');
    child.stdin?.end(bytes.subarray(bytes.length - 1));
    expect(await next()).toBe('frames 2');
    expect(await next()).toBe('end 2 stdin');
  });

  it('that stays open does not keep a stopped process alive', async () => {
    const child = start('pipe', { CLOSE_WHEN_IDLE: '1' });
    expect((await once(child, 'exit'))[0]).toBe(0);
  });

  it('that is broken, empty or no capture is said so', async () => {
    const cut = files.write('cut', pcapFile(FRAMES).subarray(0, -1));
    const last = 24 + 19_999 * (16 + udpFrame().length);
    expect((await linesOf(start('pipe', {}, `cat '${cut}'`))).at(-1)).toBe(
      `error 19999 INPUT_BROKEN standard input: byte ${last}: a record is cut short: only ${16 + udpFrame().length - 1} bytes of it are there`,
    );
    expect(await linesOf(start('pipe', {}, 'printf text'))).toEqual([
      'error 0 INPUT_NOT_A_CAPTURE standard input: neither pcap nor pcapng; it begins with 74 65 78 74',
    ]);
    for (const path of ['/dev/null', files.write('empty', '')]) {
      const fd = openSync(path, 'r');
      expect(await linesOf(start(fd))).toEqual(['error 0 INPUT_NOT_A_CAPTURE standard input: it is empty']);
      closeSync(fd);
    }
    const directory = openSync(fileURLToPath(new URL('.', import.meta.url)), 'r');
    expect(await linesOf(start(directory))).toEqual(['error 0 INPUT_NOT_READABLE standard input: it is a directory']);
    closeSync(directory);
  });
});
