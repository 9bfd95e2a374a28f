import { AppError } from '../errors.js';
import { LiveClock } from '../live-clock.js';
import type { ParseStart } from '../messages.js';
import { Doorbell } from '../ring/doorbell.js';
import { Command, ThreadState } from '../ring/layout.js';
import { ThreadBlock } from '../ring/thread-block.js';
import { logFrom, startThread } from '../thread-start.js';
import { quarantine, quarantinePath } from './quarantine.js';
import { finalReason, ParseWorker } from './worker.js';

/** Longest sleep: heartbeat and timeouts wait at most so long; frames and commands ring the bell. Each look costs an idle machine. */
const SLEEP_MS = 500;

/** Keeps a packet that a worker died of, or at least died with, for whoever looks for the cause. */
function keepPacket(start: ParseStart, payload: number): void {
  const path = quarantinePath(start.config.dbPath);
  try {
    const count = quarantine(path, start.memory.frameRings[start.index] as SharedArrayBuffer, payload);
    logFrom(start, 'warn', `the packet that parse-${start.index} had in hand is kept in ${path}`, { packets: count });
  } catch (error) {
    const message = `${path}: the packet that parse-${start.index} had in hand is not kept: ${AppError.from(error).message}`;
    logFrom(start, 'warn', message, { code: 'QUARANTINE_NOT_WRITTEN' });
  }
}

/** The long-lived task of one parse worker; ends when the block's command is `Drain` and the ring is empty. */
export default function run(start: ParseStart): void {
  const block = new ThreadBlock(start.memory.parse[start.index] as SharedArrayBuffer);
  startThread(start, block, `fb-parse-${start.index}`);
  const worker = new ParseWorker(start, (payload) => keepPacket(start, payload));
  const doorbell = new Doorbell(block.memory);
  const clock = new LiveClock(start.session.startedUs, start.session.startedMonotonicMs);
  const isIdle = (): boolean => worker.isEmpty && block.command === Command.Run;
  block.state = ThreadState.Running;
  for (;;) {
    block.beat();
    // Read before the step: frames that were published before the command are then in this step or a later one.
    const command = block.command;
    const frames = worker.step(clock.nowUs());
    if (frames > 0) continue;
    if (command === Command.Drain) break;
    doorbell.wait(SLEEP_MS, isIdle);
  }
  block.state = ThreadState.Draining;
  worker.finish(finalReason(start.session.mode));
  block.beat();
  block.state = ThreadState.Ended;
}
