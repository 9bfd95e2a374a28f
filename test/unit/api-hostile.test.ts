import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { SERVER_LIMITS } from '../../src/api/http/limits.js';
import { healthSchema } from '../../src/api/schema.js';
import { runStatus } from '../../src/cli/status.js';
import { get, HAS_BUILD, type ServedApi, serveRig, storedRun } from '../helpers/api-store.js';

const TOKEN = 'thirty-two-characters-or-more-of-it';
const FLOWS = 20_000;
/** Wrong guesses are held against a machine for a second. */
const WELCOME_MS_MAX = 10_000;
const OK = /^HTTP\/1\.1 200 /;

describe.skipIf(!HAS_BUILD)('the API under attack (needs npm run build)', () => {
  let directory: string;
  let served: ServedApi;
  let guarded: ServedApi;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'flowberry-api-'));
    const tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, TOKEN);
    chmodSync(tokenFile, 0o600);
    const path = join(directory, 'flowberry.db');
    const { rig, writer } = storedRun(FLOWS, path);
    served = await serveRig(rig);
    writer.close(Date.now());
    const { rig: other } = storedRun(1, join(directory, 'other.db'), { 'api.token-file': tokenFile });
    guarded = await serveRig(other);
  });
  afterAll(async () => {
    await Promise.all([served?.api.close(), guarded?.api.close()]);
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(port = served.port): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  }

  /** Sends bytes as they are, and reads until the server closes. */
  async function raw(text: string): Promise<string> {
    const socket = await open();
    let answer = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      answer += part;
    });
    socket.write(text, 'latin1');
    await once(socket, 'close');
    return answer;
  }

  const HOST = 'Host: localhost\r\n';
  const CLOSE = 'Connection: close\r\n';

  it.each([
    [
      'a length and chunks',
      `POST /livez HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /docs HTTP/1.1\r\n${HOST}\r\n`,
    ],
    ['two lengths', `GET /livez HTTP/1.1\r\n${HOST}Content-Length: 0\r\nContent-Length: 9\r\n\r\n`],
    ['a length that is none', `GET /livez HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\n`],
    ['a length with a plus', `GET /livez HTTP/1.1\r\n${HOST}Content-Length: +1\r\n\r\n`],
    ['an encoding that is not the last', `POST /livez HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, identity\r\n\r\n`],
    ['a space before the colon', `GET /livez HTTP/1.1\r\n${HOST}Content-Length : 1\r\n\r\n`],
    ['a line of blanks before a header', `GET /livez HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`],
    ['a zero byte', `GET /livez HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`],
    ['a lone line feed inside', `GET /livez HTTP/1.1\r\n${HOST}X: a\nY: b\r\n\r\n`],
    ['HTTP/2 by heart', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('refuses %s, and takes nothing behind it for a request', async (_, text) => {
    const answer = await raw(text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('answers requests that come in one piece, one after the other', async () => {
    const answer = await raw(
      `GET /livez HTTP/1.1\r\n${HOST}\r\nGET /nothing HTTP/1.1\r\n${HOST}\r\nGET /livez HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
    );
    expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual(['200', '404', '200']);
  });

  it.each([
    ['headers that are too long', `GET /livez HTTP/1.1\r\n${HOST}X: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
    ['a path that is too long', `GET /${'x'.repeat(5_000)} HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 414],
    ['a path with a wrong escape', `GET /%zz HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 400],
    ['another host in the path', `GET http://evil.example/livez HTTP/1.1\r\nHost: evil.example\r\n${CLOSE}\r\n`, 421],
    ['two hosts', `GET /livez HTTP/1.1\r\n${HOST}Host: evil.example\r\n${CLOSE}\r\n`, 421],
    ['another origin', `GET /api/v1/flows HTTP/1.1\r\n${HOST}Origin: http://evil.example\r\n${CLOSE}\r\n`, 403],
    [
      'an upgrade of another origin',
      `GET /api/v1/live HTTP/1.1\r\n${HOST}Origin: http://evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n`,
      403,
    ],
    [
      'a body that is announced as too long',
      `PATCH /api/v1/devices/1 HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 70000\r\n${CLOSE}\r\n`,
      413,
    ],
    ['CONNECT', `CONNECT evil.example:80 HTTP/1.1\r\n${HOST}\r\n`, 0],
    ['TRACE', `TRACE / HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 405],
  ])('refuses %s', async (_, text, status) => {
    const answer = await raw(text);
    if (status === 0) expect(answer).toBe('');
    else expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it.each([
    '/../etc/passwd',
    '/docs/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..%2f..%2fetc%2fpasswd',
    '/docs.css/../../package.json',
    '//etc/passwd',
    '/api/v1/flows/..%2f..%2f..',
    '/openapi.json%00.html',
  ])('finds nothing at %s', async (path) => {
    const { status, text } = await get(served.port, path);
    expect([400, 404]).toContain(status);
    expect(text).not.toMatch(/root:|dependencies/);
  });

  it('answers others while many connections send half a request, and half a body', async () => {
    const before = served.api.server.server;
    const sockets: Socket[] = [];
    for (let index = 0; index < 2 * SERVER_LIMITS.connectionsMax; index++) {
      const socket = await open();
      socket.write(
        index % 2 === 0
          ? `GET /livez HTTP/1.1\r\n${HOST}X: `
          : `PATCH /api/v1/devices/1 HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 100\r\n`,
      );
      sockets.push(socket);
    }
    expect((await get(served.port, '/health')).status).toBe(503);
    expect((await get(served.port, '/api/v1/flows?limit=1')).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await vi.waitUntil(() => new Promise<boolean>((resolve) => before.getConnections((_, count) => resolve(count <= 1))), {
      timeout: 10_000,
    });
  });

  it('is as before after connections that come and go', async () => {
    for (let round = 0; round < 100; round++) {
      const sockets = await Promise.all(Array.from({ length: 20 }, () => open()));
      for (const [index, socket] of sockets.entries()) {
        if (index % 2 === 0) socket.write('GET /he');
        socket.destroy();
      }
    }
    await vi.waitUntil(async () => /^flowberry_api_connections 1$/m.test((await get(served.port, '/metrics')).text), {
      timeout: 10_000,
    });
  });

  it('holds a page or two of an export for a client that does not read, and gives it all when it does', async () => {
    const socket = await open();
    socket.pause();
    socket.write(`GET /api/v1/export?since=1h HTTP/1.1\r\n${HOST}${CLOSE}\r\n`);
    const pages = async (): Promise<number> => {
      const { queries } = JSON.parse((await get(served.port, '/api/v1/debug/slow')).text) as {
        queries: { query: string; count: number }[];
      };
      return queries.find(({ query }) => query === 'export')?.count ?? 0;
    };
    // Until nothing more is asked for: what the kernel's buffers hold, and a page more.
    let last = -1;
    await vi.waitUntil(
      async () => {
        const now = await pages();
        const isSettled = now > 0 && now === last;
        last = now;
        return isSettled;
      },
      { interval: 300, timeout: 20_000 },
    );
    const asked = await pages();
    expect(asked).toBeLessThan(FLOWS / 1_000);
    let rows = 0;
    socket.on('data', (part: Buffer) => {
      rows += part.toString('latin1').split('"community_id":').length - 1;
    });
    socket.resume();
    await once(socket, 'close');
    expect(rows).toBeGreaterThan(FLOWS * 0.98);
    expect(await pages()).toBeGreaterThanOrEqual(FLOWS / 1_000);
  }, 60_000);

  it('runs four exports at once and no more, and one more when one has ended', async () => {
    const sockets: Socket[] = [];
    for (let index = 0; index < 4; index++) {
      const socket = await open();
      socket.pause();
      socket.write(`GET /api/v1/export?since=1h HTTP/1.1\r\n${HOST}\r\n`);
      sockets.push(socket);
    }
    const running = async (): Promise<string> =>
      /^flowberry_api_exports_running (\d+)$/m.exec((await get(served.port, '/metrics')).text)?.[1] ?? '';
    await vi.waitUntil(async () => (await running()) === '4', { timeout: 10_000 });
    const refused = await get(served.port, '/api/v1/export?since=1h');
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    sockets[0]?.destroy();
    await vi.waitUntil(async () => (await running()) === '3', { timeout: 10_000 });
    for (const socket of sockets) socket.destroy();
    await vi.waitUntil(async () => (await running()) === '0', { timeout: 10_000 });
  }, 60_000);

  it('shows no address to whoever may poll its health, and little to who has no token', async () => {
    const { text } = await get(served.port, '/health');
    expect(text).not.toMatch(/\d+\.\d+\.\d+\.\d+|::|[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}/i);
    const little = JSON.parse((await get(guarded.port, '/health')).text);
    expect(Object.keys(little)).toEqual(['status', 'reasons']);
    expect(Object.keys(little.reasons[0])).toEqual(['code', 'severity']);
    const all = JSON.parse((await get(guarded.port, '/health', { headers: { authorization: `Bearer ${TOKEN}` } })).text);
    expect(healthSchema.parse(all)).toEqual(all);
    expect((await get(guarded.port, '/livez')).status).toBe(200);
    expect((await get(guarded.port, '/openapi.json')).status).toBe(200);
  });

  it('asks for the token everywhere else, and never shows or tells it', async () => {
    for (const path of [
      '/metrics',
      '/api/v1/flows',
      '/api/v1/config',
      '/api/v1/status',
      '/api/v1/export',
      '/nothing',
      '/api/v1/devices/1',
    ]) {
      const refused = await get(guarded.port, path);
      expect(refused, path).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
      expect(refused.text).not.toContain(TOKEN);
    }
    const headers = { authorization: `Bearer ${TOKEN}` };
    for (const path of ['/metrics', '/api/v1/flows', '/api/v1/config']) {
      const answer = await get(guarded.port, path, { headers });
      expect(answer.status, path).toBe(200);
      expect(answer.text).not.toContain(TOKEN);
    }
    expect(JSON.parse((await get(guarded.port, '/api/v1/config', { headers })).text).options['api.token-file']).toBe('***');
    expect(
      (
        await get(guarded.port, '/api/v1/devices/1', {
          method: 'PATCH',
          body: '{"name":"x"}',
          headers: { 'content-type': 'application/json' },
        })
      ).status,
    ).toBe(401);
  });

  it('lets nobody guess at the token', async () => {
    const statuses: number[] = [];
    for (let index = 0; index < 40; index++)
      statuses.push(
        (await get(guarded.port, '/api/v1/flows', { headers: { authorization: `Bearer ${'x'.repeat(31)}${index}` } })).status,
      );
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
  });

  it('shows its state to flowberry status, by the token', async () => {
    let text = '';
    const address = '127.0.0.1';
    const write = (part: string): void => {
      text += part;
    };
    const tokenFile = join(directory, 'token');
    await vi.waitUntil(async () => {
      try {
        await runStatus({ address, port: guarded.port, tokenFile, json: true, write });
        return true;
      } catch {
        // The guesses of the test before are held against this machine for a second.
        return false;
      }
    }, WELCOME_MS_MAX);
    expect(healthSchema.safeParse(JSON.parse(text)).success).toBe(true);
    expect(text).not.toContain(TOKEN);
  });

  it('gives pages and data the headers that keep browsers from harm', async () => {
    for (const path of ['/docs', '/health', '/nothing', '/api/v1/flows', '/%zz']) {
      const { headers } = await get(served.port, path);
      expect(headers, path).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
      });
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'/);
      expect(headers['content-security-policy']).not.toMatch(/unsafe|\*/);
    }
    const page = (await get(served.port, '/docs')).text;
    expect(page).not.toMatch(/<script|<style|\son\w+=|style=/i);
    expect(await raw(`GET /livez HTTP/1.1\r\n${HOST}${CLOSE}\r\n`)).toMatch(OK);
  });
});
