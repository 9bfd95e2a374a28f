import { totalmem } from 'node:os';
import type { Config } from './config.js';
import type { PipelineMemory } from './messages.js';
import { createFlowSlots, FLOW_BYTES } from './ring/flow-slots.js';
import { createGapLog } from './ring/gap-log.js';
import { createInterfaceTable } from './ring/interface-table.js';
import { createLinkTable } from './ring/link-table.js';
import { createRing } from './ring/ring.js';
import { createThreadBlock } from './ring/thread-block.js';

const GIB = 2 ** 30;
const HEAP_MIB_MAX = 192;
/** Sorting takes several arrays of 8 bytes for each flow. */
const HEAP_BYTES_PER_FLOW = 64;
/** MemTotal of a machine that is sold with 4 or 8 GB lies somewhat below that. */
const CLASS_4_BYTES_MAX = 4.5 * GIB;
const CLASS_8_BYTES_MIN = 7 * GIB;
const CLASS_8_BYTES_MAX = 9 * GIB;

/** Flows in memory by RAM: 5,000 up to 4 GB, 20,000 with 8 GB, otherwise 10,000. */
function flowsActiveMaxByRam(memoryBytes: number): number {
  if (memoryBytes <= CLASS_4_BYTES_MAX) return 5_000;
  return memoryBytes >= CLASS_8_BYTES_MIN && memoryBytes <= CLASS_8_BYTES_MAX ? 20_000 : 10_000;
}

/** Parse workers when the option is 0: the cores less capture and writer, at least 1. */
export function workerCountOf(config: Config, cores: number): number {
  return config.parseWorkers || Math.max(1, cores - 2);
}

/** Flow slots of one worker. */
function slotsPerWorker(config: Config, workers: number, memoryBytes: number): number {
  return Math.ceil((config.flowActiveMax || flowsActiveMaxByRam(memoryBytes)) / workers);
}

/** Bytes that `allocateMemory` takes but for headers: the rings and flow tables of all workers. */
export function memoryBytesOf(config: Config, workers: number, memoryBytes: number): number {
  return workers * (config.ringFrameBytes + config.ringFlowBytes + slotsPerWorker(config, workers, memoryBytes) * FLOW_BYTES);
}

/**
 * Heap of a thread in MiB: with more, it dies, and the process lives on. Rings and tables lie outside of the heap, so no thread needs
 * more than 16 MiB (measured), but for a parse worker that takes over a flow table: it sorts the open flows.
 */
export function heapMibMax(flowTable?: SharedArrayBuffer): number {
  return HEAP_MIB_MAX + (flowTable ? Math.ceil(((flowTable.byteLength / FLOW_BYTES) * HEAP_BYTES_PER_FLOW) / 2 ** 20) : 0);
}

/** Allocates all that the threads share. The sizes come from the options, so nothing here grows later. */
export function allocateMemory(config: Config, workers: number): PipelineMemory {
  const slots = slotsPerWorker(config, workers, totalmem());
  const perWorker = <T>(make: () => T): T[] => Array.from({ length: workers }, make);
  return {
    capture: createThreadBlock(),
    parse: perWorker(createThreadBlock),
    writer: createThreadBlock(),
    api: createThreadBlock(),
    frameRings: perWorker(() => createRing(config.ringFrameBytes)),
    flowRings: perWorker(() => createRing(config.ringFlowBytes)),
    flowTables: perWorker(() => createFlowSlots(slots)),
    interfaces: createInterfaceTable(),
    links: createLinkTable(),
    gaps: createGapLog(),
  };
}
