import { readSync, writeSync } from 'node:fs';
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

const STDIN = 0;
const STDOUT = 1;
const PAUSE_MS = 1;

function sendAll(task: SenderTask, sender: FrameSender): Sent {
  const pausing = new Int32Array(new SharedArrayBuffer(4));
  const countMax = task.count ?? Number.POSITIVE_INFINITY;
  const startMs = performance.now();
  const endMs = task.count === null ? startMs + task.seconds * 1000 : Number.POSITIVE_INFINITY;
  const pace = new Pace(task.packetsPerS ?? Number.POSITIVE_INFINITY, startMs);
  let packets = 0;
  let nowMs = startMs;
  while (packets < countMax && nowMs < endMs) {
    const due = Math.min(pace.due(nowMs), countMax - packets);
    if (due > 0) {
      const sent = sender.send(due);
      pace.count(sent);
      packets += sent;
    } else {
      Atomics.wait(pausing, 0, 0, PAUSE_MS);
    }
    nowMs = performance.now();
  }
  return { packets, seconds: (nowMs - startMs) / 1000, refused: sender.refused };
}

/** The sending process: loads, says `ready`, waits for a line, sends, and says what it sent. */
async function main(): Promise<void> {
  const task = JSON.parse(process.argv[2] ?? '') as SenderTask;
  const sender = new FrameSender(task.interface, await loadFrames(task.file));
  writeSync(STDOUT, 'ready\n');
  // An end instead of a line: the bench is gone.
  if (readSync(STDIN, Buffer.alloc(64)) === 0) return;
  writeSync(STDOUT, `${JSON.stringify(sendAll(task, sender))}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${AppError.from(error).message}\n`);
  process.exitCode = 1;
});
