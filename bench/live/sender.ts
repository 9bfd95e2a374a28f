import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { AppError } from '../../src/errors.js';
import { FrameSender } from './frame-sender.js';
import { loadFrames } from './loaded-frames.js';
import { Pace } from './pace.js';

/** What the sending process is told, as JSON in its first argument. */
export interface SenderTask {
  readonly file: string;
  readonly interface: string;
  /** Null: as fast as possible. */
  readonly packetsPerS: number | null;
  readonly seconds: number;
  readonly count: number | null;
}

/** What it says at its end, as one line of JSON. */
export interface Sent {
  readonly packets: number;
  readonly seconds: number;
  /** Frames that the kernel did not take. */
  readonly refused: number;
}

const STDOUT = 1;
const PAUSE_MS = 1;
/** So often it listens whether it is to stop. */
const LISTEN_MS = 50;

/** Sends until it has sent everything, or `signal` says that it is enough. */
async function sendAll(task: SenderTask, sender: FrameSender, signal: AbortSignal): Promise<Sent> {
  const pausing = new Int32Array(new SharedArrayBuffer(4));
  const countMax = task.count ?? Number.POSITIVE_INFINITY;
  const startMs = performance.now();
  const endMs = task.count === null ? startMs + task.seconds * 1000 : Number.POSITIVE_INFINITY;
  const pace = new Pace(task.packetsPerS ?? Number.POSITIVE_INFINITY, startMs);
  let packets = 0;
  let nowMs = startMs;
  let listenMs = startMs;
  while (packets < countMax && nowMs < endMs && !signal.aborted) {
    const due = Math.min(pace.due(nowMs), countMax - packets);
    if (due > 0) {
      const sent = sender.send(due);
      pace.count(sent);
      packets += sent;
    } else {
      Atomics.wait(pausing, 0, 0, PAUSE_MS);
    }
    nowMs = performance.now();
    if (nowMs < listenMs) continue;
    await turn();
    listenMs = nowMs + LISTEN_MS;
  }
  return { packets, seconds: (nowMs - startMs) / 1000, refused: sender.refused };
}

/** The sending process: loads, says `ready`, waits for a line, sends, and says what it sent. The end of its input ends it. */
async function main(): Promise<void> {
  const task = JSON.parse(process.argv[2] ?? '') as SenderTask;
  const sender = new FrameSender(task.interface, await loadFrames(task.file));
  const over = new AbortController();
  process.stdin.once('end', () => over.abort());
  writeSync(STDOUT, 'ready\n');
  await Promise.race([once(process.stdin, 'data'), once(process.stdin, 'end')]);
  // An end instead of a line: the bench is gone.
  if (!over.signal.aborted) writeSync(STDOUT, `${JSON.stringify(await sendAll(task, sender, over.signal))}\n`);
  process.stdin.destroy();
}

main().catch((error: unknown) => {
  process.stderr.write(`${AppError.from(error).message}\n`);
  process.exit(1);
});
