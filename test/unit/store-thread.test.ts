import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectControl } from '../../src/control.js';
import type { WriterControl } from '../../src/messages.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { Command, ThreadState } from '../../src/ring/layout.js';
import { Cell } from '../../src/ring/thread-block.js';
import { checkDatabase } from '../../src/store/check.js';
import { flow, flows, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';

const DIST = new URL('../../dist/src/', import.meta.url);
const THREAD = new URL('store/thread.js', DIST);

interface WriterThread {
  readonly control: WriterControl;
  /** What the thread tells main without being asked. */
  readonly events: MessagePort;
  terminate(): Promise<void>;
}

/** The writer thread of the build, on memory that belongs to the test. */
function startWriter(rig: WriterRig): WriterThread {
  const control = new MessageChannel();
  const events = new MessageChannel();
  const worker = new Worker(THREAD, {
    workerData: {
      config: rig.config,
      memory: rig.memory,
      session: rig.session,
      cpu: null,
      control: control.port2,
      events: events.port2,
    },
    transferList: [control.port2, events.port2],
  });
  const terminate = async (): Promise<void> => {
    control.port1.close();
    events.port1.close();
    await worker.terminate();
  };
  onTestFinished(terminate);
  return { control: connectControl<WriterControl>(control.port1), events: events.port1, terminate };
}

function drain(rig: WriterRig): void {
  rig.writerBlock.command = Command.Drain;
  new Doorbell(rig.memory.writer).wake();
}

const failedOf = (path: string) => checkDatabase(path).checks.filter((check) => !check.ok);

describe.skipIf(!existsSync(THREAD))('the writer thread (needs npm run build)', () => {
  it('writes everything when it is drained, and ends the session', async () => {
    const rig = new WriterRig();
    const { control } = startWriter(rig);
    expect(await control.open()).toEqual({ ok: true, value: { uncleanSessions: 0, journalMode: 'wal' } });
    const running = control.run();
    rig.emitAll(flows(30));
    drain(rig);
    expect(await running).toEqual({ ok: true, value: undefined });
    expect(rig.writerBlock.state).toBe(ThreadState.Ended);
    expect(rig.writerBlock.cell(Cell.Starts)).toBe(1);
    expect(rig.writerBlock.cell(Cell.HeartbeatMs)).toBeGreaterThan(0);
    expect(rig.writerBlock.cell(Cell.FlowsWritten)).toBe(30);
    expect(rig.value('SELECT count(*) FROM flows')).toBe(30);
    expect(rig.value('SELECT clean FROM sessions')).toBe(1);
    expect(failedOf(rig.path)).toEqual([]);
  });

  it('gives back why it cannot open, as data', async () => {
    const path = join(temporaryDirectory(), 'notes.txt');
    writeFileSync(path, 'notes');
    const { control } = startWriter(new WriterRig({ path }));
    expect(await control.open()).toMatchObject({ ok: false, error: { code: 'DATABASE_FOREIGN' } });
  });

  it('stores each row once, however often it is ended and replaced', async () => {
    const rig = new WriterRig({ options: { 'ring.flow-bytes': 65_536, 'batch.rows-max': 100 } });
    let writer = startWriter(rig);
    await writer.control.open();
    let running = writer.control.run();
    let emitted = 0;
    for (let death = 0; death < 6; death++) {
      for (let i = 0; i < 2_000 + death * 17; i++) rig.emitBlocking(flow({ emittedUs: NOW_MS * 1000 + ++emitted * 2 }));
      await writer.terminate();
      writer = startWriter(rig);
      expect(await writer.control.open()).toMatchObject({ ok: true, value: { uncleanSessions: 0 } });
      running = writer.control.run();
    }
    drain(rig);
    expect(await running).toMatchObject({ ok: true });
    expect(rig.query('SELECT count(*) AS rows, count(DISTINCT id) AS ids, min(id) AS first, max(id) AS last FROM flows')).toEqual(
      [{ rows: emitted, ids: emitted, first: NOW_MS * 1000 + 2, last: NOW_MS * 1000 + emitted * 2 }],
    );
    expect(rig.writerBlock.cell(Cell.FlowsWritten)).toBe(emitted);
    expect(failedOf(rig.path)).toEqual([]);
  });

  it('says what is lost when it is to end and the database refuses', async () => {
    const rig = new WriterRig();
    const { control } = startWriter(rig);
    await control.open();
    rig.execute(`CREATE TRIGGER refuse BEFORE INSERT ON flows BEGIN SELECT raise(ABORT, 'no room on the card'); END`);
    rig.emitAll(flows(3));
    drain(rig);
    const message = expect.stringMatching(/no room on the card; 3 flows/);
    expect(await control.run()).toEqual({ ok: false, error: { code: 'DATABASE_WRITE_FAILED', message } });
    // The lock is free again.
    const next = new WriterRig({ path: rig.path }).open();
    expect(next.opened.uncleanSessions).toBe(1);
    next.abandon();
  });

  it('tells main of sessions that did not end', async () => {
    const killed = new WriterRig();
    killed.open().abandon();
    const { control, events } = startWriter(new WriterRig({ path: killed.path }));
    const told = new Promise((resolve) => events.on('message', (event) => event.type === 'log' && resolve(event)));
    expect(await control.open()).toMatchObject({ ok: true, value: { uncleanSessions: 1 } });
    expect(await told).toMatchObject({ type: 'log', level: 'warn', fields: { uncleanSessions: 1 } });
  });
});

/** Opens a writer on the database named by its argument, says so, and stays. */
const HOLDER = `
const [dist, path, key] = process.argv.slice(1);
const { resolveConfig } = await import(new URL('config.js', dist));
const { allocateMemory } = await import(new URL('memory.js', dist));
const { Writer } = await import(new URL('store/writer.js', dist));
const config = resolveConfig({ 'db.path': path });
const session = { key, mode: 'live', source: 'eth0', startedUs: 0, startedMonotonicMs: 0 };
// Kept: a writer that nobody refers to is collected, and lets go of the database.
globalThis.writer = Writer.open({ config, memory: allocateMemory(config, 1), session }, () => {}, Date.now());
console.log('open');
setInterval(() => {}, 1000);
`;

describe.skipIf(!existsSync(THREAD))('two processes (needs npm run build)', () => {
  it('keep out of each other, and kill -9 leaves no lock', async () => {
    const rig = new WriterRig();
    const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, DIST.href, rig.path, 'feedfeedfeedfeed'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    await once(child.stdout, 'data');
    expect(() => rig.open()).toThrow(expect.objectContaining({ code: 'DATABASE_LOCKED' }));
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    const writer = rig.open();
    expect(writer.opened.uncleanSessions).toBe(1);
    rig.emit(flow());
    writer.step(NOW_MS, true);
    writer.close(NOW_MS);
    expect(failedOf(rig.path)).toEqual([]);
  });
});
