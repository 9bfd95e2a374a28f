import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ControlledThread } from '../../src/controlled-thread.js';
import type { ThreadStart } from '../../src/messages.js';
import { temporaryDirectory } from '../helpers/flow-records.js';

/** Steps of the thread below. */
const LOADING = 1;
const LOADED = 2;

/** A thread that takes its time to load what it needs, and says when it has; what it does then has no end. */
function slowThread(): { thread: ControlledThread<object>; step: Int32Array; startedOf: () => number } {
  const file = join(temporaryDirectory(), 'slow-thread.mjs');
  writeFileSync(
    file,
    `import { workerData } from 'node:worker_threads';
    const { step, events } = workerData;
    Atomics.store(step, 0, ${LOADING});
    Atomics.notify(step, 0);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    Atomics.store(step, 0, ${LOADED});
    events.postMessage({ type: 'started' });
    for (;;) Atomics.wait(step, 0, ${LOADED});`,
  );
  const step = new Int32Array(new SharedArrayBuffer(4));
  let started = 0;
  const makeStart = (onStarted: () => void): ThreadStart => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    port1.on('message', () => {
      started++;
      onStarted();
    });
    return { step, events: port2 } as unknown as ThreadStart;
  };
  const thread = new ControlledThread<object>('slow', pathToFileURL(file), makeStart, 64);
  return { thread, step, startedOf: () => started };
}

describe('a thread that is ended', () => {
  it('has started before: Node aborts the process when a thread ends while it loads a native module', async () => {
    const { thread, step, startedOf } = slowThread();
    const { async, value } = Atomics.waitAsync(step, 0, 0);
    if (async) await value;
    expect(Atomics.load(step, 0)).toBe(LOADING);
    await thread.terminate();
    expect([Atomics.load(step, 0), startedOf()]).toEqual([LOADED, 1]);
  });

  it('need not start if it dies of itself', async () => {
    const file = join(temporaryDirectory(), 'dead-thread.mjs');
    writeFileSync(file, `throw new Error('no such luck')`);
    const makeStart = (): ThreadStart => ({}) as unknown as ThreadStart;
    const thread = new ControlledThread<object>('dead', pathToFileURL(file), makeStart, 64);
    expect(await thread.death).toContain('no such luck');
    await thread.terminate();
  });
});
