import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { goodBackups } from '../../src/store/backup/backup-files.js';
import { sha256Of } from '../../src/store/backup/packing.js';
import { checkDatabase } from '../../src/store/check.js';
import { flowberry, program } from '../helpers/daemon.js';
import { flows, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';

/** `npm run test:damage` kills it fifty times. */
const KILLS = process.env['DAMAGE'] === 'all' ? 50 : 4;
const FLOWS = 20_000;

const isFinal = (name: string): boolean => name.endsWith('.db.gz');

describe('kill -9 during a backup', () => {
  it(`${KILLS} times: database and earlier backups stay whole, and no half backup has a name`, { timeout: 300_000 }, async () => {
    const rig = new WriterRig({ options: { 'ring.flow-bytes': 16_777_216 } });
    rig.store(flows(FLOWS));
    const directory = join(temporaryDirectory(), 'backups');
    mkdirSync(directory);
    const writer = rig.open(NOW_MS + 1e6);
    const args = ['db', 'backup', '--db', rig.path, '--to', directory, '--backup-keep', '2'];
    let underWay = 0;
    let backupMs = 0;
    let kill = -1;
    // The first one is left alone, and tells how long a backup takes. At least one kill must meet a backup under way.
    for (; kill < KILLS || underWay === 0; kill++) {
      const child = spawn(process.execPath, [program, ...args], { stdio: 'ignore' });
      onTestFinished(() => void child.kill('SIGKILL'));
      const exited = once(child, 'exit');
      const isUnderWay = (): boolean => readdirSync(directory).some((name) => name.endsWith('.partial'));
      while (child.exitCode === null && !isUnderWay()) await sleep(1);
      const startMs = performance.now();
      if (kill >= 0) {
        // Spread over the whole of it, the last moments included.
        await sleep(((kill % KILLS) / KILLS) * backupMs * 1.5);
        child.kill('SIGKILL');
      }
      await exited;
      if (kill < 0) backupMs = performance.now() - startMs;
      else if (isUnderWay()) underWay++;
      rig.emitAll(flows(20, { emittedUs: NOW_MS * 1000 + 2e9 + kill * 1e6 }));
      while (writer.step(NOW_MS + 1e6 + kill, true));
      const good = goodBackups(directory, rig.path);
      expect(readdirSync(directory).filter(isFinal).length).toBe(good.length);
      for (const { path, metadata } of good) expect(await sha256Of(path)).toBe(metadata.file_sha256);
      expect(checkDatabase(rig.path).checks.filter(({ ok }) => !ok)).toEqual([]);
    }
    writer.close(NOW_MS + 2e6);
    const made = goodBackups(directory, rig.path).length;
    console.log(`${kill} kills, ${underWay} of them left parts behind; ${made} good backups are there`);
    const { exitCode, stdout } = await flowberry([...args, '--json']);
    expect(exitCode).toBe(0);
    const { path } = JSON.parse(stdout) as { path: string };
    expect(readdirSync(directory).filter((name) => name.endsWith('.partial'))).toEqual([]);
    const restored = join(temporaryDirectory(), 'restored.db');
    expect((await flowberry(['db', 'restore', path, '--db', restored])).exitCode).toBe(0);
    expect(checkDatabase(restored).flows).toBe(FLOWS + (kill + 1) * 20);
  });

  it('is refused with a clear line where nothing says whereto, and a restore while the daemon writes', async () => {
    const rig = new WriterRig();
    rig.store(flows(10));
    expect(await flowberry(['db', 'backup', '--db', rig.path])).toMatchObject({
      exitCode: 64,
      stderr: expect.stringMatching(/^flowberry: USAGE: db backup: give --to DIRECTORY/),
    });
    const directory = temporaryDirectory();
    const made = await flowberry(['db', 'backup', '--db', rig.path, '--to', directory]);
    expect(made.stdout).toMatch(/^\/.*flowberry-\d{8}T\d{6}Z\.db\.gz: 10 flows, 0 DNS transactions, \d+ bytes packed to \d+\n$/);
    const writer = rig.open();
    const [backup] = readdirSync(directory).filter(isFinal);
    expect(await flowberry(['db', 'restore', join(directory, backup ?? ''), '--db', rig.path])).toMatchObject({
      exitCode: 75,
      stderr: expect.stringMatching(/^flowberry: DATABASE_LOCKED/),
    });
    writer.abandon();
  });
});
