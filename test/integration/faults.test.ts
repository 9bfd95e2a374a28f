import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flowberry, temporaryDirectory } from '../helpers/daemon.js';
import { type Fault, FaultDaemon, type FaultyThread } from '../helpers/fault-daemon.js';
import { toPort } from '../helpers/live-source.js';
import { FrameFlood, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';

const obstacle = namespaceObstacle();

/** `npm run test:faults` runs the long set, which takes a quarter of an hour. */
const isLong = process.env['FAULTS'] === 'all';
const COUNTS = isLong ? { deaths: 100, others: 20, hangs: 5, kills: 50 } : { deaths: 3, others: 2, hangs: 1, kills: 1 };
const TEST_MS_MAX = isLong ? 3_600_000 : 120_000;
/** So long descriptors may take to be as few as before. */
const SETTLED_MS_MAX = 10_000;
const RECOVERY_MS_MAX = 5_000;
/** After so long a silence a thread counts as hung. */
const HANG_MS = 5_000;
/** A fault strikes within so many calls: a fraction of a second, somewhere in the midst of the work. */
const CALLS_MAX = 3_000;
/** From Node 24 on, V8 may end the whole process when a thread runs out of heap at once: then the service manager starts it again. */
const isHeapFatal = Number(process.versions.node.split('.')[0]) >= 24;
if (isHeapFatal) console.log('threads that run out of heap are left out: this Node ends the process');

/** What is thrown while the API answers a request is its answer, and kills nobody. */
const deathsOf = (thread: FaultyThread): readonly Fault[] => {
  const faults: readonly Fault[] = thread === 'api' ? ['exit', 'heap'] : ['throw', 'exit', 'heap'];
  return faults.filter((fault) => fault !== 'heap' || !isHeapFatal);
};

/** More flows than there is room for, so that each packet costs a row, and no limit that would leave rows out: well is who stores them. */
const FLOWS = 16;
const OPTIONS = [
  ...['--interface', 'capture0', '--flows-active-max', '8', '--threads-deaths-per-minute-max', '1000'],
  ...['soft', 'hard'].flatMap((limit) => [`--store-write-bytes-per-minute-${limit}`, '100000000000']),
];

/** What is committed, and can be read, of the rows behind one id and up to another. */
interface Acknowledged {
  readonly afterId: number;
  readonly id: number;
  readonly rows: number;
  readonly packets: number;
}

/** Rows behind `afterId`, so that a storm does not read millions of them again for each fault. */
function readRows(path: string, afterId = 0, upToId: number | null = null): Acknowledged {
  const db = new Database(path, { readonly: true });
  const id = upToId ?? (db.prepare('SELECT coalesce(max(id), 0) FROM flows').pluck().get() as number);
  const sums = db
    .prepare('SELECT count(*) rows, total(src_packets + dst_packets) packets FROM flows WHERE id > ? AND id <= ?')
    .get(afterId, id);
  db.close();
  return { afterId, id, ...(sums as Pick<Acknowledged, 'rows' | 'packets'>) };
}

/** Nothing that was acknowledged is missing, and nothing was added to it. */
function expectKept(path: string, acknowledged: Acknowledged): void {
  expect(readRows(path, acknowledged.afterId, acknowledged.id)).toEqual(acknowledged);
}

async function expectSound(path: string): Promise<void> {
  const { exitCode, stdout } = await flowberry(['db', 'check', '--db', path]);
  expect(stdout).not.toMatch(/^FAIL/m);
  expect(exitCode).toBe(0);
}

/** Stops the daemon, and compares kernel, ledger and rows. Gives what was lost, by reason. */
async function expectToBalance(daemon: FaultDaemon, path: string): Promise<Record<string, number>> {
  daemon.signal('SIGTERM');
  const stopped = await daemon.line(/^stopped$/);
  expect(await daemon.ended()).toBe(0);
  expect(stopped).toMatchObject({ difference: 0 });
  await expectSound(path);
  const db = new Database(path, { readonly: true });
  const sums = db
    .prepare(
      'SELECT sum(frames_received) received, sum(kernel_packets - kernel_dropped) kernel, sum(packets_written) written FROM ledger',
    )
    .get() as Record<string, number>;
  const dropped = db.prepare('SELECT key, sum(value) value FROM ledger, json_each(drops) GROUP BY key').all() as {
    key: string;
    value: number;
  }[];
  db.close();
  expect(sums).toEqual({
    received: stopped['packets_received'],
    kernel: stopped['packets_received'],
    written: stopped['packets_in_flows'],
  });
  const named = ['worker_crash', 'capture_crash', 'ring_full'];
  expect(dropped.filter(({ key }) => !named.includes(key))).toEqual([]);
  return Object.fromEntries(dropped.map(({ key, value }) => [key, value]));
}

describe.skipIf(obstacle !== null)(`threads that fail under load (${obstacle ?? 'as root'})`, () => {
  let namespace: NetworkNamespace;
  let leave: () => void;
  let flood: FrameFlood;

  beforeAll(async () => {
    namespace = new NetworkNamespace();
    leave = namespace.enter();
    flood = new FrameFlood(
      'peer0',
      Array.from({ length: FLOWS }, (_, index) => toPort(1000 + index, 'x'.repeat(index))),
    );
    await flood.started();
  });

  afterAll(async () => {
    await flood.stop();
    leave();
    namespace.delete();
  });

  /** Fails the thread again and again, and says how long it took each time until all was well. */
  async function storm(daemon: FaultDaemon, path: string, thread: FaultyThread, faults: readonly Fault[], count: number) {
    const recoveriesMs: number[] = [];
    let acknowledged = readRows(path);
    for (let index = 0; index < count; index++) {
      // The API works only when it is asked.
      const after = 1 + Math.floor(Math.random() * (thread === 'api' ? 20 : CALLS_MAX));
      recoveriesMs.push(await daemon.failAndRecover(thread, faults[index % faults.length] as Fault, after));
      expectKept(path, acknowledged);
      acknowledged = readRows(path, acknowledged.id);
    }
    const longestMs = Math.max(...recoveriesMs);
    const meanMs = recoveriesMs.reduce((sum, ms) => sum + ms, 0) / count;
    console.log(
      `${thread}: ${count} times ${faults.join(', ')}: well again after ${meanMs.toFixed(0)} ms, at most ${longestMs.toFixed(0)}`,
    );
    if (isLong) expect(longestMs).toBeLessThan(faults.includes('hang') ? HANG_MS + RECOVERY_MS_MAX : RECOVERY_MS_MAX);
  }

  async function start(): Promise<{ daemon: FaultDaemon; path: string }> {
    const path = join(temporaryDirectory(), 'flows.db');
    const daemon = new FaultDaemon([...OPTIONS, '--db', path]);
    await daemon.healthy();
    return { daemon, path };
  }

  it.each<[FaultyThread, number]>([
    ['parse', COUNTS.deaths],
    ['writer', COUNTS.deaths],
    ['capture', COUNTS.others],
    ['api', COUNTS.others],
  ])(
    '%s: throws, exits and runs out of heap at random points, and is replaced',
    async (thread, count) => {
      const { daemon, path } = await start();
      const resourcesOf = (): { fds: number; rings: number } => ({
        fds: readdirSync(`/proc/${daemon.child.pid}/fd`).length,
        rings: readFileSync(`/proc/${daemon.child.pid}/maps`, 'latin1').match(/socket:\[/g)?.length ?? 0,
      });
      const before = resourcesOf();
      await storm(daemon, path, thread, deathsOf(thread), count);
      // A replacement may still have the files of its modules open.
      await expect
        .poll(resourcesOf, { timeout: SETTLED_MS_MAX })
        .toEqual({ rings: before.rings, fds: expect.toSatisfy((fds: number) => fds - before.fds < count + 5) });
      const { threads } = await daemon.health();
      expect(threads.filter(({ restarts }) => restarts > 0).map(({ name }) => name)).toEqual([
        expect.stringMatching(new RegExp(`^${thread}`)),
      ]);
      const lost = await expectToBalance(daemon, path);
      expect(lost['worker_crash'] ?? 0).toBeLessThanOrEqual(thread === 'parse' ? count : 0);
      expect(lost['capture_crash'] ?? 0).toBeLessThanOrEqual(thread === 'capture' ? count : 0);
      console.log(`${thread}: lost ${JSON.stringify(lost)}`);
    },
    TEST_MS_MAX,
  );

  it(
    'hang in an endless loop, are ended and replaced',
    async () => {
      const { daemon, path } = await start();
      const threads: readonly FaultyThread[] = ['parse', 'writer', 'capture', 'api'];
      if (isLong) for (const thread of threads) await storm(daemon, path, thread, ['hang'], COUNTS.hangs);
      else {
        // All at once, since each of them takes 5 s to be found.
        const hanging = threads.map((thread) => daemon.fail(thread, 'hang', 1));
        await Promise.all(hanging);
        await daemon.healthy();
      }
      const health = await daemon.health();
      expect(health.threads.map(({ hangs }) => hangs)).toEqual(health.threads.map(() => COUNTS.hangs));
      expect(health.notes).toMatchObject([{ code: 'threads_hung' }]);
      // One line for each that repeats; the others are told together.
      const hung = daemon.lines.filter((line) => line['code'] === 'THREAD_HUNG').map((line) => line['thread']);
      expect(new Set(hung).size).toBe(threads.length);
      await expectToBalance(daemon, path);
    },
    TEST_MS_MAX,
  );

  it(
    'kill -9 of the whole process loses nothing that was committed, and the next start says so',
    async () => {
      const path = join(temporaryDirectory(), 'flows.db');
      for (let kill = 1; kill <= COUNTS.kills; kill++) {
        const daemon = new FaultDaemon([...OPTIONS, '--db', path]);
        await daemon.healthy();
        if (kill > 1) expect((await daemon.health()).notes).toMatchObject([{ code: 'unclean_start' }]);
        const acknowledged = readRows(path);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 500));
        daemon.signal('SIGKILL');
        await daemon.ended();
        expectKept(path, acknowledged);
        await expectSound(path);
      }
      const daemon = new FaultDaemon([...OPTIONS, '--db', path]);
      await daemon.healthy();
      const [note] = (await daemon.health()).notes;
      expect(note).toMatchObject({ code: 'unclean_start', message: expect.stringMatching(/^1 earlier run/) });
      daemon.signal('SIGTERM');
      expect(await daemon.ended()).toBe(0);
      await expectSound(path);
      const db = new Database(path, { readonly: true });
      const sessions = db.prepare('SELECT clean, count(*) count FROM sessions GROUP BY clean ORDER BY clean').all();
      db.close();
      expect(sessions).toEqual([
        { clean: 0, count: COUNTS.kills },
        { clean: 1, count: 1 },
      ]);
    },
    TEST_MS_MAX,
  );
});
