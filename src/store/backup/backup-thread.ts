import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { AppError, type ErrorData } from '../../errors.js';
import { type BackupOptions, backupDatabase } from './backup.js';

/** `workerData` of the thread that makes one backup, with nothing else to do. */
export type BackupTask = Omit<BackupOptions, 'signal' | 'onProgress' | 'onWritten'>;

/** What it tells: bytes as they are written, then how it ended. */
export type BackupEvent =
  | { readonly type: 'written'; readonly bytes: number }
  | { readonly type: 'made'; readonly path: string; readonly flows: number; readonly bytes: number; readonly deleted: number }
  | { readonly type: 'failed'; readonly error: ErrorData };

const tell = (event: BackupEvent): void => parentPort?.postMessage(event);

try {
  // On Linux this is the thread's own: everything else goes first.
  setPriority(constants.priority.PRIORITY_LOW);
} catch {
  // A nicety.
}
try {
  const task = workerData as BackupTask;
  const { path, metadata, deleted } = await backupDatabase({ ...task, onWritten: (bytes) => tell({ type: 'written', bytes }) });
  tell({ type: 'made', path, flows: metadata.facts.flows, bytes: metadata.file_bytes, deleted: deleted.length });
} catch (error) {
  tell({ type: 'failed', error: AppError.from(error).toData() });
}
