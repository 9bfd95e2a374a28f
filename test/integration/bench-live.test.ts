import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { LiveReport } from '../../bench/live/live-result.js';
import { program, temporaryDirectory } from '../helpers/daemon.js';
import { namespaceObstacle } from '../helpers/network-namespace.js';

const obstacle = namespaceObstacle();

/** A capture of its own, so that no other bench is asked to write the same file. */
const SMALL = ['--packets', '2000', '--flows', '200'];

const namespaceNames = (): string[] => {
  return execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith('flowberry-bench-'))
    .sort();
};

describe.skipIf(obstacle !== null)(`bench live${obstacle ? ` (${obstacle})` : ''}`, () => {
  it('sends, captures, and finds kernel, ledger and database in agreement', async () => {
    const directory = temporaryDirectory();
    const args = ['bench', 'live', '--rates', '2k,10k', '--count', '3000', ...SMALL];
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args, '--only', 'flowberry-afpacket', '--json'], {
      env: { ...process.env, TMPDIR: directory },
    });
    const report = JSON.parse(stdout) as LiveReport;
    expect(report.results.map(({ rate }) => rate)).toEqual([2000, 10_000]);
    for (const result of report.results) {
      expect(result).toMatchObject({ program: 'flowberry-afpacket', sent: 3000, arrived: 3000 });
      expect(result.stored + result.lost).toBe(3000);
      expect(new Set(Object.values(result.ledger ?? {}))).toEqual(new Set([0]));
      expect(Object.keys(result.stage_cpu_us_per_packet ?? {})).toEqual(['capture', 'parse', 'writer', 'other']);
      expect(result.rss_bytes_max).toBeGreaterThan(0);
    }
    expect(readdirSync(directory).filter((name) => name.includes('-run-'))).toEqual([]);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const directory = temporaryDirectory();
    const before = namespaceNames();
    const args = ['bench', 'live', '--rates', '1k', '--seconds', '600', ...SMALL, '--only', 'flowberry-afpacket'];
    const bench = spawn(process.execPath, [program, ...args], { env: { ...process.env, TMPDIR: directory }, stdio: 'ignore' });
    const own = `flowberry-bench-${bench.pid}`;
    const isCapturing = (): boolean => {
      const run = readdirSync(directory).find((name) => name.includes('-run-'));
      return (
        run !== undefined && readdirSync(directory, { recursive: true }).some((name) => String(name).endsWith('flowberry.db'))
      );
    };
    await expect.poll(isCapturing, { timeout: 25_000 }).toBe(true);
    expect(namespaceNames().some((line) => line.startsWith(own))).toBe(true);
    bench.kill('SIGINT');
    const [code] = (await once(bench, 'exit')) as [number];
    expect(code).toBe(130);
    expect(namespaceNames().filter((line) => !before.includes(line) && line.startsWith(own))).toEqual([]);
    expect(readdirSync(directory).filter((name) => name.includes('-run-'))).toEqual([]);
  });
});
