import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { type Config, type OptionValues, resolveConfig } from '../../src/config.js';
import { Cell, ThreadBlock } from '../../src/ring/thread-block.js';
import { isInMemory } from '../../src/store/budget/block-device.js';
import { withProfile } from '../../src/store/budget/profiles.js';
import { flows, NOW_MS, temporaryDirectory, WriterRig } from './flow-records.js';

const built = new URL('../../dist/src/store/ram/ram-store.js', import.meta.url);
/** Why no database can lie in memory here, or null. */
export const ramObstacle = !existsSync(built)
  ? 'needs npm run build'
  : isInMemory('/dev/shm')
    ? null
    : 'needs a tmpfs at /dev/shm';
const load = async <T>(name: string): Promise<T> =>
  (await import(new URL(name, ramObstacle ? import.meta.url : built).href)) as T;
type Stores = typeof import('../../src/store/ram/ram-store.js');
type Places = typeof import('../../src/store/ram/store-place.js');
/** What the build made of them: a save has a thread of its own. */
const stores = ramObstacle ? ({} as Stores) : await load<Stores>('./ram-store.js');
export const { saveMsMax } = stores;
export const { openPlace } = ramObstacle ? ({} as Places) : await load<Places>('./store-place.js');

type Store = ReturnType<Stores['RamStore']['open']>;
const COUNT = 'SELECT count(*) FROM flows';

/** A database of the profile, with a disk and a memory of its own. */
export class RamRig {
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
    return stores.RamStore.open(
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

  /** A daemon that has saved so many flows, has others in memory besides, and is killed: the locks go. Gives where the rows lie. */
  async killed(saved: number, unsaved: number): Promise<string> {
    const store = this.open();
    const live = this.live(store);
    this.write(live, saved);
    await this.save(store);
    this.write(live, unsaved);
    store.close();
    return live;
  }

  codes(): unknown[] {
    return this.log.flatMap(({ fields }) => ('code' in fields ? [fields.code] : []));
  }
}

/** Waits until the save of this number has ended, and gives how many were made and failed. */
export async function over(store: Store, number: number, memory: SharedArrayBuffer): Promise<[number, number]> {
  store.follow(memory);
  const block = new ThreadBlock(memory);
  for (;;) {
    const [made, failed] = [block.cell(Cell.SavesMade), block.cell(Cell.SavesFailed)];
    if (made + failed >= number && block.cell(Cell.SaveRunning) === 0) return [made, failed];
    await setTimeout(5);
  }
}

/** Names of a directory with everything that a write changes. */
export function stateOf(directory: string): string[] {
  return readdirSync(directory)
    .map((name) => {
      const { ino, size, mtimeMs, ctimeMs } = lstatSync(join(directory, name));
      return `${name} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    })
    .concat(`. ${statSync(directory).mtimeMs}`);
}

export function countFlows(path: string): number {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare<[], number>(COUNT).pluck().get() as number;
  } finally {
    db.close();
  }
}

export const patience = { begin: () => undefined, end: () => undefined };

/** The stop of a daemon. */
export async function stop(store: Store): Promise<unknown> {
  const failure = await store.finish(patience);
  store.close();
  return failure;
}
