import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { LOG_WAITING_MAX, LogFile, type LogFileOptions } from '../../src/log/log-file.js';
import { temporaryDirectory } from '../helpers/daemon.js';
import { logFiles, logLines } from '../helpers/log-lines.js';
import { resizeDisk, SMALL_DISK_BYTES, smallDisk, smallDiskObstacle } from '../helpers/tiny-disk.js';

const DAY_MS = 86_400_000;

class Rig {
  readonly folder: string;
  readonly path: string;
  readonly troubles: string[] = [];
  readonly options: LogFileOptions;
  nowMs = Date.now();
  file: LogFile;

  constructor(given: Partial<LogFileOptions> = {}, folder = temporaryDirectory()) {
    this.folder = folder;
    this.path = join(folder, 'f.log');
    this.options = {
      path: this.path,
      fileBytesMax: 1000,
      filesMax: 3,
      ageMsMax: DAY_MS,
      bufferLines: 10,
      bufferMs: 3_600_000,
      ...given,
    };
    this.file = this.open();
  }

  open(): LogFile {
    return new LogFile(
      this.options,
      (message) => this.troubles.push(message),
      () => this.nowMs,
    );
  }

  get text(): string {
    return readFileSync(this.path, 'utf8');
  }

  get names(): string[] {
    return readdirSync(this.folder).sort();
  }

  /** Until the file holds what is expected: it is written behind the back of this thread. */
  async has(text: string): Promise<void> {
    while (this.text !== text) await sleep(2);
  }
}

const numbered = (first: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `line ${first + i} ${'x'.repeat(40)}\n`);

