import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { LogFileOptions } from '../../src/log/log-file.js';
import { temporaryDirectory } from '../helpers/daemon.js';
import { logFiles, logLines } from '../helpers/log-lines.js';

const WRITER = fileURLToPath(new URL('../fixtures/log-writer.mjs', import.meta.url));
const BUFFER_LINES = 100;
const LAST = 40_000;

/** What a writer told last: lines that it had handed over, and how many of them the kernel had taken. */
interface Told {
  readonly handed: number;
  readonly written: number;
}

/** Runs a writer from line `first` on; kills it once it has handed over `killAt`. */
async function runWriter(options: LogFileOptions, first: number, killAt = Number.POSITIVE_INFINITY): Promise<Told> {
  const child = spawn(process.execPath, [WRITER, ...[options, first, LAST].map((value) => JSON.stringify(value))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told: Told = { handed: first - 1, written: first - 1 };
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [handed, unwritten] = line.split(' ').map(Number) as [number, number];
    told = { handed, written: handed - unwritten };
    if (handed >= killAt) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return told;
}

describe('rotation and compression', () => {
  it('lose no line over a hundred rotations; a kill -9 loses what was gathered, at most', async () => {
    const folder = temporaryDirectory();
    const options = {
      path: join(folder, 'f.log'),
      fileBytesMax: 30_000,
      filesMax: 1_000,
      ageMsMax: 1e9,
      bufferLines: BUFFER_LINES,
      bufferMs: 5_000,
    };
    const gaps: { readonly written: number; readonly next: number }[] = [];
    let first = 1;
    for (const killAt of [3_000, 11_111, 17_550, 24_001, 33_333]) {
      const { handed, written } = await runWriter(options, first, killAt);
      expect(handed - written).toBeLessThanOrEqual(BUFFER_LINES);
      // Far beyond anything that the killed one may have written, so that a gap shows.
      first = handed + 2_000;
      gaps.push({ written, next: first });
    }
    await runWriter(options, first);

    const lines = logLines(folder, 'f.log').filter((line) => line.startsWith('{"number":') && line.endsWith('}'));
    const numbers = lines.map((line) => (JSON.parse(line) as { number: number }).number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    const inFile = new Set(numbers);
    const isInGap = (number: number): boolean => gaps.some(({ written, next }) => number > written && number < next);
    const missing: number[] = [];
    for (let number = 1; number <= LAST; number++) if (!inFile.has(number) && !isInGap(number)) missing.push(number);
    expect(missing).toEqual([]);

    const files = logFiles(folder, 'f.log');
    expect(files.length).toBeGreaterThan(100);
    expect(files.filter((name) => !name.endsWith('.gz'))).toEqual(['f.log']);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  }, 60_000);
});
