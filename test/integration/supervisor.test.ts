import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monotonicMs } from '../../src/ring/thread-block.js';
import { temporaryDirectory } from '../helpers/daemon.js';
import { FaultDaemon, type FaultyThread } from '../helpers/fault-daemon.js';
import { toPort } from '../helpers/live-source.js';
import { FrameFlood, NetworkNamespace, namespaceObstacle } from '../helpers/network-namespace.js';
import { NotifyListener } from '../helpers/notify-listener.js';

const obstacle = namespaceObstacle();

/** Four looks within it. */
const WATCHDOG_MS = 8_000;
const LOOK_MS = WATCHDOG_MS / 4;
/** `WATCHDOG_MINUTES=10 npx vitest run test/integration/supervisor.test.ts` tells how even the signs of life are. */
const minutes = Number(process.env['WATCHDOG_MINUTES'] ?? 0);
const TEST_MS_MAX = 120_000;

interface Scene {
  readonly daemon: FaultDaemon;
  readonly listener: NotifyListener;
}

async function start(namespace: NetworkNamespace, args: readonly string[]): Promise<Scene> {
  // Abstract sockets end at the network namespace.
  const listener = await NotifyListener.open('path');
  const options = ['--db', join(temporaryDirectory(), 'flows.db'), '--api-port', '0', ...args];
  const env = { NOTIFY_SOCKET: listener.address, WATCHDOG_USEC: `${WATCHDOG_MS * 1000}` };
  return { listener, daemon: namespace.run(() => new FaultDaemon(options, env)) };
}

/** Has one thread of a daemon hang, until that ends and replaces it. */
async function standStill(namespace: NetworkNamespace, thread: FaultyThread): Promise<void> {
  const { daemon, listener } = await start(namespace, ['--interface', 'capture0', '--workers', '2']);
  await listener.until('WATCHDOG=1');
  await daemon.fail(thread, 'hang', 1);
  // The thread is ended after five seconds of silence, so it stood still for at least four.
  const endedMs = monotonicMs();
  const late = listener.with('WATCHDOG=1').filter(({ atMs }) => atMs > endedMs - LOOK_MS);
  expect(late, thread).toEqual([]);
  const withheld = await daemon.line(/^no sign of life is given to the service manager/);
  expect(withheld).toMatchObject({ code: 'WATCHDOG_WITHHELD' });
  await listener.until('WATCHDOG=1', listener.with('WATCHDOG=1').length + 1);
  daemon.signal('SIGTERM');
  expect(await daemon.ended()).toBe(0);
}

describe.skipIf(obstacle !== null)(`the service manager (${obstacle ?? 'as root'})`, () => {
  let namespace: NetworkNamespace;
  beforeAll(() => {
    namespace = new NetworkNamespace();
  });
  afterAll(() => namespace?.delete());

  it(
    'is told READY once, and not before there is something to capture from',
    async () => {
      const { daemon, listener } = await start(namespace, ['--interface', 'late0']);
      await daemon.line(/^capturing$/);
      await Promise.race([listener.until('STATUS=starting: waiting for late0 (missing)'), listener.until('READY')]);
      expect(listener.with('READY')).toEqual([]);
      // Asked for patience again after all threads run.
      const asked = listener.with('EXTEND_TIMEOUT_USEC=15000000').length;
      await Promise.race([listener.until('EXTEND_TIMEOUT_USEC=15000000', asked + 2), listener.until('READY')]);
      expect(listener.with('READY')).toEqual([]);
      expect(listener.with('WATCHDOG')).toEqual([]);
      namespace.addPair('late0', 'late1');
      await listener.until('READY=1');
      await listener.until('WATCHDOG=1', 2);
      await listener.until('STATUS=capturing from late0; 0 packets/s, 0.0 Mbit/s, 0 flows open');
      daemon.signal('SIGTERM');
      const { atMs } = await listener.until('STOPPING=1');
      expect(await daemon.ended()).toBe(0);
      await listener.until('EXTEND_TIMEOUT_USEC=15000000', asked + 3);
      expect(listener.with('EXTEND').at(-1)?.atMs).toBeGreaterThan(atMs);
      expect(listener.with('READY')).toHaveLength(1);
      expect(listener.notices.findIndex(({ lines }) => lines.includes('STOPPING=1'))).toBeGreaterThan(
        listener.notices.findLastIndex(({ lines }) => lines.includes('WATCHDOG=1')),
      );
    },
    TEST_MS_MAX,
  );

  it(
    'gets no sign of life while capture, a parse worker, the writer or the API stands still, and gets them again afterwards',
    async () => {
      const threads: readonly FaultyThread[] = ['capture', 'parse', 'writer', 'api'];
      await Promise.all(threads.map((thread) => standStill(namespace, thread)));
    },
    TEST_MS_MAX,
  );

  it.skipIf(minutes === 0)(
    `gets signs of life at most half of its patience apart, under load (${minutes} minutes, WATCHDOG_MINUTES)`,
    async () => {
      const { daemon, listener } = await start(namespace, ['--interface', 'capture0']);
      await listener.until('READY=1');
      const frames = Array.from({ length: 64 }, (_, index) => toPort(1000 + index));
      const flood = namespace.run(() => new FrameFlood('peer0', frames));
      await flood.started();
      await listener.until('WATCHDOG=1', Math.floor((minutes * 60_000) / LOOK_MS) - 1);
      await flood.stop();
      const times = listener.with('WATCHDOG=1').map(({ atMs }) => atMs);
      const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] as number));
      const status = listener.with('STATUS=').at(-1)?.lines.join(' ');
      console.log(`${gaps.length} gaps, longest ${Math.max(...gaps).toFixed(0)} of ${WATCHDOG_MS} ms; ${status}`);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(WATCHDOG_MS / 2);
      daemon.signal('SIGTERM');
      expect(await daemon.ended()).toBe(0);
    },
    minutes * 60_000 + TEST_MS_MAX,
  );
});
