import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import { backupDatabase } from '../store/backup/backup.js';
import { livePathOf } from '../store/ram/ram-paths.js';
import { StepProgress } from './step-progress.js';
import { exitCodeOf, onStopSignal, type StopSignal } from './stop-signals.js';

/** `flowberry db backup`: makes a backup, as fast as the disk takes it, and prints where it is. Throws `AppError`. */
export async function runDbBackup(config: Config, { json }: { readonly json: boolean }): Promise<number> {
  if (config.backupDirectory === '') throw new AppError('USAGE', 'db backup: give --to DIRECTORY, or set backup.directory');
  const progress = new StepProgress();
  const abort = new AbortController();
  let stopped: StopSignal | null = null;
  const ignoreSignals = onStopSignal((signal) => {
    stopped = signal;
    abort.abort();
  });
  try {
    const { path, metadata, deleted } = await backupDatabase({
      databasePath: config.dbPath,
      livePath: livePathOf(config),
      directory: config.backupDirectory,
      keep: config.backupKeep,
      compression: config.backupCompression,
      bytesPerSMax: 0,
      nowMs: Date.now(),
      signal: abort.signal,
      onProgress: (stage, ratio) => progress.show(stage, ratio),
    });
    progress.end();
    const { flows, dns } = metadata.facts;
    const lines = [
      `${path}: ${flows} flows, ${dns} DNS transactions, ${metadata.database_bytes} bytes packed to ${metadata.file_bytes}`,
      ...deleted.map((old) => `deleted ${old}: backup.keep is ${config.backupKeep}`),
    ];
    process.stdout.write(json ? `${JSON.stringify({ path, metadata, deleted })}\n` : `${lines.join('\n')}\n`);
    return 0;
  } catch (error) {
    if (stopped !== null && abort.signal.aborted && (error as Error).name === 'AbortError') return exitCodeOf(stopped);
    throw error;
  } finally {
    progress.end();
    ignoreSignals();
  }
}
