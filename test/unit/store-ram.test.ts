import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Config, type OptionValues, resolveConfig } from '../../src/config.js';
import { memoryBudget } from '../../src/memory-budget.js';
import { Cell, ThreadBlock } from '../../src/ring/thread-block.js';
import { isInMemory } from '../../src/store/budget/block-device.js';
import { withProfile } from '../../src/store/budget/profiles.js';
import { livePathOf } from '../../src/store/ram/ram-paths.js';
import { isDiskCounted } from '../helpers/counted-disk.js';
import { flows, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';
import { failedChecks } from '../helpers/upkeep.js';

const built = new URL('../../dist/src/store/ram/ram-store.js', import.meta.url);
const obstacle = !existsSync(built) ? 'needs npm run build' : isInMemory('/dev/shm') ? null : 'needs a tmpfs at /dev/shm';
const load = async <T>(name: string): Promise<T> => (await import(new URL(name, obstacle ? import.meta.url : built).href)) as T;
type Stores = typeof import('../../src/store/ram/ram-store.js');
type Places = typeof import('../../src/store/ram/store-place.js');
const { RamStore, saveMsMax } = obstacle ? ({} as Stores) : await load<Stores>('./ram-store.js');
const { openPlace } = obstacle ? ({} as Places) : await load<Places>('./store-place.js');

type Store = ReturnType<Stores['RamStore']['open']>;
/** Flows that fit into the ring of a test. */
const MANY = 500;
const COUNT = 'SELECT count(*) FROM flows';

/** A database of the profile, with a disk and a memory of its own. */
class RamRig {
  readonly disk = temporaryDirectory();
  readonly memory = mkdtempSync('/dev/shm/flowberry-test-');
  readonly saved = join(this.disk, 'flows.db');
  readonly log: { level: string; message: string; fields: object }[] = [];
  readonly config: Config;
  nowMs = NOW_MS;
  private sessions = 0;

  constructor(options: OptionValues = {}) {
    onTestFinished(() => rmSync(this.memory, { recursive: true }));
    this.config = withProfile(
      resolveConfig({ 'db.path': this.saved, 'store.profile': 'ram', 'store.ram-directory': this.memory, ...options }),
    );
  }

  open(options: OptionValues = {}): Store {
    const config = Object.keys(options).length > 0 ? this.with(options) : this.config;
    const log = (level: string, message: string, fields = {}) => this.log.push({ level, message, fields });
    return RamStore.open(
      config,
      log,
      () => undefined,
      () => this.nowMs,
    );
  }

  with(options: OptionValues): Config {
    return withProfile(
      resolveConfig({ 'db.path': this.saved, 'store.profile': 'ram', 'store.ram-directory': this.memory, ...options }),
    );
  }

  /** Where the rows of the store lie. */
  live(store: Store): string {
    return store.configOf(this.config).dbPath;
  }

  /** One session of a writer that stores so many flows. */
  write(path: string, count: number): void {
    const emittedUs = NOW_MS * 1000 + ++this.sessions * 1_000_000;
    new WriterRig({ path }).store(flows(count, { emittedUs }), NOW_MS);
  }

  /** Has the store save, and waits until it is over. */
  async save(store: Store, block = new WriterRig().memory.writer): Promise<void> {
    await over(store, store.askSave(), block);
  }

  codes(): unknown[] {
    return this.log.flatMap(({ fields }) => ('code' in fields ? [fields.code] : []));
  }
}

/** Waits until the save of this number has ended, and gives how many were made and failed. */
async function over(store: Store, number: number, memory: SharedArrayBuffer): Promise<[number, number]> {
  store.follow(memory);
  const block = new ThreadBlock(memory);
  for (;;) {
    const [made, failed] = [block.cell(Cell.SavesMade), block.cell(Cell.SavesFailed)];
    if (made + failed >= number && block.cell(Cell.SaveRunning) === 0) return [made, failed];
    await setTimeout(5);
  }
}

/** Names of a directory with everything that a write changes. */
function stateOf(directory: string): string[] {
  return readdirSync(directory)
    .map((name) => {
      const { ino, size, mtimeMs, ctimeMs } = lstatSync(join(directory, name));
      return `${name} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    })
    .concat(`. ${statSync(directory).mtimeMs}`);
}

function count(path: string): number {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare<[], number>(COUNT).pluck().get() as number;
  } finally {
    db.close();
  }
}

const patience = { begin: () => undefined, end: () => undefined };

/** The stop of a daemon. */
async function stop(store: Store): Promise<unknown> {
  const failure = await store.finish(patience);
  store.close();
  return failure;
}

describe.skipIf(obstacle !== null)(`a database in memory (${obstacle ?? 'on /dev/shm'})`, () => {
  it('writes nothing beside db.path until it is asked, and then all', async () => {
    const rig = new RamRig();
    const store = rig.open();
    const before = stateOf(rig.disk);
    rig.write(rig.live(store), 300);
    expect(stateOf(rig.disk)).toEqual(before);
    expect(existsSync(rig.saved)).toBe(false);

    await rig.save(store);
    expect(count(rig.saved)).toBe(300);
    const saved = stateOf(rig.disk);
    rig.write(rig.live(store), 200);
    expect(stateOf(rig.disk)).toEqual(saved);

    expect(await stop(store)).toBeNull();
    expect(count(rig.saved)).toBe(500);
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
    expect(count(rig.live(store))).toBe(100);
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
    expect(count(rig.saved)).toBe(10);
    await stop(store);
  });

  it('is taken up by the next start when it was left there, and the saved file is not', async () => {
    const rig = new RamRig();
    const first = rig.open();
    rig.write(rig.live(first), 100);
    await rig.save(first);
    rig.write(rig.live(first), 50);
    // Killed: the locks go, and nobody has saved.
    first.close();
    expect(livePathOf(rig.config)).toBe(rig.live(first));
    const second = rig.open();
    expect(rig.log.at(-2)).toMatchObject({ level: 'warn', message: expect.stringContaining('is newer, and is taken up') });
    expect(count(rig.live(second))).toBe(150);
    expect(await stop(second)).toBeNull();
    expect(count(rig.saved)).toBe(150);
  });

  it('gives way to a saved file that was replaced meanwhile, and is left aside', async () => {
    const rig = new RamRig();
    const first = rig.open();
    rig.write(rig.live(first), 100);
    await rig.save(first);
    rig.write(rig.live(first), 50);
    first.close();
    rmSync(rig.saved);
    rig.write(rig.saved, 7);
    const second = rig.open();
    expect(rig.codes()).toEqual(['DATABASE_REPLACED']);
    expect(count(rig.live(second))).toBe(7);
    expect(count(`${rig.live(second)}.left`)).toBe(150);
    await stop(second);
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
    expect(count(rig.live(store))).toBe(150);

    rmSync(`${rig.saved}.saving`, { recursive: true });
    expect(await stop(rig.open())).toBeNull();
    expect(count(rig.saved)).toBe(150);
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
    expect(count(rig.live(store))).toBe(60);
    expect(stateOf(rig.disk).filter((line) => /^flows\.db(-wal|-shm)? /.test(line))).toEqual(before);
    rig.write(rig.live(store), 5);
    await stop(store);
    expect(existsSync(`${rig.saved}-wal`)).toBe(false);
    expect(count(rig.saved)).toBe(65);
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
    expect(count(rig.saved)).toBe(40);
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
    expect(count(rig.saved)).toBe(3);
    const [kept] = readdirSync(rig.disk).filter((name) => name.includes('.before-save-'));
    expect(count(join(rig.disk, kept as string))).toBe(100);
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
