import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Cell } from '../../src/ring/thread-block.js';
import { flows, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';

const built = new URL('../../dist/src/store/backup/daily-backup.js', import.meta.url);
const { DailyBackup, lastDueMs } = (await import(
  existsSync(built) ? built.href : '../../src/store/backup/daily-backup.js'
)) as typeof import('../../src/store/backup/daily-backup.js');

const HOUR_MS = 3_600_000;
const at = (day: number, hours: number, minutes = 0): number => new Date(2025, 5, day, hours, minutes).getTime();

describe('the time of a daily backup', () => {
  it.each([
    [at(15, 2), at(15, 2)],
    [at(15, 1, 59), at(14, 2)],
    [at(15, 23), at(15, 2)],
    [at(1, 0), new Date(2025, 4, 31, 2).getTime()],
  ])('at %d was last due at %d', (nowMs, dueMs) => {
    expect(lastDueMs(nowMs, '02:00')).toBe(dueMs);
  });
});

/** Daily backups with a clock and hands of the test, in threads of the build. */
class Days {
  readonly rig: WriterRig;
  readonly directory = join(temporaryDirectory(), 'backups');
  nowMs = at(15, 1);
  readonly daily;

  constructor(options: Record<string, string | number> = {}) {
    const first = new WriterRig();
    first.store(flows(100));
    this.rig = new WriterRig({ path: first.path, options: { 'backup.directory': this.directory, ...options } });
    this.daily = this.successor();
    onTestFinished(() => this.daily.stop());
  }

  successor() {
    return new DailyBackup(
      this.rig.config,
      this.rig.memory.writer,
      (level, message, fields = {}) => this.rig.log.push({ level, message, fields }),
      () => this.nowMs,
    );
  }

  get files(): string[] {
    return existsSync(this.directory) ? readdirSync(this.directory).filter((name) => name.endsWith('.gz')) : [];
  }

  /** Looks, and waits for what that begins. */
  async look(daily = this.daily): Promise<void> {
    const lines = this.rig.log.length;
    daily.look();
    for (let i = 0; i < 100 && this.rig.log.length === lines && this.hasBegun(daily); i++) await setTimeout(50);
    for (let i = 0; i < 100 && this.hasBegun(daily); i++) await setTimeout(10);
  }

  private hasBegun(daily: unknown): boolean {
    return (daily as { worker: unknown }).worker !== null;
  }
}

describe.skipIf(!existsSync(built))('daily backups (needs npm run build)', () => {
  it('are made once a day, and a missed one once', async () => {
    const days = new Days();
    await days.look();
    expect(days.files).toHaveLength(1);
    expect(days.rig.writerBlock.cell(Cell.BackupsMade)).toBe(1);
    expect(days.rig.writerBlock.cell(Cell.BackupBytes)).toBeGreaterThan(50_000);
    await days.look();
    days.nowMs = at(15, 1, 59);
    await days.look();
    expect(days.files).toHaveLength(1);
    days.nowMs = at(15, 2);
    await days.look();
    expect(days.files).toHaveLength(2);
    // Off for a week: one backup makes up for all.
    days.nowMs = at(22, 12);
    const successor = days.successor();
    await days.look(successor);
    await days.look(successor);
    expect(days.files).toHaveLength(3);
    expect(days.rig.log.map(({ message }) => message)).toEqual(new Array(3).fill('backup made'));
  });

  it('that fail are told, and come again the next day', async () => {
    const days = new Days({ 'backup.directory': join(temporaryDirectory(), 'file', 'backups') });
    writeFileSync(join(days.rig.config.backupDirectory, '..'), 'no directory');
    for (let i = 0; i < 3; i++) await days.look();
    expect(days.rig.writerBlock.cell(Cell.BackupFailures)).toBe(1);
    days.nowMs += 2 * HOUR_MS;
    await days.look();
    expect(days.rig.writerBlock.cell(Cell.BackupFailures)).toBe(2);
    expect(days.rig.log.map(({ level, fields }) => ({ level, fields }))).toEqual(
      new Array(2).fill({ level: 'error', fields: { code: 'BACKUP_FAILED' } }),
    );
  });

  it('are broken off by a stop, and leave nothing half-done', async () => {
    const days = new Days({ 'backup.bytes-per-s-max': 1_000 });
    days.daily.look();
    while (days.rig.writerBlock.cell(Cell.BackupBytes) === 0) await setTimeout(10);
    await days.daily.stop();
    expect(readdirSync(days.directory)).toEqual(['flowberry.backup-lock']);
    expect(days.rig.writerBlock.cell(Cell.BackupFailures)).toBe(0);
    expect(days.rig.log).toMatchObject([{ level: 'info', message: expect.stringContaining('broken off') }]);
  });

  it('are none without a directory', () => {
    const days = new Days({ 'backup.directory': '' });
    days.daily.start();
    expect(days.rig.log).toEqual([]);
    expect(existsSync(days.directory)).toBe(false);
  });
});
