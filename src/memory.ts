import { totalmem } from 'node:os';
import type { Config } from './config.js';
import type { PipelineMemory, Session } from './messages.js';
import { createFlowSlots, FLOW_BYTES } from './ring/flow-slots.js';
import { createGapLog } from './ring/gap-log.js';
import { createHostBlock } from './ring/host-block.js';
import { createInterfaceTable } from './ring/interface-table.js';
import { createLinkTable } from './ring/link-table.js';
import { createRing } from './ring/ring.js';
import { createThreadBlock } from './ring/thread-block.js';

const MIB = 2 ** 20;
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
export function slotsPerWorker(config: Config, workers: number, memoryBytes: number): number {
  return Math.ceil((config.flowActiveMax || flowsActiveMaxByRam(memoryBytes)) / workers);
}

/** A replay waits when a ring is full, and is faster the more of this one stays in the cache. */
const REPLAY_FRAME_RING_BYTES = 4 * MIB;
/**
 * What a live capture has to keep until the workers get round to it: the first packets meet code that is not compiled yet, and other
 * programs take the cores for a while. Frames of 1,000,000 packets in two seconds found room in 64 MiB, and not in 32.
 */
const LIVE_FRAME_RINGS_BYTES = 64 * MIB;
const LIVE_FRAME_RINGS_BYTES_CLASS_4 = 32 * MIB;
/**
 * Flows that end while the writer commits or builds look-ups find room here: with 2 MiB, first the worker waited for the writer, then the
 * writer for the worker, and a replay took a fifth longer.
 */
const FLOW_RING_BYTES = 8 * MIB;

/** Bytes of the ring from the capture to one of the workers. */
export function frameRingBytesOf(config: Config, workers: number, memoryBytes: number, mode: Session['mode']): number {
  if (config.ringFrameBytes > 0) return config.ringFrameBytes;
  if (mode === 'replay') return REPLAY_FRAME_RING_BYTES;
  const all = memoryBytes <= CLASS_4_BYTES_MAX ? LIVE_FRAME_RINGS_BYTES_CLASS_4 : LIVE_FRAME_RINGS_BYTES;
  return Math.max(REPLAY_FRAME_RING_BYTES, 2 ** Math.floor(Math.log2(all / workers)));
}

/** Bytes of the ring from one of the workers to the writer. */
export function flowRingBytesOf(config: Config): number {
  return config.ringFlowBytes || FLOW_RING_BYTES;
}

/**
 * Heap of a thread in MiB: with more, it dies, and the process lives on. Rings and tables lie outside of the heap, so no thread needs
 * more than 16 MiB (measured), but for a parse worker that takes over a flow table: it sorts the open flows.
 */
export function heapMibMax(flowTable?: SharedArrayBuffer): number {
  return heapBytesMax(flowTable ? flowTable.byteLength / FLOW_BYTES : 0) / MIB;
}

/** MiB that may gather in the API thread's heap before V8 looks for garbage: messages and frames are garbage soon, buffers hang on them. */
const API_YOUNG_MIB_MAX = 12;

/** So much for the thread of this name; undefined: V8's own choice, 48. */
export function youngMibMaxOf(name: string): number | undefined {
  return name === 'api' ? API_YOUNG_MIB_MAX : undefined;
}

/** As above, in bytes, for a thread that may take over a table of so many slots. */
export function heapBytesMax(slots: number): number {
  return (HEAP_MIB_MAX + Math.ceil((slots * HEAP_BYTES_PER_FLOW) / MIB)) * MIB;
}

/** Allocates all that the threads share. The sizes come from the options, so nothing here grows later. */
export function allocateMemory(config: Config, workers: number, mode: Session['mode'] = 'replay'): PipelineMemory {
  const slots = slotsPerWorker(config, workers, totalmem());
  const frameRingBytes = frameRingBytesOf(config, workers, totalmem(), mode);
  const perWorker = <T>(make: () => T): T[] => Array.from({ length: workers }, make);
  return {
    capture: createThreadBlock(),
    parse: perWorker(createThreadBlock),
    writer: createThreadBlock(),
    api: createThreadBlock(),
    frameRings: perWorker(() => createRing(frameRingBytes)),
    flowRings: perWorker(() => createRing(flowRingBytesOf(config))),
    flowTables: perWorker(() => createFlowSlots(slots)),
    interfaces: createInterfaceTable(),
    links: createLinkTable(),
    gaps: createGapLog(),
    host: createHostBlock(),
  };
}
