import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BenchReport, CaseResult } from '../../bench/result.js';
import { CASE_NAMES } from '../../bench/run-bench.js';
import { flowberry, temporaryDirectory } from '../helpers/daemon.js';

/** Results of the smoke values; those of the other cases are in the unit tests. */
const RING_THREADS_RESULT = 'dea9890526529521';
const PIPELINE_RESULT = 'dc5c1e00cc93d57d';

/** Runs the bench with temporary files in a directory of the test. */
async function bench(args: readonly string[], directory = temporaryDirectory()): ReturnType<typeof flowberry> {
  return await flowberry(['bench', ...args], { env: { TMPDIR: directory } });
}

function caseOf(report: BenchReport, name: string): CaseResult {
  const found = report.results.find((result) => result.case === name);
  if (!found) throw new Error(`the report has no case ${name}`);
  return found;
}

function figure(result: CaseResult, name: string): number {
  return result.metrics.find((metric) => metric.name === name)?.median ?? Number.NaN;
}

describe('flowberry bench', () => {
  it('runs every case with small values and prints one object', async () => {
    const directory = temporaryDirectory();
    const { exitCode, stdout, stderr } = await bench(['--smoke', '--json'], directory);
    expect([exitCode, stderr]).toEqual([0, '']);
    const report = JSON.parse(stdout) as BenchReport;
    expect(report.results.map((result) => result.case)).toEqual(CASE_NAMES);
    expect(report.skipped).toEqual([]);
    expect(caseOf(report, 'ring-threads').result_hash).toBe(RING_THREADS_RESULT);
    const pipeline = caseOf(report, 'pipeline');
    expect(pipeline.result_hash).toBe(PIPELINE_RESULT);
    expect(figure(pipeline, 'packets_dropped')).toBe(0);
    expect(figure(pipeline, 'rows')).toBeGreaterThanOrEqual(2000);
    for (const name of ['wall_s', 'rss_bytes_max', 'packets_per_s', 'stored_bytes'])
      expect(figure(pipeline, name)).toBeGreaterThan(0);
    expect(report.machine.node).toBe(process.version);
    expect(report.input?.generated).toMatchObject({ packets: 20_000, flows: 2_000, seed: 1 });
    // Only the capture, for the next time, and its description are left.
    expect(readdirSync(directory)).toHaveLength(2);
  });

  it('prints the machine, every case and its figures for people', async () => {
    const { exitCode, stdout } = await bench(['--smoke', '--only', 'ring,pipeline', '--packets', '3000', '--flows', '500']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^flowberry \d+\.\d+\.\d+/);
    expect(stdout).toContain('\nmachine  ');
    expect(stdout).toContain('generated: 3,000 packets, 500 flows, seed 1');
    expect(stdout).toMatch(/\nring: .*\n {2}ns_per_record/);
    expect(stdout).toMatch(/\npipeline: packets 3,000, flows 500, seed 1\n {2}\$ .* replay .* --json\n/);
    expect(stdout).not.toContain('decode');
  });

  it('reads a given file, and refuses one that is not there', async () => {
    const directory = temporaryDirectory();
    await bench(['--smoke', '--only', 'pipeline', '--packets', '100', '--flows', '10'], directory);
    const file = join(directory, readdirSync(directory).find((name) => name.endsWith('.pcap')) as string);
    const { exitCode, stdout } = await bench(['--only', 'pipeline', '--runs', '1', '--json', '--file', file]);
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout) as BenchReport;
    expect(report.input).toMatchObject({ path: file, generated: null });
    expect(caseOf(report, 'pipeline').values).toMatchObject({ file });
    const missing = await bench(['--only', 'pipeline', '--file', join(directory, 'missing.pcap')]);
    expect(missing.exitCode).toBe(66);
    expect(missing.stderr).toContain('INPUT_NOT_FOUND');
  });

  it('compares with a baseline, and ends with a code when a median is worse', async () => {
    const directory = temporaryDirectory();
    const baseline = join(directory, 'baseline.json');
    const smoke = ['--smoke', '--only', 'ring'];
    expect((await bench([...smoke, '--save', baseline])).exitCode).toBe(0);
    const saved = JSON.parse(readFileSync(baseline, 'utf8')) as BenchReport;
    const scaled = (factor: number): string => {
      const path = join(directory, `${factor}.json`);
      const results = saved.results.map((result) => ({
        ...result,
        metrics: result.metrics.map((metric) => ({ ...metric, median: metric.median * factor })),
      }));
      writeFileSync(path, JSON.stringify({ ...saved, results }));
      return path;
    };
    const better = await bench([...smoke, '--compare', scaled(1000)]);
    expect([better.exitCode, better.stderr]).toEqual([0, '']);
    expect(better.stdout).toMatch(/ring +ns_per_record/);
    const worse = await bench([...smoke, '--compare', scaled(0.001)]);
    expect(worse.exitCode).toBe(1);
    expect(worse.stderr).toContain('BENCH_REGRESSION');
    expect(worse.stdout).toContain('WORSE');
    const other = await bench(['--smoke', '--only', 'decode', '--compare', baseline]);
    expect([other.exitCode, other.stdout.includes('decode: the baseline does not have it')]).toEqual([64, true]);
  });

  it('names peers that are not installed, and times the others', async () => {
    const { exitCode, stdout } = await bench(['--smoke', '--only', 'pipeline', '--peers', '--json', '--packets', '1000']);
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout) as BenchReport;
    const named = [...report.results.slice(1), ...report.skipped].map((result) => result.case);
    expect(named.sort()).toEqual(['ndpiReader', 'nfpcapd', 'softflowd', 'tcpdump']);
    for (const peer of report.results.slice(1)) expect(figure(peer, 'wall_over_flowberry')).toBeGreaterThan(0);
  });

  it('deletes what it has generated', async () => {
    const directory = temporaryDirectory();
    await bench(['--smoke', '--only', 'pipeline', '--packets', '100', '--flows', '10'], directory);
    writeFileSync(join(directory, 'other'), '');
    const { exitCode, stdout } = await bench(['--clean'], directory);
    expect(exitCode).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(2);
    expect(readdirSync(directory)).toEqual(['other']);
  });

  it.each([
    ['--only', 'nothing', 'ring, ring-threads'],
    ['--packets', 'many', '--packets many'],
    ['--compare', '/nonexistent', '/nonexistent'],
  ])('refuses %s %s in one line', async (flag, value, part) => {
    const { exitCode, stdout, stderr } = await bench([flag, value]);
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/^flowberry: USAGE: .*\n$/);
    expect(stderr).toContain(part);
  });
});
