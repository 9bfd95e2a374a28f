import { LiveClock } from '../live-clock.js';
import type { ParseStart } from '../messages.js';
import { Doorbell } from '../ring/doorbell.js';
import { Command, ThreadState } from '../ring/layout.js';
import { ThreadBlock } from '../ring/thread-block.js';
import { startThread } from '../thread-start.js';
import { finalReason, ParseWorker } from './worker.js';

/** Longest sleep: heartbeat and timeouts wait at most so long; frames and commands ring the bell. Each look costs an idle machine. */
const SLEEP_MS = 500;

/** The long-lived task of one parse worker; ends when the block's command is `Drain` and the ring is empty. */
export default function run(start: ParseStart): void {
  const block = new ThreadBlock(start.memory.parse[start.index] as SharedArrayBuffer);
  startThread(start, block, `fb-parse-${start.index}`);
  const worker = new ParseWorker(start);
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
