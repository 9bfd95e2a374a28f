import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MessageChannel, Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { resolveConfig } from '../../src/config.js';
import { connectControl } from '../../src/control.js';
import type { ApiControl } from '../../src/messages.js';
import { ThreadState } from '../../src/ring/layout.js';
import { Cell, monotonicMs } from '../../src/ring/thread-block.js';
import { ApiPipeline } from '../helpers/api-pipeline.js';

const THREAD = new URL('../../dist/src/api/thread.js', import.meta.url);

/** The API thread of the build, on shared memory that belongs to the test. */
function startApi(port: number): { pipeline: ApiPipeline; control: ApiControl; exit: Promise<number> } {
  const pipeline = new ApiPipeline();
  const control = new MessageChannel();
  const events = new MessageChannel();
  const maintenance = new MessageChannel();
  const worker = new Worker(THREAD, {
    workerData: {
      config: resolveConfig({ 'api.port': port }),
      memory: pipeline.memory,
      session: { ...pipeline.session, startedMonotonicMs: monotonicMs() },
      cpu: null,
      control: control.port2,
      events: events.port2,
      maintenance: maintenance.port2,
    },
    transferList: [control.port2, events.port2, maintenance.port2],
  });
  onTestFinished(async () => {
    control.port1.close();
    events.port1.close();
    maintenance.port1.close();
    await worker.terminate();
  });
  const exit = once(worker, 'exit').then(([code]) => code as number);
  return { pipeline, control: connectControl<ApiControl>(control.port1), exit };
}

describe.skipIf(!existsSync(THREAD))('the API thread (needs npm run build)', () => {
  it('listens, beats, answers, and ends with its last connection', async () => {
    const { pipeline, control, exit } = startApi(0);
    const listening = await control.listen();
    expect(listening).toEqual({ ok: true, value: { address: '127.0.0.1', port: expect.any(Number) } });
    if (!listening.ok) return;
    expect(pipeline.api.state).toBe(ThreadState.Running);
    expect(pipeline.api.cell(Cell.Starts)).toBe(1);
    const beatMs = pipeline.api.cell(Cell.HeartbeatMs);
    expect(beatMs).toBeGreaterThan(0);

    // The answer leaves its connection open for the next one.
    const health = await fetch(`http://127.0.0.1:${listening.value.port}/health`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ status: 'degraded', mode: 'live' });
    await vi.waitUntil(() => pipeline.api.cell(Cell.HeartbeatMs) > beatMs, { timeout: 10_000 });

    expect(await control.close()).toEqual({ ok: true, value: undefined });
    expect(await exit).toBe(0);
    expect(pipeline.api.state).toBe(ThreadState.Ended);
  });

  it('hands back that its port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const { control, exit } = startApi(port);
    expect(await control.listen()).toEqual({
      ok: false,
      error: { code: 'API_PORT_IN_USE', message: `port ${port} on 127.0.0.1 is in use by another process` },
    });
    expect(await control.close()).toEqual({ ok: true, value: undefined });
    expect(await exit).toBe(0);
  });
});
