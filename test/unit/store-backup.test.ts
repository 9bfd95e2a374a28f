import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type BackupOptions, backupDatabase } from '../../src/store/backup/backup.js';
import { goodBackups, metadataPath } from '../../src/store/backup/backup-files.js';
import { restoreDatabase } from '../../src/store/backup/restore.js';
import { Throttle } from '../../src/store/backup/throttle.js';
import { checkDatabase } from '../../src/store/check.js';
import { flow, flows, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';
import { dns } from '../helpers/name-records.js';

const HOUR_MS = 3_600_000;

function optionsOf(rig: WriterRig, given: Partial<BackupOptions> = {}): BackupOptions {
  return {
    databasePath: rig.path,
    directory: join(temporaryDirectory(), 'backups'),
    keep: 3,
    compression: 'gzip',
    bytesPerSMax: 0,
    nowMs: NOW_MS,
    ...given,
  };
}

function rigWith(count: number): WriterRig {
  const rig = new WriterRig();
  rig.store(flows(count));
  return rig;
}

const failedOf = (path: string) => checkDatabase(path).checks.filter((check) => !check.ok);
const coded = (code: string, text = '') => expect.objectContaining({ code, message: expect.stringContaining(text) });

describe('a backup', () => {
  it('holds what was committed when it began, while a writer goes on, and tells so beside it', async () => {
    const rig = new WriterRig({ options: { 'ring.flow-bytes': 1_048_576 } });
    const writer = rig.open();
    rig.emitAll(flows(2_000));
    rig.emitDns(dns({ seenUs: NOW_MS * 1000 }));
    while (writer.step(NOW_MS, true));
    let more = 0;
    const { path, metadata } = await backupDatabase(
      optionsOf(rig, {
        onProgress: (stage) => {
          if (stage !== 'copy') return;
          rig.emit(flow({ emittedUs: NOW_MS * 1000 + 1e7 + ++more }));
          while (writer.step(NOW_MS, true));
        },
      }),
    );
    expect(more).toBeGreaterThan(0);
    expect(rig.value('SELECT count(*) FROM flows')).toBe(2_000 + more);
    writer.close(NOW_MS);
    expect(metadata).toMatchObject({
      flowberry_backup: 1,
      database: rig.path,
      file: basename(path),
      created_us: NOW_MS * 1000,
      facts: { flows: 2_000, dns: 1, flows_written: 2_000, packets_written: 4_000 },
      file_bytes: statSync(path).size,
    });
    const unpacked = join(temporaryDirectory(), 'unpacked.db');
    writeFileSync(unpacked, zlib.gunzipSync(readFileSync(path)));
    expect(failedOf(unpacked)).toEqual([]);
    expect(checkDatabase(unpacked).flows).toBe(2_000);
    const directory = join(path, '..');
    expect(readdirSync(directory).sort()).toEqual([basename(path), `${basename(path)}.json`, 'flowberry.backup-lock']);
    for (const file of [path, metadataPath(path)]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it('makes room for itself among good ones of its own database only', async () => {
    const rig = rigWith(10);
    const options = optionsOf(rig, { keep: 2 });
    const other = new WriterRig({ path: join(temporaryDirectory(), 'flowberry.db') });
    other.store([flow()]);
    await backupDatabase({ ...optionsOf(other), directory: options.directory, nowMs: NOW_MS - HOUR_MS });
    writeFileSync(join(options.directory, 'flowberry-20200101T000000Z.db.gz'), 'something else of such a name');
    const made = [];
    for (let hour = 0; hour < 4; hour++) made.push(await backupDatabase({ ...options, nowMs: NOW_MS + hour * HOUR_MS }));
    expect(made.map(({ deleted }) => deleted.length)).toEqual([0, 0, 1, 1]);
    expect(goodBackups(options.directory, rig.path).map(({ path }) => path)).toEqual([made[3]?.path, made[2]?.path]);
    expect(goodBackups(options.directory, other.path)).toHaveLength(1);
    expect(existsSync(join(options.directory, 'flowberry-20200101T000000Z.db.gz'))).toBe(true);
  });

  it('has a name of its own where another one was made in the same second, within a minute', async () => {
    const options = optionsOf(rigWith(1), { keep: 100 });
    const names = [];
    for (let count = 0; count < 2; count++) names.push(basename((await backupDatabase(options)).path));
    expect(names).toEqual(['flowberry-20250615T150600Z.db.gz', 'flowberry-20250615T150601Z.db.gz']);
    for (let second = 2; second <= 60; second++) {
      const name = new Date(NOW_MS + second * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
      writeFileSync(join(options.directory, `flowberry-${name}.db.gz`), '');
    }
    await expect(backupDatabase(options)).rejects.toEqual(coded('BACKUP_FAILED', 'it is there already'));
  });

  it('that fails deletes nothing but its own parts', async () => {
    const rig = rigWith(3_000);
    const options = optionsOf(rig, { keep: 1 });
    await backupDatabase(options);
    const before = readdirSync(options.directory).sort();
    const bytes = readFileSync(rig.path);
    // A page in the midst of the rows: SQLite copies it as it is, and the check of the copy finds it.
    bytes.fill(0xff, bytes.length - 3 * 4096, bytes.length - 2 * 4096);
    writeFileSync(rig.path, bytes);
    await expect(backupDatabase({ ...options, nowMs: NOW_MS + HOUR_MS })).rejects.toEqual(coded('BACKUP_FAILED'));
    expect(readdirSync(options.directory).sort()).toEqual(before);
  });

  it('can be stopped, and leaves nothing', async () => {
    const rig = rigWith(3_000);
    const abort = new AbortController();
    for (const stopAt of ['copy', 'pack'] as const) {
      const options = optionsOf(rig, { signal: abort.signal, onProgress: (stage) => stage === stopAt && abort.abort() });
      await expect(backupDatabase(options)).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
      expect(readdirSync(options.directory)).toEqual(['flowberry.backup-lock']);
    }
  });

  it('is refused where it cannot fit, or another one runs, or there is no directory to be made', async () => {
    const rig = rigWith(3_000);
    const options = optionsOf(rig, {
      onProgress: () => {
        second ??= backupDatabase({ ...options, nowMs: NOW_MS + HOUR_MS }).catch((error: unknown) => error);
      },
    });
    let second: Promise<unknown> | undefined;
    await backupDatabase(options);
    expect(await second).toEqual(coded('BACKUP_FAILED', 'another backup runs'));
    await expect(backupDatabase(optionsOf(rig, { directory: join(rig.path, 'below-a-file') }))).rejects.toEqual(
      coded('BACKUP_FAILED'),
    );
    await expect(backupDatabase(optionsOf(rig, { databasePath: '/nowhere/flows.db' }))).rejects.toEqual(
      coded('DATABASE_NOT_FOUND'),
    );
  });

  it('clears away what a killed one has left', async () => {
    const options = optionsOf(rigWith(5));
    mkdirSync(options.directory);
    const left = ['.db.partial', '.db.partial-journal', '.db.gz.partial', '.db.gz.json.partial', '.db.gz.json'];
    for (const end of left) writeFileSync(join(options.directory, `flowberry-20250101T000000Z${end}`), 'half');
    const kept = ['notes.partial', 'flowberry-20250101T000000Z.db.gz'];
    for (const name of kept) writeFileSync(join(options.directory, name), 'of somebody else');
    writeFileSync(join(options.directory, 'flowberry-20250101T000000Z.db.gz.json'), 'metadata that belong to a file');
    const { path } = await backupDatabase(options);
    expect(readdirSync(options.directory).sort()).toEqual(
      [
        basename(path),
        `${basename(path)}.json`,
        'flowberry.backup-lock',
        'flowberry-20250101T000000Z.db.gz.json',
        ...kept,
      ].sort(),
    );
  });
});

describe('a throttle', () => {
  it('asks for the pauses that keep to the rate, in short pieces', () => {
    let nowMs = 0;
    const throttle = new Throttle(1_000, () => nowMs);
    expect(throttle.wrote(100)).toBe(100);
    expect(throttle.wrote(400)).toBe(200);
    nowMs = 499;
    expect(throttle.wrote(0)).toBe(1);
    nowMs = 500;
    expect(throttle.wrote(0)).toBe(0);
    expect(new Throttle(0, () => nowMs).wrote(1e12)).toBe(0);
  });
});

describe('a restore', () => {
  async function backedUp(count: number): Promise<{ rig: WriterRig; backup: string }> {
    const rig = rigWith(count);
    return { rig, backup: (await backupDatabase(optionsOf(rig))).path };
  }
  const restore = (backupPath: string, databasePath: string) => restoreDatabase({ backupPath, databasePath, nowMs: NOW_MS });

  it('brings the rows back, keeps what was there, and takes away its log', async () => {
    const { rig, backup } = await backedUp(100);
    const later = new WriterRig({ path: rig.path });
    // Killed: 50 more rows are in the write-ahead log only.
    const writer = later.open();
    later.emitAll(flows(50, { emittedUs: NOW_MS * 1000 + 1e9 }));
    while (writer.step(NOW_MS, true));
    const copy = join(temporaryDirectory(), 'flowberry.db');
    for (const end of ['', '-wal']) copyFileSync(`${rig.path}${end}`, `${copy}${end}`);
    writer.abandon();

    const { safetyCopy } = await restore(backup, copy);
    expect(checkDatabase(copy).flows).toBe(100);
    expect(failedOf(copy)).toEqual([]);
    expect(checkDatabase(safetyCopy as string).flows).toBe(150);
    expect(existsSync(`${copy}-wal`)).toBe(false);
    new WriterRig({ path: copy }).store([flow({ emittedUs: NOW_MS * 1000 + 2e9 })]);
    expect(checkDatabase(copy).flows).toBe(101);
  });

  it('keeps a damaged database with its log, and makes one where there is none', async () => {
    const { backup } = await backedUp(10);
    const path = join(temporaryDirectory(), 'new', 'flows.db');
    expect(await restore(backup, path)).toMatchObject({ safetyCopy: null });
    expect(checkDatabase(path).flows).toBe(10);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, 'broken'.repeat(1000));
    const { safetyCopy } = await restore(backup, path);
    expect(readFileSync(safetyCopy as string, 'utf8')).toContain('broken');
    expect(checkDatabase(path).flows).toBe(10);
  });

  it('changes nothing when the backup is not what it was, or the database is in use', async () => {
    const { rig, backup } = await backedUp(1_000);
    const before = readFileSync(rig.path);
    const directory = join(rig.path, '..');
    const names = readdirSync(directory).sort();
    const writer = rig.open();
    await expect(restore(backup, rig.path)).rejects.toEqual(coded('DATABASE_LOCKED'));
    writer.abandon();

    const broken = (change: (bytes: Buffer, metadata: Record<string, unknown>) => Buffer): string => {
      const metadata = JSON.parse(readFileSync(metadataPath(backup), 'utf8')) as Record<string, unknown>;
      const path = join(temporaryDirectory(), basename(backup));
      writeFileSync(path, change(readFileSync(backup), metadata));
      writeFileSync(metadataPath(path), JSON.stringify(metadata));
      return path;
    };
    const cut = broken((bytes) => bytes.subarray(0, -1));
    await expect(restore(cut, rig.path)).rejects.toEqual(coded('BACKUP_INVALID', 'SHA-256'));
    const newer = broken((bytes, metadata) => {
      (metadata['facts'] as Record<string, number>)['schema_version'] = 99;
      return bytes;
    });
    await expect(restore(newer, rig.path)).rejects.toEqual(coded('DATABASE_NEWER', '99'));
    const fewer = broken((bytes, metadata) => {
      (metadata['facts'] as Record<string, number>)['flows'] = 999;
      return bytes;
    });
    await expect(restore(fewer, rig.path)).rejects.toEqual(coded('BACKUP_INVALID', 'flows is 1000 and should be 999'));
    const alone = join(temporaryDirectory(), 'alone.db.gz');
    copyFileSync(backup, alone);
    await expect(restore(alone, rig.path)).rejects.toEqual(coded('BACKUP_INVALID', 'metadata'));
    await expect(restore('/nowhere.db.gz', rig.path)).rejects.toEqual(coded('BACKUP_INVALID', 'no such file'));
    expect(checkDatabase(rig.path).flows).toBe(1_000);
    expect(readFileSync(rig.path).length).toBeGreaterThanOrEqual(before.length);
    expect(readdirSync(directory).filter((name) => !names.includes(name))).toEqual([]);
  });
});