describe('a log file', () => {
  it('gathers lines until there are enough', async () => {
    const rig = new Rig({ bufferLines: 3 });
    rig.file.write('a\n', false);
    rig.file.write('b\n', false);
    expect(rig.text).toBe('');
    rig.file.write('c\n', false);
    await rig.has('a\nb\nc\n');
    expect(rig.file.writes).toBe(1);
  });

  it('gathers lines until the first has waited long enough', async () => {
    const rig = new Rig({ bufferMs: 10 });
    rig.file.write('a\n', false);
    expect(rig.text).toBe('');
    await rig.has('a\n');
  });

  it('has an urgent line on its way with all before it, also while others are being written', () => {
    const rig = new Rig({ bufferLines: 2 });
    rig.file.write('a\n', false);
    // This one starts a write, which is not over when the urgent one comes.
    rig.file.write('b\n', false);
    rig.file.write('c\n', false);
    rig.file.write('d\n', true);
    expect(rig.text).toBe('a\nb\nc\nd\n');
  });

  it('writes nothing twice and nothing out of order, whatever overtakes what', async () => {
    const rig = new Rig({ bufferLines: 3, fileBytesMax: 1e6 });
    const lines = numbered(1, 2000);
    for (const [index, line] of lines.entries()) {
      rig.file.write(line, index % 7 === 0);
      if (index % 5 === 0) await sleep(0);
    }
    await rig.file.close();
    expect(rig.text).toBe(lines.join(''));
  });

  it('rotates before a file grows beyond its limit, compresses, and keeps so many', async () => {
    const rig = new Rig({ bufferLines: 1 });
    const lines = numbered(1, 200);
    for (const line of lines) rig.file.write(line, true);
    await rig.file.close();
    const names = logFiles(rig.folder, 'f.log');
    expect(names.filter((name) => name.endsWith('.gz'))).toHaveLength(3);
    expect(names).toHaveLength(4);
    for (const name of names.slice(0, 3))
      expect(gunzipSync(readFileSync(join(rig.folder, name))).length).toBeLessThanOrEqual(1000);
    const kept = logLines(rig.folder, 'f.log');
    expect(kept).toEqual(lines.slice(-kept.length).map((line) => line.trimEnd()));
    for (const name of rig.names) expect(statSync(join(rig.folder, name)).mode & 0o777).toBe(0o600);
    expect(rig.troubles).toEqual([]);
  });

  it('goes on where an earlier run ended, and ends a line that was cut off', async () => {
    const rig = new Rig();
    rig.file.write('whole\ncut', true);
    const next = rig.open();
    next.write('next\n', true);
    expect(rig.text).toBe('whole\ncut\nnext\n');
  });

  it('finishes what a crash left of a rotation, at whatever moment', async () => {
    const folder = temporaryDirectory();
    const put = (name: string, bytes: string | Buffer): void => writeFileSync(join(folder, name), bytes);
    put('f.log.1.gz', gzipSync('one\n'));
    put('f.log.2', 'two\n');
    put('f.log.2.gz', gzipSync('two\n'));
    put('f.log.3', 'three\n');
    put('f.log.3.gz.tmp', 'half');
    put('f.log.other', 'not ours');
    const rig = new Rig({ filesMax: 10 }, folder);
    await rig.file.close();
    expect(rig.names).toEqual(['f.log', 'f.log.1.gz', 'f.log.2.gz', 'f.log.3.gz', 'f.log.other']);
    expect(gunzipSync(readFileSync(join(folder, 'f.log.3.gz'))).toString()).toBe('three\n');
  });

  it('deletes rotated files that are too old, at the start and once an hour', async () => {
    const folder = temporaryDirectory();
    const rig = new Rig({ filesMax: 10, bufferMs: 5 }, folder);
    const old = (name: string): void => {
      writeFileSync(join(folder, name), gzipSync('x'));
      utimesSync(join(folder, name), new Date(rig.nowMs - 2 * DAY_MS), new Date(rig.nowMs - 2 * DAY_MS));
    };
    old('f.log.1.gz');
    rig.file = rig.open();
    expect(existsSync(join(folder, 'f.log.1.gz'))).toBe(false);
    old('f.log.2.gz');
    rig.file.write('a\n', false);
    await rig.has('a\n');
    expect(existsSync(join(folder, 'f.log.2.gz'))).toBe(true);
    rig.nowMs += 3_600_000;
    rig.file.write('b\n', false);
    await rig.has('a\nb\n');
    expect(existsSync(join(folder, 'f.log.2.gz'))).toBe(false);
  });

  it('begins a new file when another program has moved or cut its own', () => {
    const rig = new Rig();
    rig.file.write('a\n', true);
    renameSync(rig.path, join(rig.folder, 'moved'));
    rig.file.write('b\n', true);
    expect(rig.text).toBe('b\n');
    truncateSync(rig.path);
    rig.file.write('c\n', true);
    expect(rig.text).toBe('c\n');
  });

  it('does not follow a link, and refuses what it cannot open', () => {
    const folder = temporaryDirectory();
    writeFileSync(join(folder, 'victim'), 'precious');
    symlinkSync(join(folder, 'victim'), join(folder, 'f.log'));
    expect(() => new Rig({}, folder)).toThrow(/ELOOP/);
    mkdirSync(join(folder, 'g.log'));
    expect(() => new Rig({ path: join(folder, 'g.log') }, folder)).toThrow(/EISDIR/);
  });
});

const obstacle = smallDiskObstacle();

describe.skipIf(obstacle !== null)(`a full disk${obstacle === null ? '' : ` (skipped: ${obstacle})`}`, () => {
  it('costs no line while it lasts shortly, throws nothing, and is over when there is room', async () => {
    const folder = smallDisk();
    const rig = new Rig({ bufferLines: 10, bufferMs: 10, fileBytesMax: 1e6 }, folder);
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(45_000));
    const lines = numbered(1, 1000);
    for (const line of lines) rig.file.write(line, false);
    while (!rig.file.isFailing) await sleep(2);
    rig.file.write('urgent\n', true);
    expect(rig.file).toMatchObject({ isFailing: true, lost: 0 });
    resizeDisk(folder, 2 ** 20);
    await rig.has([...lines, 'urgent\n'].join(''));
    expect(rig.file).toMatchObject({ isFailing: false, lost: 0 });
  });

  it('is given up on, counted, once too much waits', () => {
    const folder = smallDisk();
    const rig = new Rig({ bufferLines: 10_000, fileBytesMax: 1e9 }, folder);
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(SMALL_DISK_BYTES));
    for (let i = 0; i < LOG_WAITING_MAX.lines + 5; i++) rig.file.write(`${'x'.repeat(20)}\n`, i === 0);
    expect(rig.file.isFailing).toBe(true);
    expect(rig.file.lost).toBeGreaterThan(0);
  });
});
