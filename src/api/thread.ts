import { workerData } from 'node:worker_threads';
import { exposeControl } from '../control.js';
import { AppError } from '../errors.js';
import { type ApiControl, type ApiStart, done } from '../messages.js';
import { ThreadState } from '../ring/layout.js';
import { ThreadBlock } from '../ring/thread-block.js';
import { startThread } from '../thread-start.js';
import { SAMPLE_INTERVAL_MS } from './history.js';
import { listenOn } from './listener.js';
import { Monitor } from './monitor.js';
import { buildServer } from './server.js';

const start = workerData as ApiStart;
const { config, control, events } = start;

const block = new ThreadBlock(start.memory.api);
startThread(start, block, 'fb-api');

const monitor = new Monitor(start);
const server = buildServer(monitor);

const timer = setInterval(() => {
  block.beat();
  monitor.sample();
}, SAMPLE_INTERVAL_MS);

const controls: ApiControl = {
  async listen() {
    try {
      const listening = await listenOn(server, config.apiAddress, config.apiPort);
      block.state = ThreadState.Running;
      return { ok: true, value: listening };
    } catch (error) {
      return { ok: false, error: AppError.from(error).toData() };
    }
  },

  async close() {
    block.state = ThreadState.Draining;
    clearInterval(timer);
    await server.close();
    block.state = ThreadState.Ended;
    // The answer must leave before its port closes; nothing else keeps the thread alive then.
    setImmediate(() => {
      control.close();
      events.close();
    });
    return done;
  },
};
exposeControl(control, controls);
