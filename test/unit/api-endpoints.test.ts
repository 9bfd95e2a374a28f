import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { z } from 'zod';
import { ENDPOINTS } from '../../src/api/endpoint/endpoints.js';
import { flowSchema } from '../../src/api/endpoint/flow-schema.js';
import { problemSchema } from '../../src/api/problem.js';
import type { DeviceNoteUpdate } from '../../src/messages.js';
import { type Got, get, HAS_BUILD, type ServedApi, serveRig, storedRun } from '../helpers/api-store.js';

const FLOWS = 2_500;
/** What is sent to those that change something but a device. */
const BODIES: Readonly<Record<string, string>> = {
  '/api/v1/alerts/{id}': '{"acknowledged":true}',
  '/api/v1/database': '{"saved":true}',
};

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: { readonly type?: string; readonly enum?: readonly string[] };
  }[];
  readonly responses: Record<string, { readonly content?: Record<string, unknown> }>;
}

describe.skipIf(!HAS_BUILD)('the endpoints (need npm run build)', () => {
  let directory: string;
  let served: ServedApi;
  let operations: [path: string, method: string, operation: Operation][];
  const notes: DeviceNoteUpdate[] = [];
  const flowIds: number[] = [];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'flowberry-api-'));
    const { rig } = storedRun(FLOWS, join(directory, 'flowberry.db'));
    served = await serveRig(rig, {
      noteDevice: async (update) => {
        notes.push(update);
        return { ok: true, value: update.deviceId === 1 ? 'done' : 'unknown' };
      },
    });
    const document = JSON.parse((await get(served.port, '/openapi.json')).text) as {
      paths: Record<string, Record<string, Operation>>;
    };
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, string, Operation] => [path, method.toUpperCase(), operation]),
    );
    flowIds.push(...rig.query<{ id: number }>('SELECT id FROM flows ORDER BY id').map(({ id }) => id));
  });
  afterAll(async () => {
    await served?.api.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Values for what an operation asks for. */
  const exampleOf = (path: string, name: string): string =>
    name === 'id' ? (path.includes('flows') ? String(flowIds[0]) : '1') : name === 'device' ? '192.168.1.10' : 'example';

  const call = (path: string, method: string, operation: Operation, more: Record<string, string> = {}): Promise<Got> => {
    const required = operation.parameters.filter((parameter) => parameter.required);
    const filled = required
      .filter((parameter) => parameter.in === 'path')
      .reduce((text, { name }) => text.replace(`{${name}}`, encodeURIComponent(more[name] ?? exampleOf(path, name))), path);
    const query = new URLSearchParams(
      Object.fromEntries(
        required.filter((parameter) => parameter.in === 'query').map(({ name }) => [name, exampleOf(path, name)]),
      ),
    );
    for (const [name, value] of Object.entries(more)) if (!path.includes(`{${name}}`)) query.set(name, value);
    const body =
      method === 'PATCH'
        ? {
            body: BODIES[path] ?? '{"name":"Kitchen"}',
            headers: { 'content-type': 'application/json' },
          }
        : {};
    return get(served.port, `${filled}?${query}`, { method, ...body });
  };

  it('are all in the document, and the document in them', () => {
    expect(operations.map(([, , { operationId }]) => operationId).sort()).toEqual(ENDPOINTS.map(({ name }) => name).sort());
    expect(new Set(ENDPOINTS.map(({ name }) => name)).size).toBe(ENDPOINTS.length);
  });

  it('answer what the document says, for the defaults', async () => {
    for (const [path, method, operation] of operations) {
      const got = await call(path, method, operation);
      expect(got.status, `${method} ${path}: ${got.text.slice(0, 300)}`).toBe(200);
      const type = String(got.headers['content-type']).split(';')[0] as string;
      expect(Object.keys(operation.responses['200']?.content ?? {})).toContain(type);
      const endpoint = ENDPOINTS.find(({ name }) => name === operation.operationId);
      if (type !== 'application/json' || !endpoint) continue;
      const body = JSON.parse(got.text);
      // The schema drops members that it does not know, so equality means that there are none.
      expect(endpoint.answer.parse(body), path).toEqual(body);
    }
  });

  it('refuse unknown, doubled and hostile parameters by name, with a problem, and never with a defect', async () => {
    const hostile = [
      "' OR 1=1 --",
      '-1',
      '1e999',
      'NaN',
      '9'.repeat(40),
      '\0',
      '../../etc/passwd',
      '<script>',
      '%',
      '{"a":1}',
      '1;DROP TABLE flows',
      '0x10',
      ' 1',
      '',
    ];
    for (const [path, method, operation] of operations) {
      for (const name of ['nothing', '__proto__', 'constructor']) {
        const got = await call(path, method, operation, { [name]: 'x' });
        expect(got.status, path).toBe(400);
        expect(problemSchema.parse(JSON.parse(got.text))).toMatchObject({ status: 400, parameter: name });
      }
      for (const { name, schema } of operation.parameters) {
        for (const value of hostile) {
          const got = await call(path, method, operation, { [name]: value });
          expect([200, 400, 404], `${path} ${name}=${value}: ${got.text.slice(0, 200)}`).toContain(got.status);
          if (schema.type === 'integer' || schema.enum) expect(got.status, `${path} ${name}=${value}`).not.toBe(200);
          if (got.status !== 200) expect(problemSchema.parse(JSON.parse(got.text)).status).toBe(got.status);
        }
      }
    }
    const twice = await get(served.port, '/api/v1/flows?limit=1&limit=2');
    expect(JSON.parse(twice.text)).toMatchObject({ status: 400, parameter: 'limit' });
    expect(served.rig.value('SELECT count(*) FROM flows')).toBe(FLOWS);
  }, 60_000);

  it('page through all flows, each once, newest and oldest first', async () => {
    for (const order of ['newest', 'oldest']) {
      const seen: number[] = [];
      let cursor = '';
      do {
        const { text, status } = await get(served.port, `/api/v1/flows?since=1h&order=${order}&limit=1000${cursor}`);
        expect(status).toBe(200);
        const body = JSON.parse(text) as { flows: { id: number }[]; next_cursor: string | null };
        seen.push(...body.flows.map(({ id }) => id));
        cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
      } while (cursor !== '');
      expect(order === 'oldest' ? seen : seen.reverse()).toEqual(flowIds);
    }
  });

  it('apply filters', async () => {
    const found = async (filter: string) =>
      (
        JSON.parse((await get(served.port, `/api/v1/flows?limit=1000&${filter}`)).text) as {
          flows: { server_name: string; src_port: number; community_id: string }[];
        }
      ).flows;
    expect((await found('name=www.example.com')).every(({ server_name }) => server_name === 'www.example.com')).toBe(true);
    expect(await found('port=20001')).toMatchObject([{ src_port: 20_001, community_id: expect.stringMatching(/^1:/) }]);
    expect(await found('ip=203.0.113.99')).toEqual([]);
    expect(await found('application=dns')).toEqual([]);
    expect((await found('net=192.168.0.0/16&protocol=6&application=tls')).length).toBe(1000);
  });

  it('export everything as NDJSON and as CSV', async () => {
    const ndjson = await get(served.port, '/api/v1/export?since=1h');
    const rows = ndjson.text
      .trimEnd()
      .split('\n')
      .map((line) => flowSchema.parse(JSON.parse(line)));
    expect(rows.map(({ id }) => id)).toEqual(flowIds);
    expect(ndjson.headers).toMatchObject({ 'flowberry-complete': 'true', 'flowberry-lost-packets': '0' });
    const csv = await get(served.port, '/api/v1/export?since=1h&format=csv');
    const lines = csv.text.trimEnd().split('\r\n');
    expect(lines[0]).toBe(Object.keys(flowSchema.shape).join());
    expect(lines).toHaveLength(FLOWS + 1);
    // Names come from the wire, and a spreadsheet would run them.
    expect(csv.text).not.toMatch(/,=/);
    const head = await get(served.port, '/api/v1/export?since=1h', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, text: '', headers: { 'content-type': ndjson.headers['content-type'] } });
    expect(head.headers).not.toHaveProperty('content-length');
  });

  it('say what is wrong with a question before an export begins, as for a page', async () => {
    for (const [filter, status] of [
      ['device=nobody', 404],
      ['net=10.0.0.0/33', 400],
    ] as const)
      for (const path of ['flows', 'export']) {
        const got = await get(served.port, `/api/v1/${path}?${filter}`);
        expect(got.status, path).toBe(status);
        expect(problemSchema.parse(JSON.parse(got.text))).toMatchObject({ status });
      }
    expect((await get(served.port, '/metrics')).text).toMatch(/^flowberry_api_exports_running 0$/m);
  });

  it('change what a person says of a device, and nothing else', async () => {
    const patch = (id: string, body: string, type = 'application/json') =>
      get(served.port, `/api/v1/devices/${id}`, { method: 'PATCH', body, headers: { 'content-type': type } });
    notes.length = 0;
    expect((await patch('1', '{"name":" Kitchen ","note":""}')).status).toBe(200);
    expect(notes).toEqual([{ deviceId: 1, name: 'Kitchen', note: null }]);
    expect((await patch('7', '{"name":"x"}')).status).toBe(404);
    for (const body of [
      '{}',
      '[]',
      '"x"',
      '{"name":1}',
      '{"id":2,"name":"x"}',
      '{"name":"a\\u0000"}',
      '{"name":"a\\u202e"}',
      `{"name":"${'x'.repeat(65)}"}`,
      '{"__proto__":{"a":1}}',
      '{"name":',
    ])
      expect([400], body).toContain((await patch('1', body)).status);
    expect((await patch('1', '{"name":"x"}', 'text/plain')).status).toBe(415);
    expect((await patch('1', `{"name":"${'x'.repeat(70_000)}"}`)).status).toBe(413);
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const got = await get(served.port, '/api/v1/devices/1', { method });
      expect(got.status).toBe(405);
      expect(got.headers['allow']).toBe('GET, HEAD, PATCH');
    }
    expect((await get(served.port, '/api/v1/flows', { method: 'PATCH' })).status).toBe(405);
    expect(notes).toHaveLength(2);
  });

  it('mask secrets in the config, and show the values in use', async () => {
    const { options } = JSON.parse((await get(served.port, '/api/v1/config')).text);
    expect(options['api.token-file']).toBe('');
    expect(options['flow.active-max']).toBe(16);
  });

  it('tell how long queries took, and not what was looked for', async () => {
    await get(served.port, '/api/v1/search?q=secret-name');
    const { text } = await get(served.port, '/api/v1/debug/slow');
    const { queries } = JSON.parse(text) as { queries: { query: string; count: number; mean_ms: number; max_ms: number }[] };
    const search = queries.find(({ query }) => query === 'search');
    expect(search?.count).toBeGreaterThan(0);
    expect(search?.max_ms).toBeGreaterThanOrEqual(search?.mean_ms ?? 0);
    expect(text).not.toContain('secret-name');
  });

  it('find devices, names and addresses', async () => {
    const found = JSON.parse((await get(served.port, '/api/v1/search?q=EXAMPLE.com')).text);
    expect(found.names).toContain('www.example.com');
    const device = JSON.parse((await get(served.port, '/api/v1/search?q=192.168.1.1')).text);
    expect(device).toMatchObject({ devices: [{ name: 'pi-hole', mac: 'b8:27:eb:12:34:56' }], addresses: ['192.168.1.10'] });
    expect(JSON.parse((await get(served.port, '/api/v1/search?q=%25')).text)).toEqual({ devices: [], names: [], addresses: [] });
  });

  it('answer 304 to who has the answer already, with a strong ETag for a time that is over', async () => {
    const open = await get(served.port, '/api/v1/summary?since=1h');
    expect(open.headers['etag']).toMatch(/^W\//);
    const closed = '/api/v1/flows?since=2020-01-01&until=2020-02-01T00:00:00Z';
    const first = await get(served.port, closed);
    expect(first.headers['etag']).toMatch(/^"/);
    const again = await get(served.port, closed, { headers: { 'if-none-match': String(first.headers['etag']) } });
    expect(again).toMatchObject({ status: 304, text: '' });
    expect((await get(served.port, closed, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it('say what is missing', async () => {
    served.rig.execute(`UPDATE ledger SET kernel_dropped = 7 WHERE minute_us = (SELECT max(minute_us) FROM ledger)`);
    await vi.waitFor(async () => {
      const body = JSON.parse((await get(served.port, `/api/v1/summary?since=2h`)).text);
      expect(body).toMatchObject({ complete: false, lost_packets: 7 });
    });
    const completeness = JSON.parse((await get(served.port, `/api/v1/completeness?since=2h`)).text);
    expect(completeness).toMatchObject({ complete: false, minutes: [{ lost_by_kernel: 7 }] });
    expect((await get(served.port, '/api/v1/export?since=2h&port=1')).headers).toMatchObject({ 'flowberry-complete': 'false' });
    served.rig.execute('UPDATE ledger SET kernel_dropped = 0');
  });

  it('fit their schemas whatever limit, order and time is asked for', async () => {
    const path = fc.record({
      limit: fc.integer({ min: 1, max: 50 }),
      since: fc.constantFrom('1h', '30d', '2025-01-01', '0'),
      subject: fc.constantFrom('devices', 'names', 'applications', 'peers'),
      order: fc.constantFrom('bytes', 'packets', 'flows', 'tcp_failures'),
    });
    const topSchema = ENDPOINTS.find(({ name }) => name === 'top')?.answer as z.ZodType;
    await fc.assert(
      fc.asyncProperty(path, async (given) => {
        const got = await get(
          served.port,
          `/api/v1/top?${new URLSearchParams(Object.entries(given).map(([name, value]) => [name, String(value)] as [string, string]))}`,
        );
        expect(topSchema.safeParse(JSON.parse(got.text)).success, got.text.slice(0, 200)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});
