import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { LIVE_LIMITS } from '../../src/api/live/live-hub.js';
import { captureMetrics } from '../live/capture-metrics.js';
import { API_URL, DATABASE_NAME, liveFlowberry } from '../live/live-flowberry.js';
import { Rig } from '../live/rig.js';
import { type RunOutcome, runOnce } from '../live/run-once.js';
import { Running } from '../live/running.js';
import { loadSender } from '../live/senders.js';
import { readMachine } from '../machine.js';
import type { Progress } from '../programs/run-programs.js';
import { type BenchReport, type CaseResult, REPORT_FORMAT, single } from '../result.js';
import { identify, openInput } from '../run-bench.js';
import { type DaemonLook, DaemonWatch, SETTLED_LOOKS } from './daemon-watch.js';
import { DeafClient } from './deaf-client.js';
import { FastClient } from './fast-client.js';
import type { StreamOptions } from './options.js';

const LIVE_URL = `${API_URL.replace('http', 'ws')}/api/v1/live`;
/**
 * Memory of a ring is taken when records first come by, and that of SQLite's cache when pages do: large ones would grow for minutes,
 * whoever listens. These are filled before anybody does.
 */
const SMALL_MEMORY = ['--ring-frame-bytes', '4194304', '--ring-flow-bytes', '1048576', '--db-cache-kib', '4096'];
/** Before anybody listens, the daemon runs until its memory stands still, but for no more than this part of the time. */
const WARM_UP_SHARE_MAX = 0.5;
const WARM_UP_MS_MIN = 3_000;
/** The sender goes on until the clients are done. */
const SECONDS_MAX = 2 * 86_400;

/** The daemon that nobody listens to. */
const ALONE_PORT = 8418;
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;

/** What was seen of a daemon before the clients came, and while they were there. */
interface Looks {
  readonly before: readonly DaemonLook[];
  readonly looks: readonly DaemonLook[];
}

/** What was seen while the clients were there. */
interface Listening extends Looks {
  readonly fast: readonly FastClient[];
  readonly deaf: readonly DeafClient[];
  /** Of a daemon beside it that nobody listens to: its memory grows as well. */
  readonly alone: Looks;
  readonly seconds: number;
}

/** A daemon that captures the same, and that nobody listens to. */
async function startAlone(rig: Rig): Promise<{ readonly running: Running; readonly watch: DaemonWatch }> {
  const directory = join(rig.directory, 'alone');
  mkdirSync(directory);
  const flags = [...SMALL_MEMORY, '--api-port', `${ALONE_PORT}`];
  const run = await liveFlowberry('afpacket', flags).prepare(rig, directory);
  const running = new Running(rig.spawn(run.command, run.args), 'flowberry without clients');
  await running.until(() => running.stdout.includes(run.readyText as string), START_DEADLINE_MS, 'starting to capture');
  return { running, watch: new DaemonWatch(running.pid, `http://127.0.0.1:${ALONE_PORT}/metrics`) };
}

/**
 * A daemon that captures, with clients of its live stream of which some never read, and one that captures the same without clients. Throws
 * `AppError`.
 */
export async function runStream(options: StreamOptions, progress: Progress): Promise<BenchReport> {
  const started = new Date().toISOString();
  const rig = new Rig();
  let alone: Awaited<ReturnType<typeof startAlone>> | undefined;
  try {
    const { description } = openInput({ file: null, capture: options.capture }, progress);
    const packetsPerS = Math.ceil((options.messages * options.capture.packets) / options.capture.flows);
    const sending = { file: description.path, packetsPerS, seconds: SECONDS_MAX, count: null };
    const sender = await loadSender(rig, 'own', sending);
    let listening: Promise<Listening> | undefined;
    alone = await startAlone(rig);
    const aloneWatch = alone.watch;
    const outcome = await runOnce(rig, liveFlowberry('afpacket', SMALL_MEMORY), rig.directory, sender, (running) => {
      const watch = new DaemonWatch(running.pid, `${API_URL}/metrics`);
      listening = listen(running, watch, aloneWatch, options, progress);
      return { done: listening, stop: () => watch.stop() };
    });
    aloneWatch.stop();
    await alone.running.stop('SIGTERM', STOP_DEADLINE_MS);
    const result = resultOf(options, outcome, (await listening) as Listening, join(rig.directory, DATABASE_NAME));
    const machine = readMachine();
    return { format: REPORT_FORMAT, ...identify(), started, machine, input: description, results: [result], skipped: [] };
  } finally {
    alone?.watch.stop();
    if (alone && !alone.running.hasEnded) alone.running.process.kill('SIGKILL');
    await alone?.running.end;
    rig.delete();
  }
}

