import { setImmediate, setTimeout } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { exposeControl, outcomeOf } from '../control.js';
import { AppError } from '../errors.js';
import { LiveClock } from '../live-clock.js';
import type { WriterControl, WriterOpened, WriterStart } from '../messages.js';
import { Doorbell } from '../ring/doorbell.js';
import { Command, ThreadState } from '../ring/layout.js';
import { ThreadBlock } from '../ring/thread-block.js';
import { logFrom, startThread } from '../thread-start.js';
import { KeptWriter } from './faults/kept-writer.js';
import type { Writer } from './writer.js';

/** Longest sleep: heartbeat and batch age wait at most so long; commands ring the bell. Each look costs an idle machine. */
const SLEEP_MS_MAX = 500;
/** A batch is late by at most this part of its age. */
const SLEEPS_PER_AGE = 10;
/** Pause before the next attempt, while the database refuses. */
const RETRY_MS = 100;
/**
 * Pause while rows enough for a batch wait for its time; a producer's bell would ring for each of them. A replay fills its rings in
 * milliseconds; a live capture takes longer, and pays for each look.
 */
const NAP_MS = { live: 100, replay: 5 } as const;
/** How long the end waits for a database that refuses. */
const END_PATIENCE_MS = 3000;

const start = workerData as WriterStart;
const block = new ThreadBlock(start.memory.writer);
const doorbell = new Doorbell(block.memory);
startThread(start, block, 'fb-writer');

const clock = new LiveClock(start.session.startedUs, start.session.startedMonotonicMs);
/** The clock of the session, so that minutes of the ledger and ids of rows go together whatever is done to the wall clock. */
const nowMs = (): number => Math.floor(clock.nowUs() / 1000);

let writer: KeptWriter | undefined;
/** The config to go by: that of the start, or of a reload, which may come before the database is open. */
let { config } = start;

function open(): WriterOpened {
  writer = KeptWriter.open({ ...start, config }, (level, message, fields) => logFrom(start, level, message, fields), nowMs());
  return writer.opened;
}

async function run(): Promise<void> {
  if (!writer) throw new Error('writer: run before open');
  let endingSinceMs = Number.POSITIVE_INFINITY;
  block.state = ThreadState.Running;
  const isIdle = (): boolean => !writer?.isBatchNear && block.command === Command.Run;
  for (;;) {
    block.beat();
    // Read before the step: rows that were published before the command are then in this step or a later one.
    const isEnding = block.command === Command.Drain;
    const stepMs = nowMs();
    if (isEnding && block.state !== ThreadState.Draining) {
      block.state = ThreadState.Draining;
      endingSinceMs = stepMs;
    }
    if (writer.step(stepMs, isEnding)) await setImmediate();
    else if (isEnding && writer.isEmpty) break;
    else if (isEnding && writer.failure !== null && stepMs - endingSinceMs > END_PATIENCE_MS) {
      writer.abandon();
      const lost = `${writer.flowsUnwritten} flows could not be written and are lost`;
      throw new AppError('DATABASE_WRITE_FAILED', `database ${config.dbPath}: ${writer.failure}; ${lost}`);
    } else if (isEnding || writer.isBatchNear) await setTimeout(writer.failure === null ? NAP_MS[start.session.mode] : RETRY_MS);
    else await doorbell.waitAsync(Math.min(SLEEP_MS_MAX, Math.ceil(config.batchAgeMsMax / SLEEPS_PER_AGE)), isIdle);
  }
  writer.close(nowMs());
  block.beat();
  block.state = ThreadState.Ended;
}

/** The writer, where it can change something now. */
function openWriter(): Writer {
  if (writer?.current && block.state === ThreadState.Running) return writer.current;
  throw new AppError('DATABASE_WRITE_FAILED', `database ${start.config.dbPath}: it is not open for changes now`);
}

const control: WriterControl = {
  open: () => outcomeOf(open),
  reconfigure: (next) =>
    outcomeOf(() => {
      config = next;
      writer?.reconfigure(next, nowMs());
      return undefined;
    }),
  run: () =>
    outcomeOf(async () => {
      await run();
      return undefined;
    }),
  noteDevice: (update) => outcomeOf(() => openWriter().noteDevice(update)),
  acknowledgeAlert: (id, isAcknowledged) =>
    outcomeOf(() => openWriter().acknowledgeAlert(id, isAcknowledged ? clock.nowUs() : null)),
};

exposeControl(start.control, control);
