import { workerData } from 'node:worker_threads';
import type { ReaderAnswer, ReaderStart, ReaderTask } from '../query/reader-task.js';
import { Reader } from './reader.js';

const reader = new Reader(workerData as ReaderStart);

/** Runs one query; the pool calls it. */
export default function run(task: ReaderTask): ReaderAnswer {
  return reader.run(task);
}
