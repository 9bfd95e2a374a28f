import { decodeCase } from './cases/decode.js';
import { flowTableCase, longFlowsCase } from './cases/flow-table.js';
import { hashFloodCase } from './cases/hash-flood.js';
import { ringCase } from './cases/ring.js';
import { ringThreadsCase } from './cases/ring-threads.js';
import { writerCase } from './cases/writer.js';
import type { MicroCase } from './micro.js';

/** The stages, each measured alone, in the order of the pipeline. */
export const MICRO_CASES: readonly MicroCase[] = [
  ringCase,
  ringThreadsCase,
  decodeCase,
  flowTableCase,
  longFlowsCase,
  hashFloodCase,
  writerCase,
];
