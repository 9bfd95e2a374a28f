import { workerData } from 'node:worker_threads';
import { exposeControl } from '../control.js';
import type { CaptureStart } from '../messages.js';
import { Cell, ThreadBlock } from '../ring/thread-block.js';
import { startThread } from '../thread-start.js';
import { Capture } from './capture.js';
import { settleWithPredecessor } from './predecessor.js';

const start = workerData as CaptureStart;
const block = new ThreadBlock(start.memory.capture);
startThread(start, block, 'fb-capture');
if (start.source.type === 'afpacket' && block.cell(Cell.Starts) > 1) settleWithPredecessor(block);
exposeControl(start.control, new Capture(start));
