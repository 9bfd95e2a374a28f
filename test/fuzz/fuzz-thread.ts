import { parentPort, workerData } from 'node:worker_threads';
import { type FuzzOptions, fuzz } from './fuzz.js';
import { Watch } from './watch.js';

/** What the command hands to the thread that does the work. */
export interface FuzzStart {
  readonly watch: SharedArrayBuffer;
  readonly options: Omit<FuzzOptions, 'watch'>;
}

const { watch, options } = workerData as FuzzStart;
const watched = new Watch(watch);
parentPort?.postMessage(fuzz({ ...options, watch: (number, frame) => watched.set(number, frame) }));
