import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { captureFrames } from '../helpers/capture-frames.js';
import type { FuzzFrame } from './conversations.js';
import { writeFinding } from './finding-file.js';
import type { FuzzReport } from './fuzz.js';
import type { FuzzStart } from './fuzz-thread.js';
import { Watch } from './watch.js';

/**
 * `npm run fuzz -- [--packets N] [--seed S] [--captures DIR] [--step-ms MS] [--out DIR]`: feeds damaged packets to the parse stage,
 * writes each finding as a capture file, and ends with a code other than 0 if there is one.
 */

const OPTIONS = {
  packets: { type: 'string', default: '1000000' },
  /** The same seed makes the same packets. */
  seed: { type: 'string', default: '1' },
  /** A folder of captures whose frames take part. */
  captures: { type: 'string' },
  /** CPU time beyond which a packet is a finding. */
  'step-ms': { type: 'string', default: '1000' },
  /** Where findings are written. */
  out: { type: 'string', default: '.' },
} as const;

const USAGE_EXIT_CODE = 64;
/** A packet that is still in hand after so long is one that never ends. */
const HANG_MS = 20_000;
const LOOK_MS = 500;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

function refuse(message: string): never {
  console.error(`fuzz: ${message}`);
  process.exit(USAGE_EXIT_CODE);
}

function readValues(): Values {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

const values = readValues();

function numberOf(name: 'packets' | 'seed' | 'step-ms'): number {
  const text = values[name].replaceAll('_', '');
  return /^\d{1,9}$/.test(text) ? Number(text) : refuse(`--${name} ${values[name]} is no number from 0 to 999999999`);
}

/** Frames of all uncompressed captures in a folder. */
function framesOf(directory: string): FuzzFrame[] {
  const isFolder = statSync(directory, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder) refuse(`--captures ${directory} is no folder`);
  const files = readdirSync(directory).filter((name) => /\.p?cap(ng)?$/.test(name));
  return files.flatMap((name) =>
    captureFrames(join(directory, name)).map(({ bytes, linkType, wireBytes }) => ({ bytes, linkType, wireBytes })),
  );
}

const [packets, seed] = [numberOf('packets'), numberOf('seed')];
const captured = values.captures === undefined ? [] : framesOf(values.captures);
const memory = Watch.allocate();
const start: FuzzStart = { watch: memory, options: { packets, seed, captured, stepMsMax: numberOf('step-ms') } };
const startMs = performance.now();
console.log(`fuzz: ${packets} packets, seed ${seed}, ${captured.length} frames of captures`);

const thread = new Worker(new URL('./fuzz-thread.js', import.meta.url), { workerData: start });
thread.once('error', (error) => {
  throw error;
});

/** A thread that never comes back is ended, and the packet that it has in hand is the finding. */
const watched = new Watch(memory);
let last = { number: -1, sinceMs: performance.now() };
const timer = setInterval(() => {
  const { number } = watched;
  if (number !== last.number) last = { number, sinceMs: performance.now() };
  if (performance.now() - last.sinceMs < HANG_MS) return;
  clearInterval(timer);
  const path = writeFinding(values.out, seed, number, [{ ...watched.frame, us: Date.now() * 1000 }]);
  console.error(`FINDING: packet ${number} never ends; ${path}`);
  process.exitCode = 1;
  void thread.terminate();
}, LOOK_MS);

thread.once('message', (report: FuzzReport) => {
  clearInterval(timer);
  const { findings, fed, dropped, packets: inFlows, flows, dns, devices, flowsWithDetails, slowestMs } = report;
  const seconds = (performance.now() - startMs) / 1000;
  const drops = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  console.log(
    `${fed} packets in ${seconds.toFixed(1)} s: ${inFlows} in flows, ${drops} dropped for ${Object.keys(dropped).length} reasons`,
  );
  console.log(`${flows} flows, ${flowsWithDetails} of them with names or the like, ${dns} DNS transactions, ${devices} devices`);
  console.log(`slowest packet: ${slowestMs.toFixed(1)} ms of CPU time`);
  for (const { number, what, frames } of findings) {
    const path = writeFinding(values.out, seed, number, frames);
    console.error(`FINDING: packet ${number}: ${what}\n  ${frames.length} packets in ${path}`);
  }
  console.log(findings.length === 0 ? 'no findings' : `${findings.length} findings`);
  if (findings.length > 0) process.exitCode = 1;
});
