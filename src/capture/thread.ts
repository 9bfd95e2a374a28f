import { workerData } from 'node:worker_threads';
import { exposeControl } from '../control.js';
import type { CaptureStart } from '../messages.js';
import { ThreadBlock } from '../ring/thread-block.js';
import { startThread } from '../thread-start.js';
import { Capture } from './capture.js';
import { warmUp } from './warm-up.js';

const start = workerData as CaptureStart;
startThread(start, new ThreadBlock(start.memory.capture), 'fb-capture', true);
if (start.session.mode === 'live') warmUp(start.memory.frameRings.length);
exposeControl(start.control, new Capture(start));
