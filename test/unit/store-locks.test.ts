import { execFileSync } from 'node:child_process';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { WriterLock } from '../../src/store/writer-lock.js';
import { flows, NOW_MS, WriterRig } from '../helpers/flow-records.js';

/** Runs SQL in another process, as `sqlite3` does, without waiting for locks: the first value, or the error's code. */
function elsewhere(path: string, sql: string): string {
  const script = `
    const db = new (require('better-sqlite3'))(process.argv[1], { timeout: 0 });
    try {
      process.stdout.write(String(db.prepare(process.argv[2]).pluck().get()));
    } catch (error) {
      process.stdout.write(error.code);
    }`;
  return execFileSync(process.execPath, ['-e', script, path, sql], { encoding: 'utf8' });
}

// POSIX locks belong to a process and a file: closing any descriptor of the file gives up all of them.
describe('locks on the database', () => {
  it('are kept by readers while the writer counts and measures', () => {
    const rig = new WriterRig({ options: { 'batch.rows-min': 1 } });
    const writer = rig.open();
    rig.emitAll(flows(10));
    writer.step(NOW_MS + 1000, true);
    const reader = new Database(rig.path, { readonly: true });
    reader.exec('BEGIN; SELECT count(*) FROM flows');
    rig.emitAll(flows(10));
    for (let step = 2; step < 10; step++) writer.step(NOW_MS + step * 1000, false);
    // The log may not be emptied under who reads: 1 is busy.
    expect(elsewhere(rig.path, 'PRAGMA wal_checkpoint(TRUNCATE)')).toBe('1');
    reader.close();
    expect(elsewhere(rig.path, 'PRAGMA wal_checkpoint(TRUNCATE)')).toBe('0');
    writer.close(NOW_MS + 10_000);
  });

  it('of the writer outlast one who asks in vain', () => {
    const rig = new WriterRig();
    const lock = WriterLock.acquire(rig.path);
    expect(() => WriterLock.acquire(rig.path)).toThrow(expect.objectContaining({ code: 'DATABASE_LOCKED' }));
    expect(elsewhere(`${rig.path}-lock`, 'SELECT count(*) FROM sqlite_schema')).toBe('SQLITE_BUSY');
    lock.release();
    expect(elsewhere(`${rig.path}-lock`, 'SELECT count(*) FROM sqlite_schema')).toBe('0');
  });
});
