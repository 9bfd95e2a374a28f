import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { pcapFile } from '../helpers/capture-file.js';
import { temporaryDirectory } from '../helpers/daemon.js';
import { udpFrame } from '../helpers/frames.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a script of node to its end. */
function run(script: string, args: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { cwd: root }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code ?? 1) : 0, stdout, stderr });
    });
  });
}

const fuzz = (...args: readonly string[]) => run('dist.fuzz/test/fuzz/main.js', args);

describe('npm run fuzz', () => {
  beforeAll(async () => {
    // It writes its files, as the build does, whatever the types say: those are the concern of `npm run check`.
    await run('node_modules/typescript/bin/tsc', ['-p', 'test/fuzz']);
  }, 120_000);

  it('says what it fed and what came of it, and ends with 0 where nothing is found', async () => {
    const { exitCode, stdout, stderr } = await fuzz('--packets', '2_000', '--seed', '3');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^fuzz: 2000 packets, seed 3, 0 frames of captures\n2000 packets in /);
    expect(stdout).toMatch(/\nno findings\n$/);
  });

  it('takes the frames of captures in, too', async () => {
    const captures = temporaryDirectory();
    writeFileSync(join(captures, 'two.pcap'), pcapFile([{ bytes: udpFrame() }, { bytes: udpFrame({ srcPort: 5 }) }]));
    const { exitCode, stdout } = await fuzz('--packets', '500', '--captures', captures);
    expect([exitCode, stdout.split('\n')[0]]).toEqual([0, 'fuzz: 500 packets, seed 1, 2 frames of captures']);
  });

  it('writes each finding with seed and number, and ends with 1', async () => {
    const out = temporaryDirectory();
    // No packet is handled in no time, so each is a finding.
    const { exitCode, stderr } = await fuzz('--packets', '500', '--step-ms', '0', '--out', out);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('FINDING: packet 0: a packet that took');
    const written = readdirSync(out);
    expect(written).toContain('fuzz-seed-1-packet-0.pcap');
    expect(written).toHaveLength(10);
  });

  it.each([
    ['--packets', 'many'],
    ['--nothing', '1'],
    ['--captures', '/nonexistent'],
  ])('refuses %s %s in one line', async (...args) => {
    const { exitCode, stdout, stderr } = await fuzz(...args);
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/^fuzz: .*\n$/);
    expect(stderr).toContain(args[0]);
  });
});