async function listen(
  running: Running,
  watch: DaemonWatch,
  aloneWatch: DaemonWatch,
  options: StreamOptions,
  progress: Progress,
): Promise<Listening> {
  const { clients, deaf: deafCount, seconds } = options;
  progress(`warming up at ${options.messages} flows/s`);
  await sleep(WARM_UP_MS_MIN);
  const warmUpEndMs = performance.now() + seconds * WARM_UP_SHARE_MAX * 1000;
  while (performance.now() < warmUpEndMs && !watch.isSettled && !running.hasEnded) await sleep(1_000);
  const before = watch.take().slice(-SETTLED_LOOKS);
  const aloneBefore = aloneWatch.take().slice(-SETTLED_LOOKS);
  progress(`${clients} clients for ${seconds} s, ${deafCount} of them deaf`);
  const fast = Array.from({ length: clients - deafCount }, () => new FastClient(LIVE_URL));
  await Promise.all(fast.map((client) => client.subscribe()));
  const deaf = Array.from({ length: deafCount }, () => new DeafClient(new URL(LIVE_URL)));
  try {
    const startMs = performance.now();
    const endMs = startMs + seconds * 1000;
    while (performance.now() < endMs && !running.hasEnded) await sleep(Math.min(1_000, endMs - performance.now()));
    const alone = { before: aloneBefore, looks: aloneWatch.take() };
    return { fast, deaf, before, looks: watch.take(), alone, seconds: (performance.now() - startMs) / 1000 };
  } finally {
    for (const client of [...fast, ...deaf]) client.close();
  }
}

/** Flows in the database that a client should have been told and was not. */
function missedBy(client: FastClient, database: Database.Database): number {
  const stored = database.prepare('SELECT count(*) FROM flows WHERE id BETWEEN ? AND ?').pluck();
  return (stored.get(client.firstId, client.lastId) as number) - client.flows;
}

function resultOf(options: StreamOptions, outcome: RunOutcome, listening: Listening, path: string): CaseResult {
  const { fast, deaf, before, looks, alone, seconds } = listening;
  const sum = (of: (client: FastClient) => number): number => fast.reduce((total, client) => total + of(client), 0);
  const max = (of: (look: DaemonLook) => number): number => Math.max(0, ...looks.map(of));
  const added = (of: (look: DaemonLook) => number): number => max(of) - Math.max(0, ...before.map(of));
  const rssMax = (of: readonly DaemonLook[]): number => Math.max(0, ...of.map(({ rssBytes }) => rssBytes));
  const rssAdded = rssMax(looks) - rssMax(before);
  const rssAddedAlone = rssMax(alone.looks) - rssMax(alone.before);
  const database = new Database(path, { readonly: true });
  try {
    return {
      case: 'stream',
      values: { clients: options.clients, deaf: options.deaf, seconds: options.seconds, messages_per_s: options.messages },
      metrics: [
        single('messages_per_s', null, sum(({ messages }) => messages) / fast.length / seconds),
        single(
          'missed_flows',
          'lower',
          sum((client) => missedBy(client, database)),
        ),
        single(
          'told_dropped',
          'lower',
          sum(({ dropped }) => dropped),
        ),
        single(
          'told_skipped',
          'lower',
          sum(({ skipped }) => skipped),
        ),
        single(
          'disordered_flows',
          'lower',
          sum(({ disordered }) => disordered),
        ),
        single('fast_clients_lost', 'lower', fast.filter(({ isLost }) => isLost).length),
        single(
          'slow_clients_closed',
          null,
          added(({ closedSlow }) => closedSlow),
        ),
        single(
          'deaf_dropped_messages',
          null,
          added(({ dropped }) => dropped),
        ),
        single(
          'waiting_bytes_max',
          'lower',
          max(({ waitingBytes }) => waitingBytes),
        ),
        single('sent_bytes_per_s', null, added(({ sentBytes }) => sentBytes) / seconds),
        single('rss_bytes_before', null, rssMax(before)),
        single('rss_bytes_while', 'lower', rssMax(looks)),
        single('rss_bytes_added', 'lower', rssAdded),
        single('rss_bytes_added_alone', null, rssAddedAlone),
        single('rss_bytes_for_clients', 'lower', rssAdded - rssAddedAlone),
        ...captureMetrics(outcome).filter(({ name }) => name !== 'rss_bytes_max'),
      ],
      result_hash: null,
      command: outcome.command,
      notes: [
        `all clients together may have ${LIVE_LIMITS.totalBytesMax / 1e6} MB waiting`,
        `deaf clients came again ${deaf.reduce((total, { closings }) => total + closings, 0)} times; ${max(({ clients }) => clients)} clients at most`,
      ],
    };
  } finally {
    database.close();
  }
}
