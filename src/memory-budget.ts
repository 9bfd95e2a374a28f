import type { Config } from './config.js';
import { AppError } from './errors.js';
import { flowRingBytesOf, frameRingBytesOf, heapBytesMax, slotsPerWorker } from './memory.js';
import { FLOW_BYTES } from './ring/flow-slots.js';
import { cacheKibFor } from './store/open-database.js';
import { ramBytesMaxOf } from './store/ram/ram-directory.js';

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** What node itself takes with all of its threads' code, and each thread with its heap while there is traffic (measured; README has the figures). */
const BASE_BYTES = 72 * MIB;
const THREAD_BYTES = 16 * MIB;
/** Main, capture, writer and API. */
const THREADS_BESIDE_WORKERS = 4;
/** An address with names in the writer's cache. */
const NAME_BYTES = 128;
/** Connections, queues and answers of the API at its limits. */
const API_BYTES = 16 * MIB;

/** One term of the formula. */
interface BudgetItem {
  readonly name: string;
  /** How many of them there are, and what one takes. */
  readonly count: number;
  readonly eachBytes: number;
  readonly eachText: string;
}

export interface MemoryBudget {
  readonly items: readonly BudgetItem[];
  readonly totalBytes: number;
  /** Of that, what the threads share: rings and flow tables. */
  readonly sharedBytes: number;
  readonly limitBytes: number;
  /** Where the limit is from. */
  readonly isLimitChosen: boolean;
  /** What a thread's heap may grow to before that thread is replaced; beyond the formula, and bounded by the limit all the same. */
  readonly heapBytesMax: number;
}

/** The limit for a machine with so much memory, where the operator gives none. */
export function memoryLimitFor(memoryBytes: number): number {
  return Math.min(2 * GIB, Math.max(512 * MIB, memoryBytes / 8), memoryBytes / 2);
}

/** Resident memory that the daemon may take. */
export function memoryLimitOf(config: Config, memoryBytes: number): number {
  return config.hostMemoryBytesMax || memoryLimitFor(memoryBytes);
}

/** What a daemon takes with this config when everything is full: the formula, term by term. `memoryBytes` is the RAM of the machine. */
export function memoryBudget(config: Config, workers: number, memoryBytes: number): MemoryBudget {
  const slots = slotsPerWorker(config, workers, memoryBytes);
  // Files on a tmpfs are no resident memory of the process; the machine must have it all the same.
  const ramBytes = config.storeProfile === 'ram' ? ramBytesMaxOf(config, memoryBytes) : 0;
  const interfaces = config.captureInterface.split(',').length;
  const item = (name: string, count: number, eachBytes: number, eachText: string): BudgetItem => ({
    name,
    count,
    eachBytes,
    eachText,
  });
  const sum = (terms: readonly BudgetItem[]): number =>
    terms.reduce((bytes, { count, eachBytes }) => bytes + count * eachBytes, 0);
  const shared = [
    item('frame rings', workers, frameRingBytesOf(config, workers, memoryBytes, 'live'), 'ring.frame-bytes'),
    item('flow rings', workers, flowRingBytesOf(config), 'ring.flow-bytes'),
    item('flow tables', workers, slots * FLOW_BYTES, `${slots} flows of ${FLOW_BYTES} B, flow.active-max`),
  ];
  const items = [
    item('node and its libraries', 1, BASE_BYTES, ''),
    item('threads', THREADS_BESIDE_WORKERS + workers, THREAD_BYTES, 'heap and stack'),
    item('capture buffers of the kernel', interfaces, config.captureBufferBytes, 'capture.buffer-bytes'),
    ...shared,
    item('remembered names', config.namesAddressesMax, NAME_BYTES, 'names.addresses-max'),
    item('page cache of the database', 1, (config.dbCacheKib || cacheKibFor(memoryBytes)) * KIB, 'db.cache-kib'),
    item('API', 1, API_BYTES, ''),
    ...(ramBytes > 0
      ? [item('database in memory', 1, ramBytes, 'store.profile = ram; comes on top of host.memory-bytes-max')]
      : []),
  ];
  return {
    items,
    totalBytes: sum(items),
    sharedBytes: sum(shared),
    limitBytes: memoryLimitOf(config, memoryBytes) + ramBytes,
    isLimitChosen: config.hostMemoryBytesMax === 0,
    heapBytesMax: heapBytesMax(slots),
  };
}

/** Throws `CONFIG_MEMORY_EXCEEDED` when the config cannot fit into the limit. */
export function checkBudget({ totalBytes, limitBytes, isLimitChosen }: MemoryBudget): void {
  if (totalBytes <= limitBytes) return;
  const mebibytes = (bytes: number): string => `${Math.ceil(bytes / MIB)} MiB`;
  const limit = isLimitChosen ? `${mebibytes(limitBytes)}, as chosen for this machine` : mebibytes(limitBytes);
  throw new AppError(
    'CONFIG_MEMORY_EXCEEDED',
    `the options take up to ${mebibytes(totalBytes)} of memory; the limit is ${limit}`,
  );
}
