import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config.js';
import { memoryBudget } from '../../src/memory-budget.js';
import { Cell, ThreadBlock } from '../../src/ring/thread-block.js';
import { isInMemory } from '../../src/store/budget/block-device.js';
import { livePathOf } from '../../src/store/ram/ram-paths.js';
import { isDiskCounted } from '../helpers/counted-disk.js';
import { flows, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { countFlows, openPlace, over, patience, RamRig, ramObstacle, saveMsMax, stateOf, stop } from '../helpers/ram-rig.js';
import { failedChecks } from '../helpers/upkeep.js';

/** Flows that fit into the ring of a test. */
const MANY = 500;

describe.skipIf(ramObstacle !== null)(`a database in memory (${ramObstacle ?? 'on /dev/shm'})`, () => {
  it('writes nothing beside db.path until it is asked, and then all', async () => {
    const rig = new RamRig();
    const store = rig.open();
    const before = stateOf(rig.disk);
    rig.write(rig.live(store), 300);
    expect(stateOf(rig.disk)).toEqual(before);
    expect(existsSync(rig.saved)).toBe(false);

    await rig.save(store);
    expect(countFlows(rig.saved)).toBe(300);
    const saved = stateOf(rig.disk);
    rig.write(rig.live(store), 200);
    expect(stateOf(rig.disk)).toEqual(saved);

    expect(await stop(store)).toBeNull();
    expect(countFlows(rig.saved)).toBe(500);
    expect(failedChecks(rig.saved)).toEqual([]);
    expect(readdirSync(rig.disk).sort()).toEqual(['flows.db', 'flows.db-live', 'flows.db-lock']);
    expect(existsSync(rig.live(store))).toBe(false);
  });

  it('begins with what is saved, and writes nothing to begin', async () => {
    const rig = new RamRig();
    await stop(rig.open());
    rig.write(rig.saved, 100);
    const before = stateOf(rig.disk);
    const store = rig.open();
    expect(countFlows(rig.live(store))).toBe(100);
    expect(statSync(rig.live(store)).mode & 0o777).toBe(0o600);
    // Nothing has changed, so nothing is to be saved.
    expect(await stop(store)).toBeNull();
    expect(stateOf(rig.disk)).toEqual(before);
    expect(rig.log.map(({ message }) => message)).not.toContain('database saved');
  });

  it('is saved from time to time where that is wanted', async () => {
    const rig = new RamRig({ 'store.ram-save-s': 60 });
    const store = rig.open();
    const block = new WriterRig().memory.writer;
    store.follow(block);
    rig.write(rig.live(store), 10);
    rig.nowMs += 59_999;
    store.look();
    expect(existsSync(`${rig.saved}.saving`) || existsSync(rig.saved)).toBe(false);
    rig.nowMs += 1;
    store.look();
    expect(await over(store, 1, block)).toEqual([1, 0]);
    expect(countFlows(rig.saved)).toBe(10);
    await stop(store);
  });

  it('is taken up by the next start when it was left there, and the saved file is not', async () => {
    const rig = new RamRig();
    const live = await rig.killed(100, 50);
    expect(livePathOf(rig.config)).toBe(live);
    const second = rig.open();
    expect(rig.log.at(-2)).toMatchObject({ level: 'warn', message: expect.stringContaining('is newer, and is taken up') });
    expect(countFlows(rig.live(second))).toBe(150);
    expect(await stop(second)).toBeNull();
    expect(countFlows(rig.saved)).toBe(150);
  });

  it('gives way to a saved file that was replaced meanwhile, and is left aside', async () => {
    const rig = new RamRig();
    await rig.killed(100, 50);
    rmSync(rig.saved);
    rig.write(rig.saved, 7);
    const second = rig.open();
    expect(rig.codes()).toEqual(['DATABASE_REPLACED']);
    expect(countFlows(rig.live(second))).toBe(7);
    expect(countFlows(`${rig.live(second)}.left`)).toBe(150);
    await stop(second);
  });

  it('is taken up when the saved file is not there any more', async () => {
    const rig = new RamRig();
    await rig.killed(100, 1);
    rmSync(rig.saved);
    const second = rig.open();
    expect(rig.codes()).toEqual([]);
    expect(await stop(second)).toBeNull();
    expect(countFlows(rig.saved)).toBe(101);
  });

  it('stays in memory when it cannot be saved, and the earlier file stays as it is', async () => {
    const rig = new RamRig();
    const store = rig.open();
    const block = new WriterRig().memory.writer;
    rig.write(rig.live(store), 100);
    await rig.save(store, block);
    const before = readFileSync(rig.saved);
    // Something that is no file stands where the new one is to be made.
    mkdirSync(join(`${rig.saved}.saving`, 'x'), { recursive: true });
    rig.write(rig.live(store), 50);
    await rig.save(store, block);
    expect(new ThreadBlock(block).cell(Cell.SaveFailures)).toBe(1);
    expect(await store.finish(patience)).toMatchObject({ code: 'DATABASE_SAVE_FAILED' });
    store.close();
    expect(rig.codes()).toEqual(['DATABASE_SAVE_FAILED', 'DATABASE_SAVE_FAILED']);
    expect(rig.log.at(-1)?.message).toContain(rig.live(store));
    expect(readFileSync(rig.saved).equals(before)).toBe(true);
    expect(countFlows(rig.live(store))).toBe(150);

    rmSync(`${rig.saved}.saving`, { recursive: true });
    expect(await stop(rig.open())).toBeNull();
    expect(countFlows(rig.saved)).toBe(150);
  });

  it('gives a save that is under way up for the last one, and begins no other', async () => {
    const rig = new RamRig();
    const store = rig.open();
    rig.write(rig.live(store), 200);
    store.askSave();
    const finished = store.finish(patience);
    expect(store.askSave()).toBe(1);
    expect(await finished).toBeNull();
    store.close();
    expect(rig.codes()).toEqual([]);
    expect(rig.log.filter(({ message }) => message === 'database saved')).toHaveLength(1);
    expect(countFlows(rig.saved)).toBe(200);
    expect(readdirSync(rig.disk).sort()).toEqual(['flows.db', 'flows.db-live', 'flows.db-lock']);
  });

  it('stays in memory when somebody has written behind the last save', async () => {
    const rig = new RamRig();
    const store = rig.open();
    rig.write(rig.live(store), 100);
    expect(await store.finish(patience)).toBeNull();
    rig.write(rig.live(store), 1);
    store.close();
    expect(countFlows(rig.saved)).toBe(100);
    await stop(rig.open());
    expect(countFlows(rig.saved)).toBe(101);
  });

  it('tells each who asks the number of a save that has all rows of then', async () => {
    const rig = new RamRig();
    const store = rig.open();
    rig.write(rig.live(store), 100);
    expect([store.askSave(), store.askSave(), store.askSave()]).toEqual([1, 2, 2]);
    const block = new WriterRig().memory.writer;
    expect(await over(store, 2, block)).toEqual([2, 0]);
    await stop(store);
  });

  it('takes the log of another profile in, and away when it saves', async () => {
    const rig = new RamRig();
    const other = new WriterRig({ path: rig.saved });
    const writer = other.open();
    for (const spec of flows(60)) other.emit(spec);
    while (writer.step(NOW_MS, true));
    // As a power failure leaves them.
    const [file, wal] = [readFileSync(rig.saved), readFileSync(`${rig.saved}-wal`)];
    writer.abandon();
    writeFileSync(rig.saved, file);
    writeFileSync(`${rig.saved}-wal`, wal);
    const before = stateOf(rig.disk).filter((line) => /^flows\.db(-wal|-shm)? /.test(line));
    const store = rig.open();
    expect(countFlows(rig.live(store))).toBe(60);
    expect(stateOf(rig.disk).filter((line) => /^flows\.db(-wal|-shm)? /.test(line))).toEqual(before);
    rig.write(rig.live(store), 5);
    await stop(store);
    expect(existsSync(`${rig.saved}-wal`)).toBe(false);
    expect(countFlows(rig.saved)).toBe(65);
  });

  it('is saved and left when the profile is another one', async () => {
    const rig = new RamRig();
    const store = rig.open();
    rig.write(rig.live(store), 40);
    store.close();
    const place = await openPlace(
      rig.with({ 'store.profile': 'ssd' }),
      () => undefined,
      () => undefined,
    );
    expect(place.askSave()).toBeNull();
    expect(countFlows(rig.saved)).toBe(40);
    expect(readdirSync(rig.disk).sort()).toEqual(['flows.db', 'flows.db-lock']);
    expect(livePathOf(rig.config)).toBe(rig.config.dbPath);
  });

  it('keeps a saved file that it does not come from', async () => {
    const rig = new RamRig();
    const store = rig.open();
    rig.write(rig.live(store), 100);
    await rig.save(store);
    // As when it was damaged in memory, and a new one begun.
    rmSync(rig.live(store));
    rig.write(rig.live(store), 3);
    await stop(store);
    expect(countFlows(rig.saved)).toBe(3);
    const [kept] = readdirSync(rig.disk).filter((name) => name.includes('.before-save-'));
    expect(countFlows(join(rig.disk, kept as string))).toBe(100);
  });

  it('moves a damaged file aside, and refuses a foreign one under the name that the operator knows', async () => {
    const rig = new RamRig();
    rig.write(rig.saved, MANY);
    const bytes = readFileSync(rig.saved);
    bytes.fill(0xff, 8_192, 60_000);
    writeFileSync(rig.saved, bytes);
    const store = rig.open();
    expect(rig.codes()).toEqual(['DATABASE_SET_ASIDE']);
    expect(readdirSync(rig.disk).some((name) => /^flows\.db\.corrupt-\d{8}T\d{6}Z$/.test(name))).toBe(true);
    await stop(store);

    const foreign = new RamRig();
    new Database(foreign.saved).exec('CREATE TABLE theirs (x)').close();
    expect(() => foreign.open()).toThrow(
      expect.objectContaining({ code: 'DATABASE_FOREIGN', message: expect.stringContaining(`database ${foreign.saved}:`) }),
    );
    expect(readdirSync(foreign.disk)).toContain('flows.db');
  });

  it('keeps others away, and is kept away by them', async () => {
    const rig = new RamRig();
    const store = rig.open();
    expect(() => rig.open()).toThrow(expect.objectContaining({ code: 'DATABASE_LOCKED' }));
    expect(() => new WriterRig({ path: rig.saved }).open()).toThrow(expect.objectContaining({ code: 'DATABASE_LOCKED' }));
    await stop(store);
    const other = new WriterRig({ path: rig.saved });
    const writer = other.open();
    expect(() => rig.open()).toThrow(expect.objectContaining({ code: 'DATABASE_LOCKED' }));
    writer.close(NOW_MS);
  });

  it('refuses a directory that is not in memory, one of others, and a file that is too large', () => {
    const rig = new RamRig();
    const refused = (why: string) =>
      expect.objectContaining({ code: 'STORE_RAM_UNUSABLE', message: expect.stringContaining(why) });
    if (!isInMemory(rig.disk)) {
      expect(() => rig.open({ 'store.ram-directory': join(rig.disk, 'ram') })).toThrow(refused('not on a tmpfs'));
      expect(existsSync(join(rig.disk, 'ram'))).toBe(false);
    }
    chmodSync(rig.memory, 0o777);
    expect(() => rig.open()).toThrow(refused('others may write'));
    chmodSync(rig.memory, 0o700);
    rig.write(rig.saved, 1);
    truncateSync(rig.saved, 20_000_000);
    expect(() => rig.open({ 'retention.file-bytes-max': 16_777_216 })).toThrow(refused('may take 16777216 in memory'));
    expect(readdirSync(rig.memory)).toHaveLength(1);
  });

  it('is found by its link, and by the config where there is no link', async () => {
    const rig = new RamRig();
    const store = rig.open();
    rig.write(rig.live(store), 1);
    const bare = resolveConfig({ 'db.path': rig.saved });
    expect(livePathOf(bare)).toBe(rig.live(store));
    rmSync(`${rig.saved}-live`);
    expect(livePathOf(bare)).toBe(rig.saved);
    expect(livePathOf(rig.config)).toBe(rig.live(store));
    await stop(store);
    expect(livePathOf(rig.config)).toBe(rig.saved);
  });

  it('has a limit that retention keeps to, and that the memory budget counts', async () => {
    const rig = new RamRig({ 'retention.file-bytes-max': 0 });
    const store = rig.open();
    const limit = store.configOf(rig.config).retentionFileBytesMax;
    expect(limit).toBeGreaterThan(16_777_216);
    expect(store.configOf(rig.with({ 'retention.file-bytes-max': 20_000_000 })).retentionFileBytesMax).toBe(20_000_000);
    await stop(store);

    const gib = 2 ** 30;
    const ram = memoryBudget(rig.with({ 'retention.file-bytes-max': 0 }), 2, gib);
    const disk = memoryBudget(rig.with({ 'retention.file-bytes-max': 0, 'store.profile': 'ssd' }), 2, gib);
    expect(ram.items.at(-1)).toMatchObject({ name: 'database in memory', count: 1, eachBytes: gib / 4 });
    expect(ram.totalBytes - disk.totalBytes).toBe(gib / 4);
    expect(ram.limitBytes - disk.limitBytes).toBe(gib / 4);
  });

  it('gives a save a minute, and a second for each megabyte', () => {
    expect([saveMsMax(0), saveMsMax(500_000_000)]).toEqual([60_000, 560_000]);
  });

  it('counts what the last save writes', async ({ skip }) => {
    if (!isDiskCounted()) skip('bytes written to the directory for temporary files are not counted here');
    const rig = new RamRig();
    const store = rig.open();
    rig.write(rig.live(store), MANY);
    await stop(store);
    const db = new Database(rig.saved, { readonly: true });
    const bytes = db.prepare<[], number>('SELECT sum(process_bytes) FROM bytes_written').pluck().get() as number;
    db.close();
    expect(bytes).toBeGreaterThanOrEqual(statSync(rig.saved).size * 0.9);
  });
});
