import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Config } from '../../config.js';
import { AppError, type ErrorData } from '../../errors.js';
import { assertNever } from '../../messages.js';
import { Cell, ThreadBlock } from '../../ring/thread-block.js';
import { fingerprintOf } from '../faults/file-identity.js';
import type { Log } from '../trouble.js';
import { walBytes } from '../upkeep/file-room.js';
import { databaseBytes, openRamDirectory, roomInMemory } from './ram-directory.js';
import { RamLocks } from './ram-locks.js';
import { type RamPaths, ramPathsOf } from './ram-paths.js';
import { type SaveOptions, type SaveResult, saveError } from './save-database.js';
import type { SaveEvent } from './save-thread.js';
import type { Patience, StorePlace } from './store-place.js';
import { pointTo, removeCopy, takeIn } from './take-in.js';

const LOOK_MS = 5_000;
/** A save that takes longer than a minute, and a second for each megabyte, is broken off: the disk does not answer any more. */
const SAVE_MS_MIN = 60_000;
const SAVE_BYTES_PER_MS = 1_000;

/** How long a save of so many bytes may take. */
export function saveMsMax(bytes: number): number {
  return SAVE_MS_MIN + Math.ceil(bytes / SAVE_BYTES_PER_MS);
}

/**
 * A database that lies in memory while the daemon runs, and is saved under the operator's name when somebody asks, from time to time if
 * `store.ram-save-s` says so, and at the stop. Each save has a thread of its own, one at a time. One that fails is said in the log and in
 * `/health`; the copy in memory stays until a save has succeeded, and a later start takes it up.
 */
export class RamStore implements StorePlace {
  private block: ThreadBlock | null = null;
  private worker: Worker | null = null;
  private running: Promise<AppError | null> | null = null;
  /** Saves that have begun, and whether somebody asked while one was under way. */
  private begun = 0;
  private made = 0;
  private failed = 0;
  private failures = 0;
  private savedBytes = 0;
  private savedMs = 0;
  private isAskedAgain = false;
  private lastMs: number;
  private timer: NodeJS.Timeout | undefined;
  /** What the copy looked like when it was the same as the saved file; '' while it never was. */
  private savedState: string;
  /** Nobody is to begin another save; one that is under way gives way to the last one. */
  private isFinishing = false;
  private isGivingWay = false;

  private constructor(
    private readonly config: Config,
    private readonly paths: RamPaths,
    private readonly locks: RamLocks,
    private readonly bytesMax: number,
    hasUnsaved: boolean,
    private readonly log: Log,
    private readonly nowMs: () => number,
  ) {
    this.lastMs = nowMs();
    this.savedState = hasUnsaved ? '' : this.state;
    if (config.storeRamSaveS > 0) this.timer = setInterval(() => this.look(), LOOK_MS);
    this.timer?.unref();
  }

  /** Puts the database in memory. Throws `STORE_RAM_UNUSABLE`, `DATABASE_LOCKED`, and what opening the saved file throws. */
  static open(config: Config, log: Log, askPatience: (ms: number) => void, nowMs: () => number = Date.now): RamStore {
    const paths = ramPathsOf(config);
    askPatience(saveMsMax(databaseBytes(paths.saved)));
    openRamDirectory(paths);
    const bytesMax = roomInMemory(config, paths);
    const locks = RamLocks.acquire(paths);
    try {
      const unlinked = pointTo(paths);
      const hasUnsaved = takeIn(paths, bytesMax, nowMs(), log);
      log('info', 'the database lies in memory', { database: paths.saved, file: paths.live, bytes_max: bytesMax });
      if (unlinked !== null)
        log('warn', `database ${paths.saved}: it cannot be saved as long as its directory cannot be written to: ${unlinked}`);
      return new RamStore(config, paths, locks, bytesMax, hasUnsaved, log, nowMs);
    } catch (error) {
      locks.release();
      throw error;
    }
  }

  configOf(config: Config): Config {
    const { live: dbPath } = this.paths;
    return Object.freeze({ ...config, dbPath, retentionFileBytesMax: this.bytesMaxOf(config) });
  }

  follow(writerBlock: SharedArrayBuffer): void {
    this.block = new ThreadBlock(writerBlock);
    this.show();
  }

  /** Begins a save if `store.ram-save-s` has passed since the last one began. */
  look(): void {
    const { storeRamSaveS } = this.config;
    // A clock that was set back must not put it off for long.
    const sinceMs = Math.abs(this.nowMs() - this.lastMs);
    if (this.running === null && storeRamSaveS > 0 && sinceMs >= storeRamSaveS * 1000) void this.begin();
  }

