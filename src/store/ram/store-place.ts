import { rmSync } from 'node:fs';
import type { Config } from '../../config.js';
import { AppError } from '../../errors.js';
import { realPathOf } from '../real-path.js';
import type { Log } from '../trouble.js';
import { findLive, type RamPaths } from './ram-paths.js';
import { RamStore } from './ram-store.js';
import { saveLeft } from './save-left.js';

/** Whoever waits for the end of the daemon is told how long the last save may take. */
export interface Patience {
  begin(msMax: number): void;
  end(): void;
}

/** Where a daemon has its database while it runs. */
export interface StorePlace {
  /** The config that the threads go by: there, `db.path` is where the rows lie. */
  configOf(config: Config): Config;
  /** A session begins; the writer's block shows how saving goes. */
  follow(writerBlock: SharedArrayBuffer): void;
  /** Has the database saved, and gives the number of the save that holds all rows of now; null where they are on the disk anyway. */
  askSave(): number | null;
  /** The last session is over, and its rows are written: makes sure that they are on the disk. Gives why they are not. */
  finish(patience: Patience): Promise<AppError | null>;
  /** When no thread has the database open any more. */
  close(): void;
}

/** On the disk, where the writer has it. */
const ON_DISK: StorePlace = {
  configOf: (config) => config,
  follow: () => undefined,
  askSave: () => null,
  finish: async () => null,
  close: () => undefined,
};

/** Opens what `store.profile` says. `askPatience` is told how long that may take, ms. Throws `AppError` when it cannot be used. */
export async function openPlace(config: Config, log: Log, askPatience: (ms: number) => void): Promise<StorePlace> {
  if (config.storeProfile === 'ram') return RamStore.open(config, log, askPatience);
  const left = findLive(config);
  if (left) await settleLeft(left, log, Date.now());
  else rmSync(`${realPathOf(config.dbPath)}-live`, { force: true });
  return ON_DISK;
}

/** The profile was another one before: what that has left in memory comes first. */
async function settleLeft(left: RamPaths, log: Log, nowMs: number): Promise<void> {
  try {
    const { flows } = await saveLeft(left, nowMs);
    log('warn', `database ${left.saved}: what an earlier run has left in memory was saved`, { flows });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'DATABASE_REPLACED') throw error;
    log('error', error.message, { code: error.code, file: left.live });
  }
  rmSync(left.link, { force: true });
}
