import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateCapture } from '../../bench/generate.js';
import { findProgram } from '../../bench/programs/find-program.js';
import { PEERS } from '../../bench/programs/peers.js';
import { NO_FIGURES, type Program } from '../../bench/programs/program.js';
import { runPrograms } from '../../bench/programs/run-programs.js';
import { timeProgram } from '../../bench/programs/time-program.js';
import { metricOf } from '../../bench/result.js';
import { temporaryDirectory } from '../helpers/read-capture.js';

const noProgress = (): void => undefined;
const hasProc = existsSync('/proc/self/stat');

/** A program that runs a line of JavaScript. */
function scripted(name: string, script: string, given: Partial<Program> = {}): Program {
  return {
    name,
    work: 'nothing',
    find: () => process.execPath,
    prepare: async (path) => ({
      command: path,
      args: ['-e', script],
      figures: () => ({ ...NO_FIGURES, packets: 1000, flows: 10 }),
      close: () => undefined,
    }),
    ...given,
  };
}

const plan = { own: scripted('own', ''), peers: [], file: 'none', values: { packets: 1000 }, flows: 10, runs: 1 };

describe('timed programs', () => {
  it('run in turn, so often as asked', async () => {
    const log = join(temporaryDirectory(), 'log');
    const note = (name: string): Program => scripted(name, `require('fs').appendFileSync(${JSON.stringify(log)}, '${name} ')`);
    const { results, skipped } = await runPrograms(
      { ...plan, own: note('a'), peers: [note('b'), note('c')], runs: 2 },
      noProgress,
    );
    expect(readFileSync(log, 'utf8')).toBe('a b c a b c ');
    expect(results.map((result) => result.case)).toEqual(['pipeline', 'b', 'c']);
    expect(results.map((result) => metricOf(result, 'wall_s')?.samples)).toEqual([2, 2, 2]);
    expect(skipped).toEqual([]);
  });

  it('give the command, the wall time, and how long each takes beside flowberry', async () => {
    const slow = scripted('slow', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)');
    const { results } = await runPrograms({ ...plan, peers: [slow] }, noProgress);
    const [own, peer] = results;
    expect(own?.command).toBe(`${process.execPath} -e `);
    const wall = (result: typeof own): number => (result && metricOf(result, 'wall_s')?.median) ?? Number.NaN;
    expect(wall(peer)).toBeGreaterThan(0.3);
    expect(peer && metricOf(peer, 'wall_over_flowberry')?.median).toBeCloseTo(wall(peer) / wall(own), 6);
    expect(own && metricOf(own, 'packets_per_s')?.median).toBeCloseTo(1000 / wall(own), 6);
  });

  it.skipIf(!hasProc)('have their CPU time and peak memory told apart (needs /proc)', async () => {
    // It ends when it has used a second of CPU time, however long that takes; the other one sleeps.
    const busy = scripted('busy', 'while (process.cpuUsage().user < 1e6); Buffer.alloc(2 ** 27, 1)');
    const { results } = await runPrograms(
      { ...plan, own: busy, peers: [scripted('idle', 'setTimeout(() => 0, 300)')] },
      noProgress,
    );
    const [own, peer] = results.map((result) => metricOf(result, 'cpu_s')?.median ?? Number.NaN);
    expect(own).toBeGreaterThan(0.9);
    expect(peer).toBeLessThan(own as number);
    expect(results[1] && metricOf(results[1], 'rss_bytes_max')?.median).toBeGreaterThan(10_000_000);
  });

  it('that tell the CPU time of their stages have it per packet', async () => {
    const figures = { ...NO_FIGURES, packets: 1000, cpuNsByStage: { capture: 2_000, parse: 5_000 } };
    const own = scripted('own', '', {
      prepare: async (command) => ({ command, args: ['-e', ''], figures: () => figures, close: () => undefined }),
    });
    const { results } = await runPrograms({ ...plan, own }, noProgress);
    const stage = (name: string): number | undefined => results[0] && metricOf(results[0], `${name}_cpu_ns_per_packet`)?.median;
    expect([stage('capture'), stage('parse'), stage('writer')]).toEqual([2, 5, undefined]);
  });

  it('that are not installed are skipped by name', async () => {
    const missing = scripted('missing', '', { find: () => null });
    const { results, skipped } = await runPrograms({ ...plan, peers: [missing] }, noProgress);
    expect(results).toHaveLength(1);
    expect(skipped).toEqual([{ case: 'missing', reason: 'missing is not installed' }]);
  });

  it('that fail are skipped with what they said, and not run again', async () => {
    const log = join(temporaryDirectory(), 'log');
    const script = `require('fs').appendFileSync(${JSON.stringify(log)}, 'x'); console.error('no such thing'); process.exit(3)`;
    const { results, skipped } = await runPrograms({ ...plan, peers: [scripted('bad', script)], runs: 2 }, noProgress);
    expect(results).toHaveLength(1);
    expect(skipped[0]).toMatchObject({ case: 'bad', reason: expect.stringMatching(/ended with code 3: no such thing/) });
    expect(readFileSync(log, 'utf8')).toBe('x');
  });

  it('end the bench when flowberry itself fails', async () => {
    const failing = runPrograms({ ...plan, own: scripted('own', 'process.exit(70)') }, noProgress);
    await expect(failing).rejects.toMatchObject({ code: 'BENCH_RUN_FAILED', message: expect.stringContaining('code 70') });
  });

  it('end the bench when flowberry has a wrong result', async () => {
    const wrong = scripted('own', '', {
      prepare: async (path) => ({
        command: path,
        args: ['-e', ''],
        figures: () => {
          throw new Error('wrong result');
        },
        close: () => undefined,
      }),
    });
    await expect(runPrograms({ ...plan, own: wrong }, noProgress)).rejects.toMatchObject({ code: 'BENCH_RUN_FAILED' });
  });

  it('are found in the path and among the system programs', () => {
    expect(findProgram('sh')).toMatch(/\/sh$/);
    expect(findProgram('no-such-program-of-flowberry')).toBeNull();
    expect(PEERS.map(({ name }) => name)).toEqual(['softflowd', 'nfpcapd', 'ndpiReader', 'tcpdump']);
  });

  for (const peer of PEERS.filter(({ name }) => name !== 'tcpdump')) {
    const path = peer.find();
    it.skipIf(path === null)(`tell what they counted: ${peer.name} (needs to be installed)`, async () => {
      const directory = temporaryDirectory();
      const { path: file, truth } = generateCapture({ packets: 2000, flows: 100, seed: 1 }, directory);
      const { figures } = await timeProgram(await peer.prepare(path as string, file, directory));
      expect(figures.packets).toBe(truth.packets);
      expect(figures.flows).toBeGreaterThanOrEqual(truth.flows);
    });
  }
});