  askSave(): number {
    // The last save has everything.
    if (this.isFinishing) return this.begun;
    if (this.running === null) void this.begin();
    else this.isAskedAgain = true;
    return this.begun + Number(this.isAskedAgain);
  }

  async finish(patience: Patience): Promise<AppError | null> {
    clearInterval(this.timer);
    this.isFinishing = true;
    this.isAskedAgain = false;
    // What a save has copied so far lacks the last rows.
    this.isGivingWay = true;
    await this.worker?.terminate();
    await this.running;
    this.isGivingWay = false;
    const { live, saved } = this.paths;
    if (!existsSync(live) || this.state === this.savedState) return null;
    const msMax = saveMsMax(databaseBytes(live));
    this.log('info', 'the database is being saved; until then its rows lie in memory', {
      database: saved,
      file: live,
      bytes: databaseBytes(live),
      seconds_max: Math.ceil(msMax / 1000),
    });
    patience.begin(msMax);
    const failure = await this.begin();
    patience.end();
    return failure;
  }

  close(): void {
    clearInterval(this.timer);
    // Threads that did not end by themselves may have written behind the last save. Locks stay with the directory; they mean nothing.
    if (this.state === this.savedState) removeCopy(this.paths);
    this.locks.release();
  }

  private bytesMaxOf(config: Config): number {
    return Math.min(config.retentionFileBytesMax || this.bytesMax, this.bytesMax);
  }

  private get state(): string {
    const { live } = this.paths;
    // A log without a page is as good as none; whoever reads may make it.
    return `${fingerprintOf(live)} ${walBytes(live) > 0 ? fingerprintOf(`${live}-wal`) : ''}`;
  }

  /** Resolves when the save is over, with why it failed. */
  private begin(): Promise<AppError | null> {
    this.begun++;
    this.lastMs = this.nowMs();
    const running = this.save().then((failure) => {
      this.running = null;
      this.show();
      if (this.isAskedAgain) {
        this.isAskedAgain = false;
        void this.begin();
      }
      return failure;
    });
    this.running = running;
    this.show();
    return running;
  }

  private async save(): Promise<AppError | null> {
    const startMs = performance.now();
    const refusal = this.locks.lockSaved();
    if (refusal) return this.failedWith(this.errorOf(refusal.message));
    const { state } = this;
    const event = await this.runThread();
    switch (event.type) {
      case 'saved':
        this.savedState = state;
        this.succeeded(event.result, Math.round(performance.now() - startMs));
        return null;
      case 'failed':
        return this.isGivingWay ? null : this.failedWith(event.error);
      default:
        return assertNever(event);
    }
  }

  /** One save, in a thread that is ended when it takes too long. */
  private async runThread(): Promise<SaveEvent> {
    const workerData: SaveOptions = { paths: this.paths, nowMs: this.nowMs() };
    const worker = new Worker(new URL('./save-thread.js', import.meta.url), { name: 'save', workerData });
    this.worker = worker;
    const msMax = saveMsMax(databaseBytes(this.paths.live));
    let cause = 'it was broken off';
    const timer = setTimeout(() => {
      cause = `it took longer than ${Math.ceil(msMax / 1000)} s`;
      void worker.terminate();
    }, msMax);
    try {
      return await new Promise<SaveEvent>((resolve) => {
        worker.on('message', resolve);
        worker.on('error', ({ message }: Error) => resolve({ type: 'failed', error: this.errorOf(message) }));
        worker.on('exit', () => resolve({ type: 'failed', error: this.errorOf(cause) }));
      });
    } finally {
      clearTimeout(timer);
      this.worker = null;
    }
  }

  private errorOf(why: string): ErrorData {
    return saveError(this.paths, why).toData();
  }

  private succeeded({ flows, bytes, kept }: SaveResult, ms: number): void {
    this.made++;
    this.failures = 0;
    this.savedBytes = bytes;
    this.savedMs = this.nowMs();
    this.log('info', 'database saved', { database: this.paths.saved, flows, bytes, ms, ...(kept !== null && { kept }) });
  }

  private failedWith({ code, message }: ErrorData): AppError {
    this.failed++;
    this.failures++;
    const error = new AppError(code, message);
    this.log('error', message, { code, file: this.paths.live });
    return error;
  }

  private show(): void {
    if (!this.block) return;
    const { cells } = this.block;
    cells[Cell.RamBytesMax] = this.bytesMax;
    cells[Cell.SavesMade] = this.made;
    cells[Cell.SavesFailed] = this.failed;
    cells[Cell.SaveFailures] = this.failures;
    cells[Cell.SaveRunning] = Number(this.running !== null);
    cells[Cell.SavedBytes] = this.savedBytes;
    cells[Cell.SavedUs] = this.savedMs * 1000;
  }
}
