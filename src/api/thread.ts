import { workerData } from 'node:worker_threads';
import type { Config } from '../config.js';
import { connectControl, exposeControl } from '../control.js';
import { AppError } from '../errors.js';
import { type ApiControl, type ApiStart, done, type MaintenanceControl } from '../messages.js';
import { ThreadState } from '../ring/layout.js';
import { Cell, monotonicMs, ThreadBlock } from '../ring/thread-block.js';
import { logFrom, startThread } from '../thread-start.js';
import { type Api, createApi } from './create-api.js';
import { SAMPLE_INTERVAL_MS } from './history.js';
import { listenOn } from './listener.js';
import { Monitor } from './monitor.js';

const start = workerData as ApiStart;
const { control, events, databaseName: dbPath } = start;
/** The config to go by: that of the start, or of a reload, which may come before the API listens. It shows the operator's name of the database. */
let config: Config = { ...start.config, dbPath };

const block = new ThreadBlock(start.memory.api);
startThread(start, block, 'fb-api');

const monitor = new Monitor({ ...start, config });

/** A poller meets the same defect again and again; the log has it once a minute. */
const DEFECT_INTERVAL_MS = 60_000;
let defectLoggedMs = Number.NEGATIVE_INFINITY;
function onDefect(error: Error): void {
  if (monotonicMs() - defectLoggedMs < DEFECT_INTERVAL_MS) return;
  defectLoggedMs = monotonicMs();
  logFrom(start, 'error', `the API could not answer: ${error.message}`, { stack: error.stack ?? '' });
}

const onWebhookTrouble = (sentence: string): void => logFrom(start, 'warn', sentence, { code: 'WEBHOOK_FAILED' });

const main = connectControl<MaintenanceControl>(start.maintenance);
let api: Api | undefined;

const timer = setInterval(() => {
  block.beat();
  monitor.sample();
  api?.tick();
}, SAMPLE_INTERVAL_MS);

const controls: ApiControl = {
  async listen() {
    try {
      api ??= createApi({
        config,
        databasePath: start.config.dbPath,
        memory: start.memory,
        monitor,
        maintenance: main,
        onDefect,
        onWebhookTrouble,
      });
      const listening = await listenOn(api.server, config.apiAddress, config.apiPort);
      block.cells[Cell.ApiPort] = listening.port;
      block.state = ThreadState.Running;
      return { ok: true, value: listening };
    } catch (error) {
      return { ok: false, error: AppError.from(error).toData() };
    }
  },

  async reconfigure(next) {
    config = { ...next, dbPath };
    api?.reconfigure(next);
    return done;
  },

  async close() {
    block.state = ThreadState.Draining;
    clearInterval(timer);
    await api?.close();
    block.state = ThreadState.Ended;
    // The answer must leave before its port closes; nothing else keeps the thread alive then.
    setImmediate(() => {
      control.close();
      events.close();
      start.maintenance.close();
    });
    return done;
  },
};
exposeControl(control, controls);
