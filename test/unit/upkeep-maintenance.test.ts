import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { Cell } from '../../src/ring/thread-block.js';
import { walBytes } from '../../src/store/upkeep/file-room.js';
import { ApiPipeline } from '../helpers/api-pipeline.js';
import { flows, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';
import { DAY_MS, pass, passUntil } from '../helpers/upkeep.js';

const NOW_US = NOW_MS * 1000;
const MIB = 2 ** 20;

describe('the write-ahead log', () => {
  /** A rig whose log has grown to more than half of the 4 MiB that it may have. */
  function grown(): { rig: WriterRig; writer: ReturnType<WriterRig['open']> } {
    const rig = new WriterRig({ options: { 'ring.flow-bytes': 16_777_216, 'retention.file-bytes-max': 16_777_216 } });
    const writer = rig.open();
    const reader = new Database(rig.path, { readonly: true });
    reader.exec('BEGIN; SELECT count(*) FROM meta');
    rig.emitAll(flows(40_000));
    for (let step = 0; step < 20; step++) writer.step(NOW_MS + step * 100, false);
    reader.close();
    expect(walBytes(rig.path)).toBeGreaterThan(2 * MIB);
    return { rig, writer };
  }

  it('is moved into the file after the time that the option says', () => {
    const rig = new WriterRig({ options: { 'maintenance.checkpoint-s': 100, 'batch.rows-min': 1 } });
    const writer = rig.open();
    rig.emitAll(flows(10));
    pass(writer, NOW_MS, NOW_MS + 90_000, 10_000);
    const rowsInFile = (): number => {
      // The file alone, as it would be without its log.
      writeFileSync(`${rig.path}.copy`, readFileSync(rig.path));
      const db = new Database(`${rig.path}.copy`);
      const rows = db.prepare('SELECT count(*) FROM flows').pluck().get() as number;
      db.close();
      return rows;
    };
    const db = new Database(rig.path, { readonly: true });
    db.prepare('SELECT 1').get();
    pass(writer, NOW_MS + 100_000, NOW_MS + 130_000, 10_000);
    expect(rowsInFile()).toBe(10);
    db.close();
    writer.abandon();
  });

  it('gives its room back when nothing is written', () => {
    const { rig, writer } = grown();
    pass(writer, NOW_MS + 30_000, NOW_MS + 40_000, 10_000);
    expect(walBytes(rig.path)).toBeGreaterThan(2 * MIB);
    pass(writer, NOW_MS + 50_000, NOW_MS + 130_000, 10_000);
    expect(walBytes(rig.path)).toBe(0);
    writer.abandon();
  });

  it('is said to be held when a reader lets it grow beyond its bound, and begins anew when that is gone', () => {
    const { rig, writer } = grown();
    const reader = new Database(rig.path, { readonly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM meta').get();
    let nowMs = NOW_MS + 40_000;
    for (let part = 1; walBytes(rig.path) < 4 * MIB; part++) {
      rig.emitAll(flows(20_000, { emittedUs: NOW_US + part * 1e9 }));
      for (let step = 0; step < 20; step++) {
        nowMs += 1000;
        writer.step(nowMs, false);
      }
    }
    pass(writer, nowMs, nowMs + 20_000, 10_000);
    expect(rig.writerBlock.cell(Cell.WalHeldBytes)).toBeGreaterThan(4 * MIB);
    reader.close();
    pass(writer, nowMs + 30_000, nowMs + 50_000, 10_000);
    expect(rig.writerBlock.cell(Cell.WalHeldBytes)).toBe(0);
    expect(walBytes(rig.path)).toBeLessThanOrEqual(4 * MIB);
    writer.abandon();
  });
});

describe('checks of the file', () => {
  const OPTIONS = { 'batch.rows-min': 1, 'maintenance.quick-check-days': 7, 'maintenance.full-check-days': 30 };

  it('come every week and every month, beside the writer, and their results are kept', async () => {
    const rig = new WriterRig({ options: OPTIONS });
    const writer = rig.open();
    rig.emitAll(flows(100));
    pass(writer, NOW_MS, NOW_MS + 6 * DAY_MS, DAY_MS / 4);
    expect(rig.query(`SELECT task FROM upkeep WHERE task LIKE '%check'`)).toEqual([]);
    const quickMs = await passUntil(writer, NOW_MS + 7 * DAY_MS, () => rig.writerBlock.cell(Cell.FileCheckedUs) > 0);
    expect(rig.query(`SELECT * FROM upkeep WHERE task LIKE '%check'`)).toEqual([
      { task: 'quick_check', done_us: quickMs * 1000, result: 'ok' },
    ]);
    await passUntil(
      writer,
      NOW_MS + 31 * DAY_MS,
      () => rig.value(`SELECT count(*) FROM upkeep WHERE task = 'integrity_check'`) > 0,
    );
    expect(rig.writerBlock.cell(Cell.FileDamaged)).toBe(0);
    writer.close(NOW_MS + 32 * DAY_MS);
    // The next run knows of them.
    const next = new WriterRig({ path: rig.path, options: OPTIONS });
    next.open(NOW_MS + 32 * DAY_MS).abandon();
    expect(next.writerBlock.cell(Cell.FileCheckedUs)).toBeGreaterThan((NOW_MS + 31 * DAY_MS) * 1000 - 1);
  });

  it('find damage, say so in the log, and the notes of /health have it', async () => {
    const rig = new WriterRig({ options: OPTIONS });
    rig.store(flows(2000));
    const bytes = readFileSync(rig.path);
    const root = rig.value(`SELECT rootpage FROM sqlite_schema WHERE name = 'dns'`);
    const pageBytes = rig.value('PRAGMA page_size');
    bytes.fill(0xa5, (root - 1) * pageBytes, root * pageBytes);
    const next = new WriterRig({ path: rig.path, options: OPTIONS });
    const writer = next.open();
    writeFileSync(rig.path, bytes);
    await passUntil(writer, NOW_MS + 8 * DAY_MS, () => next.writerBlock.cell(Cell.FileCheckedUs) > 0);
    expect(next.writerBlock.cell(Cell.FileDamaged)).toBe(1);
    expect(next.log).toContainEqual(expect.objectContaining({ level: 'error', fields: { code: 'DATABASE_DAMAGED' } }));
    writer.abandon();
  });

  it('never come where 0 days are given', () => {
    const rig = new WriterRig({ options: { 'maintenance.quick-check-days': 0, 'maintenance.full-check-days': 0 } });
    const writer = rig.open();
    pass(writer, NOW_MS, NOW_MS + 100 * DAY_MS, DAY_MS / 2);
    expect(rig.query(`SELECT task FROM upkeep WHERE task LIKE '%check'`)).toEqual([]);
    expect(rig.log).toEqual([]);
    writer.abandon();
  });

  it('give way when much is written, so that the log stays short, and come again', async () => {
    const rig = new WriterRig({ options: { ...OPTIONS, 'ring.flow-bytes': 33_554_432, 'retention.file-bytes-max': 16_777_216 } });
    const writer = rig.open();
    pass(writer, NOW_MS, NOW_MS + 7 * DAY_MS - 60_000, DAY_MS / 4);
    const nowMs = NOW_MS + 7 * DAY_MS;
    writer.step(nowMs, false);
    // The check has begun, and reads; another reader stands for one that takes its time.
    const reader = new Database(rig.path, { readonly: true });
    reader.exec('BEGIN; SELECT count(*) FROM meta');
    rig.emitAll(flows(50_000, { emittedUs: nowMs * 1000 }));
    while (writer.step(nowMs + 5, false));
    for (let step = 1; step <= 10; step++) writer.step(nowMs + step * 1000, false);
    reader.close();
    const checkedMs = await passUntil(writer, nowMs + 3_600_000, () => rig.writerBlock.cell(Cell.FileCheckedUs) > 0);
    expect(checkedMs).toBeGreaterThan(nowMs + 3_600_000);
    expect(rig.log.map(({ message }) => message)).toContain('quick_check: put off by an hour, since much is written');
    expect(rig.log.filter(({ level }) => level === 'warn')).toEqual([]);
    writer.abandon();
  });

  it('are gone before the next batch, when they have held the log for too long', async () => {
    const directory = temporaryDirectory();
    const scanFile = join(directory, 'long-scan.mjs');
    // A scan of a file so large that it never ends, and a process that takes its time to end: what it leaves behind reads on for 150 ms.
    writeFileSync(
      scanFile,
      `import { fork } from 'node:child_process';
      import { writeFileSync } from 'node:fs';
      import { createRequire } from 'node:module';
      import { fileURLToPath } from 'node:url';
      const [path] = process.argv.slice(2);
      if (path === undefined) {
        process.once('message', (task) => fork(fileURLToPath(import.meta.url), [task.path]));
      } else {
        const Database = createRequire(${JSON.stringify(import.meta.url)})('better-sqlite3');
        const db = new Database(path, { readonly: true });
        db.exec('BEGIN');
        db.prepare('SELECT count(*) FROM meta').get();
        process.once('disconnect', () => setTimeout(() => process.exit(), 150));
        writeFileSync(path + '.scanned', '');
      }`,
    );
    const rig = new WriterRig({
      path: join(directory, 'flowberry.db'),
      options: { ...OPTIONS, 'ring.flow-bytes': 33_554_432, 'retention.file-bytes-max': 16_777_216 },
      scanFile: pathToFileURL(scanFile),
    });
    const writer = rig.open();
    const nowMs = NOW_MS + 7 * DAY_MS;
    await passUntil(writer, nowMs, () => existsSync(`${rig.path}.scanned`), 0);
    rig.emitAll(flows(50_000, { emittedUs: nowMs * 1000 }));
    let bytesMax = 0;
    do bytesMax = Math.max(bytesMax, walBytes(rig.path));
    while (writer.step(nowMs + 5, false));
    expect(bytesMax).toBeGreaterThan(MIB);
    // Half of what the log may have, and a batch.
    expect(bytesMax).toBeLessThan(2.5 * MIB);
    expect(rig.value('SELECT count(*) FROM flows')).toBe(50_000);
    writer.abandon();
  });

  it('are not in the way of a writer that ends', async () => {
    const rig = new WriterRig({ options: OPTIONS });
    const writer = rig.open();
    pass(writer, NOW_MS, NOW_MS + 7 * DAY_MS, DAY_MS);
    writer.step(NOW_MS + 7 * DAY_MS, false);
    writer.close(NOW_MS + 8 * DAY_MS);
    expect(rig.value('SELECT clean FROM sessions')).toBe(1);
  });
});

describe('the notes of /health', () => {
  it('tell of the upkeep', () => {
    const pipeline = new ApiPipeline().running();
    const { cells } = pipeline.writer;
    const codes = (): string[] => pipeline.monitor.health().notes.map(({ code }) => code);
    expect(codes()).toEqual([]);
    cells[Cell.FileCheckedUs] = NOW_US;
    expect(pipeline.monitor.health().notes).toEqual([
      { code: 'file_checked', message: 'the database was checked at 2025-06-15T15:06:00.000Z and is sound' },
    ]);
    cells[Cell.FileDamaged] = 1;
    cells[Cell.WalHeldBytes] = 7e7;
    cells[Cell.RetentionTrouble] = 1;
    expect(codes()).toEqual(['file_over_limit', 'wal_held', 'file_damaged']);
    cells[Cell.RetentionTrouble] = 2;
    expect(codes()).toContain('pruning_suspended');
  });
});

describe('the planner of SQLite', () => {
  it('is told every day what the tables hold', () => {
    const rig = new WriterRig({ options: { 'batch.rows-min': 1 } });
    const writer = rig.open();
    const done = (): number[] =>
      rig.query<{ done_us: number }>(`SELECT done_us FROM upkeep WHERE task = 'optimize'`).map((row) => row.done_us);
    pass(writer, NOW_MS, NOW_MS + DAY_MS / 24, 60_000);
    expect(done()).toHaveLength(1);
    const [first] = done() as [number];
    pass(writer, NOW_MS + DAY_MS / 2, NOW_MS + DAY_MS - 60_000, DAY_MS / 24);
    expect(done()).toEqual([first]);
    pass(writer, NOW_MS + DAY_MS + 600_000, NOW_MS + DAY_MS + 660_000, 60_000);
    expect(done()[0]).toBeGreaterThan(first);
    writer.abandon();
  });
});
