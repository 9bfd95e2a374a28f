import { mkdirSync, statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Config } from '../../config.js';
import { assertNever } from '../../messages.js';
import { Cell, ThreadBlock } from '../../ring/thread-block.js';
import { realPathOf } from '../real-path.js';
import type { Log } from '../trouble.js';
import { deleteUnfinished, goodBackups } from './backup-files.js';
import type { BackupEvent, BackupTask } from './backup-thread.js';

const LOOK_MS = 30_000;
/** The write budget of the disk that the database is on leaves so much; the log of a running backup grows meanwhile. */
const SAME_DISK_BYTES_PER_S = 128 * 1024;
const OTHER_DISK_BYTES_PER_S = 4 * 2 ** 20;

/** The last moment at or before `nowMs` at which the local clock showed `at`, HH:MM; ms since 1970. */
export function lastDueMs(nowMs: number, at: string): number {
  const [hours, minutes] = at.split(':').map(Number) as [number, number];
  const due = new Date(nowMs);
  due.setHours(hours, minutes, 0, 0);
  if (due.getTime() > nowMs) due.setDate(due.getDate() - 1);
  return due.getTime();
}

/**
 * The daily backups of a running daemon, each in a thread of its own that ends with it. One that was missed, since nothing ran, is made
 * up for once. One that fails is said in the log and in `/health`, and comes again the next day.
 */
export class DailyBackup {
  private readonly block: ThreadBlock;
  private timer: NodeJS.Timeout | undefined;
  private worker: Worker | null = null;
  private triedMs = Number.NEGATIVE_INFINITY;

  /**
   * `writerBlock` is the writer's block, whose cells for backups this one writes. `nowMs` is the wall clock, `livePath` where the database
   * lies if not under its name.
   */
  constructor(
    private readonly config: Config,
    writerBlock: SharedArrayBuffer,
    private readonly log: Log,
    private readonly nowMs: () => number = Date.now,
    private readonly livePath = config.dbPath,
  ) {
    this.block = new ThreadBlock(writerBlock);
  }

  /** Looks from now on. The timer keeps nobody alive. Does nothing without `backup.directory`. */
  start(): void {
    if (this.config.backupDirectory === '') return;
    this.timer = setInterval(() => this.look(), LOOK_MS);
    this.timer.unref();
    this.look();
  }

  /** Begins a backup if one is due and none runs. */
  look(): void {
    if (this.worker) return;
    const nowMs = this.nowMs();
    const dueMs = lastDueMs(nowMs, this.config.backupDailyAt);
    if (this.triedMs >= dueMs) return;
    try {
      if (this.newestMs() >= dueMs) return;
      this.begin(nowMs);
    } catch (error) {
      this.failed(`backup to ${this.config.backupDirectory}: ${(error as Error).message}`, 'BACKUP_FAILED');
    }
    this.triedMs = nowMs;
  }

  /** Ends a backup that runs; what it has written so far is deleted. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    const { worker } = this;
    if (!worker) return;
    this.worker = null;
    await worker.terminate();
    deleteUnfinished(this.config.backupDirectory, this.databasePath());
    this.log('info', 'the backup was broken off, since flowberry stops; it is made up for at the next start');
  }

  private begin(nowMs: number): void {
    const { config } = this;
    mkdirSync(config.backupDirectory, { recursive: true, mode: 0o700 });
    const isSameDisk = statSync(config.backupDirectory).dev === statSync(this.livePath).dev;
    const task: BackupTask = {
      databasePath: config.dbPath,
      livePath: this.livePath,
      directory: config.backupDirectory,
      keep: config.backupKeep,
      compression: config.backupCompression,
      bytesPerSMax: config.backupBytesPerSMax || (isSameDisk ? SAME_DISK_BYTES_PER_S : OTHER_DISK_BYTES_PER_S),
      nowMs,
    };
    const worker = new Worker(new URL('./backup-thread.js', import.meta.url), { name: 'backup', workerData: task });
    this.worker = worker;
    worker.unref();
    worker.on('message', (event: BackupEvent) => this.take(event));
    worker.on('error', (error: Error) => this.failed(`backup: its thread died: ${error.message}`, 'BACKUP_FAILED'));
    worker.on('exit', () => {
      if (this.worker === worker) this.worker = null;
    });
  }

  private take(event: BackupEvent): void {
    const { cells } = this.block;
    switch (event.type) {
      case 'written':
        cells[Cell.BackupBytes] = this.block.cell(Cell.BackupBytes) + event.bytes;
        return;
      case 'made':
        cells[Cell.BackupsMade] = this.block.cell(Cell.BackupsMade) + 1;
        cells[Cell.BackupFailures] = 0;
        this.log('info', 'backup made', { file: event.path, flows: event.flows, bytes: event.bytes, deleted: event.deleted });
        return;
      case 'failed':
        this.failed(event.error.message, event.error.code);
        return;
      default:
        assertNever(event);
    }
  }

  private failed(message: string, code: string): void {
    this.block.cells[Cell.BackupFailures] = this.block.cell(Cell.BackupFailures) + 1;
    this.log('error', message, { code });
  }

  private databasePath(): string {
    return realPathOf(this.config.dbPath);
  }

  /** Time of the newest good backup; before all time without one. */
  private newestMs(): number {
    const [newest] = goodBackups(this.config.backupDirectory, this.databasePath());
    return newest ? newest.metadata.created_us / 1000 : Number.NEGATIVE_INFINITY;
  }
}
