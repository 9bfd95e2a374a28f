import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SERVER_LIMITS } from '../../src/api/http/limits.js';
import { listenOn } from '../../src/api/listener.js';
import { healthSchema } from '../../src/api/schema.js';
import { Drop } from '../../src/ring/drop-reason.js';
import { ThreadState } from '../../src/ring/layout.js';
import { Cell, type ThreadBlock } from '../../src/ring/thread-block.js';
import { ApiPipeline, serverOf } from '../helpers/api-pipeline.js';
import { askRaw } from '../helpers/api-store.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server that listens on a free port until the test ends. */
async function serve(pipeline: ApiPipeline): Promise<{ port: number; close: () => Promise<void> }> {
  const server = serverOf(pipeline);
  const close = async (): Promise<void> => {
    await server.close();
  };
  onTestFinished(close);
  const { port } = await listenOn(server, '127.0.0.1', 0);
  return { port, close };
}

interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
}

function ask(port: number, path: string, { method = 'GET', headers = {}, agent }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, method, headers, agent: agent ?? false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        body += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    call.on('error', reject);
    call.end();
  });
}

function expectProblem(answer: Answer, status: number, title: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(JSON.parse(answer.body)).toEqual({ type: 'about:blank', title, status, detail: expect.stringMatching(/\.$|^[a-z]/) });
}

const failing = (): ApiPipeline => {
  const pipeline = new ApiPipeline().running();
  pipeline.capture.state = ThreadState.Ended;
  return pipeline;
};

