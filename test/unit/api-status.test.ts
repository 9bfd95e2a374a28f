import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listenOn } from '../../src/api/listener.js';
import { ratesOf, runStatus } from '../../src/cli/status.js';
import { Drop } from '../../src/ring/drop-reason.js';
import { InterfaceTable } from '../../src/ring/interface-table.js';
import { ThreadState } from '../../src/ring/layout.js';
import { Cell, type ThreadBlock } from '../../src/ring/thread-block.js';
import { ApiPipeline, serverOf } from '../helpers/api-pipeline.js';

async function serve(pipeline: ApiPipeline): Promise<number> {
  const server = serverOf(pipeline);
  onTestFinished(async () => {
    await server.close();
  });
  return (await listenOn(server, '127.0.0.1', 0)).port;
}

async function status(port: number, json = false): Promise<{ exitCode: number; text: string }> {
  let text = '';
  const write = (part: string): void => {
    text += part;
  };
  const exitCode = await runStatus({ address: '127.0.0.1', port, json, write });
  return { exitCode, text };
}

describe('flowberry status', () => {
  it('prints a summary', async () => {
    const pipeline = new ApiPipeline().running();
    pipeline.receive(1_234_567);
    pipeline.drop(400, Drop.Arp, pipeline.parse[1] as ThreadBlock);
    pipeline.drop(8_000, Drop.Llc, pipeline.parse[1] as ThreadBlock);
    pipeline.add(pipeline.parse[0] as ThreadBlock, Cell.FlowsActive, 42);
    pipeline.nowMs += 3_700_000;
    pipeline.pass(1_000);
    const { exitCode, text } = await status(await serve(pipeline));
    expect(exitCode).toBe(0);
    expect(text).toMatch(/^flowberry \S+: ok, live, eth0, up 1 h 2 min$/m);
    expect(text).toMatch(/^packets +1,242,967 received \(123\.5 MB\), 1,234,567 in flows, 8,400 dropped, 0 waiting: balanced$/m);
    expect(text).toMatch(/^dropped +llc 8,000, arp 400$/m);
    expect(text).toMatch(/^flows +42 of 5,000 active/m);
    expect(text).toMatch(/^ {2}THREAD +STATE +CPUS +HEARTBEAT +RESTARTS +TASK$/m);
    const threads = text.slice(text.indexOf('THREAD')).trimEnd().split('\n').slice(1);
    expect(threads).toHaveLength(5);
    for (const line of threads) expect(line).toMatch(/running +\S+ +0 ms +0 +\d+$/);
  });

  it('prints the reasons and fails when flowberry has failed', async () => {
    const pipeline = new ApiPipeline().running();
    pipeline.capture.state = ThreadState.Ended;
    const { exitCode, text } = await status(await serve(pipeline));
    expect(exitCode).toBe(1);
    expect(text).toContain('  failed: capture_ended: the capture ended although nobody asked it to\n');
  });

  it('prints one JSON object with --json', async () => {
    const pipeline = new ApiPipeline().running();
    pipeline.receive(7);
    const { exitCode, text } = await status(await serve(pipeline), true);
    expect(exitCode).toBe(0);
    expect(text.endsWith('}\n')).toBe(true);
    expect(text.trimEnd()).not.toContain('\n');
    expect(JSON.parse(text)).toMatchObject({ status: 'ok', ledger: { received: 7 } });
  });

  it('lets no name steer the terminal', async () => {
    const pipeline = new ApiPipeline().running();
    new InterfaceTable(pipeline.memory.interfaces).indexOf('ev\u001b[31mil', 1);
    const { text } = await status(await serve(pipeline));
    expect(text).toContain('eth0, ev?[31mil');
    expect(text).not.toContain('\u001b');
  });

  it('computes rates from two answers', () => {
    const pipeline = new ApiPipeline().running();
    const before = pipeline.monitor.health();
    pipeline.receive(3_000);
    pipeline.add(pipeline.parse[0] as ThreadBlock, Cell.FlowsCreated, 30);
    pipeline.pass(1_500);
    expect(ratesOf(before, pipeline.monitor.health())).toEqual({
      packets_per_s: 2_000,
      wire_bytes_per_s: 200_000,
      flows_created_per_s: 20,
      flows_written_per_s: 0,
    });
  });

  it('says when nobody answers', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => gone.once('listening', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    await expect(status(port)).rejects.toMatchObject({
      code: 'API_UNREACHABLE',
      message: expect.stringContaining(`no answer from 127.0.0.1:${port}: connect ECONNREFUSED`),
    });
  });

  it.each(['hello', '{"status":"ok"}'])('says when somebody else answers: %s', async (body) => {
    const other: Server = createServer((_request, response) => response.end(body)).listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(status(port)).rejects.toMatchObject({
      code: 'API_UNREACHABLE',
      message: `what answers on 127.0.0.1:${port} is no flowberry of this version`,
    });
  });
});
