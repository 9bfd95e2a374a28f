import { parentPort, workerData } from 'node:worker_threads';
import { AppError, type ErrorData } from '../../errors.js';
import { type SaveOptions, type SaveResult, saveDatabase } from './save-database.js';

/** What the thread of one save tells at its end. */
export type SaveEvent =
  | { readonly type: 'saved'; readonly result: SaveResult }
  | { readonly type: 'failed'; readonly error: ErrorData };

const tell = (event: SaveEvent): void => parentPort?.postMessage(event);

try {
  tell({ type: 'saved', result: await saveDatabase(workerData as SaveOptions) });
} catch (error) {
  tell({ type: 'failed', error: AppError.from(error).toData() });
}