describe('/livez', () => {
  it('answers as long as the API thread turns, whatever the others do', async () => {
    const { port } = await serve(failing());
    const answer = await ask(port, '/livez');
    expect(answer).toMatchObject({ status: 200, body: 'ok\n' });
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
});

describe('/readyz', () => {
  it('answers 200 once capture, parse workers and writer run', async () => {
    const pipeline = new ApiPipeline().running();
    pipeline.api.state = ThreadState.Starting;
    const { port } = await serve(pipeline);
    expect(await ask(port, '/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  it('names the threads that do not run', async () => {
    const pipeline = new ApiPipeline().running();
    const { port } = await serve(pipeline);
    for (const block of [pipeline.capture, ...pipeline.parse, pipeline.writer]) {
      block.state = ThreadState.Starting;
      expectProblem(await ask(port, '/readyz'), 503, 'Service Unavailable');
      block.state = ThreadState.Running;
    }
    (pipeline.parse[1] as ThreadBlock).state = ThreadState.Ended;
    pipeline.writer.state = ThreadState.Draining;
    expect(JSON.parse((await ask(port, '/readyz')).body).detail).toBe('parse-1 is ended, writer is draining');
  });
});

describe('/health', () => {
  it('has exactly the members of its schema', async () => {
    const pipeline = new ApiPipeline().running();
    const parse = pipeline.parse[0] as ThreadBlock;
    pipeline.receive(1_000);
    pipeline.drop(3, Drop.Arp, parse);
    pipeline.drop(2, Drop.RingFull, pipeline.capture);
    pipeline.add(parse, Cell.FlowsCreated, 12);
    pipeline.add(parse, Cell.FlowsActive, 5);
    pipeline.add(parse, Cell.FlowsEmitted, 7);
    pipeline.add(parse, Cell.PacketsEmitted, 900);
    pipeline.add(pipeline.writer, Cell.FlowsWritten, 6);
    pipeline.add(pipeline.writer, Cell.PacketsWritten, 800);
    pipeline.add(pipeline.writer, Cell.BatchesWritten, 3);
    pipeline.add(pipeline.writer, Cell.CommitMs, 10);
    const { port } = await serve(pipeline);
    const answer = await ask(port, '/health');
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
    const body = JSON.parse(answer.body);
    // The schema drops members that it does not know, so equality means that there are none.
    expect(healthSchema.parse(body)).toEqual(body);
    expect(body).toMatchObject({
      status: 'degraded',
      reasons: [{ code: 'ring_full', severity: 'degraded' }],
      mode: 'live',
      source: 'eth0',
      uptime_s: 20,
      started_us: 1_750_000_000_000_000,
      ledger: { received: 1_005, in_flows: 1_000, dropped: { arp: 3, ring_full: 2 }, waiting: 0, balanced: true },
      flows: { created: 12, active: 5, active_max: 5_000, emitted: 7, written: 6, waiting: 1, written_packets: 800 },
      writer: { batches: 3, rows: 6, commit_mean_ms: 3.33, failing: false },
      interfaces: ['eth0'],
      config: { parse_workers: 2, batch_rows_min: 0 },
    });
    expect(body.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(body.rings.map((ring: { name: string }) => ring.name)).toEqual(['frames-0', 'flows-0', 'frames-1', 'flows-1']);
  });

  it('fits its schema before anything runs', async () => {
    const { port } = await serve(new ApiPipeline());
    const body = JSON.parse((await ask(port, '/health')).body);
    expect(healthSchema.parse(body)).toEqual(body);
    expect(body.threads[0]).toMatchObject({ heartbeat_age_ms: null, task_id: null, cpus: null });
    expect(body.writer.commit_mean_ms).toBeNull();
  });

  it.skipIf(process.platform !== 'linux')('shows name and CPUs of a thread as the kernel has them (needs Linux)', async () => {
    const { port } = await serve(new ApiPipeline().running());
    const { threads } = JSON.parse((await ask(port, '/health')).body);
    expect(threads[0]).toMatchObject({ task_id: process.pid, cpus: expect.stringMatching(/^\d+([,-]\d+)*$/) });
    expect(threads[0].kernel_name).not.toBe('');
  });

  it('answers 503 when it failed', async () => {
    const { port } = await serve(failing());
    const answer = await ask(port, '/health');
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 'failed', reasons: [{ code: 'capture_ended' }] });
  });

  it('answers HEAD with the status and no body', async () => {
    const { port } = await serve(failing());
    expect(await ask(port, '/health', { method: 'HEAD' })).toMatchObject({ status: 503, body: '' });
  });

  it('ignores a query and a body', async () => {
    const { port } = await serve(new ApiPipeline().running());
    expect((await ask(port, '/health?verbose=1', { headers: { 'content-type': 'text/csv' } })).status).toBe(200);
  });
});

describe('/metrics', () => {
  it('answers in the text format', async () => {
    const { port } = await serve(new ApiPipeline().running());
    const answer = await ask(port, '/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(answer.body).toMatch(/^flowberry_received_packets_total 0$/m);
  });
});

describe('what is refused', () => {
  it('an unknown path', async () => {
    const { port } = await serve(new ApiPipeline().running());
    expectProblem(await ask(port, '/nothing'), 404, 'Not Found');
    expectProblem(await ask(port, '/health/'), 404, 'Not Found');
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND'])('the method %s', async (method) => {
    const { port } = await serve(new ApiPipeline().running());
    const answer = await ask(port, '/health', { method });
    expectProblem(answer, 405, 'Method Not Allowed');
    expect(answer.headers.allow).toBe('GET, HEAD');
  });

  it.each([
    'evil.example',
    'evil.example:8417',
    '127.0.0.1.evil.example',
    '192.168.1.1',
    'localhost.evil.example',
    '[::2]',
    '127.1',
  ])('the host %s', async (host) => {
    const { port } = await serve(new ApiPipeline().running());
    expectProblem(await ask(port, '/health', { headers: { host } }), 421, 'Misdirected Request');
    expectProblem(await ask(port, '/nothing', { headers: { host } }), 421, 'Misdirected Request');
  });

  it.each(['localhost', 'LOCALHOST:8417', '127.0.0.1', '127.8.9.1:80', '[::1]', '[::1]:8417'])(
    'not the host %s',
    async (host) => {
      const { port } = await serve(new ApiPipeline().running());
      expect((await ask(port, '/livez', { headers: { host } })).status).toBe(200);
    },
  );

  it('a request without a host', async () => {
    const { port } = await serve(new ApiPipeline().running());
    expect(await askRaw(port, 'GET /livez HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 421 /);
  });

  it('what is no HTTP, no path, or too long', async () => {
    const { port } = await serve(new ApiPipeline().running());
    const head = (answer: string): string[] => answer.split('\r\n').slice(0, 2);
    const type = 'Content-Type: application/problem+json';
    expect(head(await askRaw(port, 'nonsense\r\n\r\n'))).toEqual(['HTTP/1.1 400 Bad Request', type]);
    const long = `GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`;
    expect(head(await askRaw(port, long))).toEqual(['HTTP/1.1 431 Request Header Fields Too Large', type]);
    expectProblem(await ask(port, '/%zz'), 400, 'Bad Request');
  });
});

describe('a defect', () => {
  it('is told to the log and not to the client', async () => {
    const pipeline = new ApiPipeline();
    const { monitor } = pipeline;
    const broken = Object.assign(Object.create(monitor) as typeof monitor, {
      health: () => {
        throw new Error('secret');
      },
    });
    const defects: string[] = [];
    const server = serverOf(pipeline, { monitor: broken, onDefect: (error) => defects.push(error.message) });
    onTestFinished(async () => {
      await server.close();
    });
    const { port } = await listenOn(server, '127.0.0.1', 0);
    const answer = await ask(port, '/health');
    expect(JSON.parse(answer.body)).toMatchObject({ status: 500, title: 'Internal Server Error' });
    expect(answer.body).not.toContain('secret');
    expect(defects).toEqual(['secret']);
  });
});

describe('the limits', () => {
  it('reach the HTTP server', () => {
    const { server } = serverOf(new ApiPipeline());
    expect(server.timeout).toBe(SERVER_LIMITS.idleMsMax);
    expect(server.headersTimeout).toBe(SERVER_LIMITS.headersMsMax);
    expect(server.requestTimeout).toBe(SERVER_LIMITS.requestMsMax);
    expect(server.keepAliveTimeout).toBe(SERVER_LIMITS.keepAliveMs);
  });

  it('let the connection that has been without a request for longest give way to a new one, and never one with a request', async () => {
    const { port } = await serve(new ApiPipeline().running());
    const open = async (): Promise<Socket> => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      onTestFinished(() => void socket.destroy());
      await once(socket, 'connect');
      return socket;
    };
    const sockets: Socket[] = [];
    for (let count = 0; count < SERVER_LIMITS.connectionsMax; count++) sockets.push(await open());
    const [oldest, second] = sockets as [Socket, Socket];
    // What is answered counts as new, so the second one is the first to go.
    oldest.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(oldest, 'data');
    const gone = once(second, 'close');
    const late = await open();
    await gone;
    for (const socket of [late, oldest, sockets.at(-1) as Socket]) {
      socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
    }
  });
});

describe('closing', () => {
  it('ends connections that are kept alive and requests that are half sent', async () => {
    const { port, close } = await serve(new ApiPipeline().running());
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    expect((await ask(port, '/livez', { agent })).status).toBe(200);
    const [idle] = Object.values(agent.freeSockets).flat();
    const half = connect(port, '127.0.0.1');
    half.on('error', () => undefined);
    await once(half, 'connect');
    half.write('GET /livez HTTP/1.1\r\n');
    expect((await ask(port, '/livez')).status).toBe(200);
    const ended = Promise.all([once(idle as Socket, 'close'), once(half, 'close')]);
    await close();
    await ended;
    await expect(ask(port, '/livez')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('listening', () => {
  it('names the port that is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const server = serverOf(new ApiPipeline());
    await expect(listenOn(server, '127.0.0.1', port)).rejects.toMatchObject({
      code: 'API_PORT_IN_USE',
      message: `port ${port} on 127.0.0.1 is in use by another process`,
    });
    await server.close();
  });

  it('says when an address is not to be had', async () => {
    const server = serverOf(new ApiPipeline());
    // TEST-NET-1 (RFC 5737) is no address of any machine.
    await expect(listenOn(server, '192.0.2.1', 0)).rejects.toMatchObject({
      code: 'API_LISTEN_FAILED',
      message: expect.stringContaining('192.0.2.1'),
    });
    await server.close();
  });
});
