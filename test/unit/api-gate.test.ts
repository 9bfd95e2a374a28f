import { EventEmitter } from 'node:events';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Attempts } from '../../src/api/http/attempts.js';
import { Connections } from '../../src/api/http/connections.js';
import { HttpCounts } from '../../src/api/http/counts.js';
import { Gate } from '../../src/api/http/gate.js';
import { SERVER_LIMITS } from '../../src/api/http/limits.js';
import { AllowedNames } from '../../src/api/http/names.js';
import { countedAs } from '../../src/api/http/remote.js';
import { Token } from '../../src/api/http/token.js';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { temporaryDirectory } from '../helpers/flow-records.js';

const TOKEN = 'a-token-of-thirty-two-characters';

function tokenFile(content: string | Buffer = `${TOKEN}\n`, mode = 0o600): string {
  const path = join(temporaryDirectory(), 'token');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

function gateOf(options: OptionValues = {}, token: Token | null = null) {
  const clock = { nowMs: 0 };
  const counts = new HttpCounts();
  const gate = new Gate(resolveConfig(options), token, counts, () => clock.nowMs);
  return { gate, counts, clock };
}

const from = (remoteAddress: string, authorization?: string) => ({
  headers: { host: 'localhost', ...(authorization !== undefined && { authorization }) },
  socket: { remoteAddress, localAddress: '192.168.1.5' },
});

describe('a token file', () => {
  it.each([
    ['is not there', () => '/nowhere/token', 'ENOENT'],
    ['is too short', () => tokenFile('short'), '32'],
    ['is too long', () => tokenFile('x'.repeat(513)), '512'],
    ['has spaces inside', () => tokenFile(`${TOKEN} ${TOKEN}`), 'printable'],
    ['has other than ASCII', () => tokenFile(Buffer.alloc(40, 0xe4)), 'printable'],
    ['is empty', () => tokenFile(''), '32'],
    ['may be read by the group', () => tokenFile(TOKEN, 0o640), 'chmod 600'],
    ['may be read by all', () => tokenFile(TOKEN, 0o604), 'chmod 600'],
    [
      'is a directory',
      () => {
        const path = join(temporaryDirectory(), 'directory');
        mkdirSync(path, { mode: 0o700 });
        return path;
      },
      'regular',
    ],
    ['is a device', () => '/dev/null', 'regular'],
  ])('is refused when it %s', (_, path, why) => {
    const file = path();
    expect(() => Token.read(file)).toThrow(
      expect.objectContaining({ code: 'API_TOKEN_INVALID', message: expect.stringContaining(why) }),
    );
    expect(() => Token.read(file)).toThrow(expect.objectContaining({ message: expect.stringContaining(file) }));
    expect(() => Token.read(file)).not.toThrow(expect.objectContaining({ message: expect.stringContaining(TOKEN) }));
  });

  it('is taken with and without a line end, through a link, and read-only', () => {
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(tokenFile(), link);
    for (const file of [tokenFile(TOKEN), tokenFile(), tokenFile(TOKEN, 0o400), link])
      expect(Token.read(file).isShownBy(`Bearer ${TOKEN}`)).toBe(true);
  });

  it('is shown whole, by the scheme Bearer, or not at all', () => {
    const token = Token.read(tokenFile());
    for (const header of [`bearer ${TOKEN}`, `Bearer  ${TOKEN} `]) expect(token.isShownBy(header)).toBe(true);
    for (const header of [
      undefined,
      '',
      TOKEN,
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      'Bearer',
      `Bearer ${TOKEN} ${TOKEN}`,
    ])
      expect(token.isShownBy(header), header).toBe(false);
  });
});

describe('the gate', () => {
  it('refuses for a while whoever has shown ten wrong tokens within a second, the right one included, and nobody else', () => {
    const { gate, clock, counts } = gateOf({}, Token.read(tokenFile()));
    const right = `Bearer ${TOKEN}`;
    for (let i = 0; i < SERVER_LIMITS.tokenFailuresPerSecondMax; i++)
      expect(gate.authorize(from('192.168.1.7', `Bearer ${i}`))).toMatchObject({ status: 401 });
    expect(gate.authorize(from('192.168.1.7', right))).toMatchObject({ status: 429, retryAfterS: 1 });
    expect(gate.authorize(from('::ffff:192.168.1.7', right))).toMatchObject({ status: 429 });
    expect(gate.authorize(from('192.168.1.8', right))).toBeNull();
    clock.nowMs = 1_000;
    expect(gate.authorize(from('192.168.1.7', right))).toBeNull();
    expect(counts.refused).toMatchObject({ token: 10, token_rate: 2 });
  });

  it('counts no guess where nothing is shown', () => {
    const { gate } = gateOf({}, Token.read(tokenFile()));
    for (let i = 0; i < 50; i++) expect(gate.authorize(from('192.168.1.7'))).toMatchObject({ status: 401 });
    expect(gate.authorize(from('192.168.1.7', `Bearer ${TOKEN}`))).toBeNull();
  });

  it('lets other machines ask for data so often within a minute, and this one as often as it likes', () => {
    const { gate, clock } = gateOf({ 'api.requests-per-minute-max': 3 });
    const ask = (address: string) => gate.admit(from(address));
    for (let i = 0; i < 3; i++) expect(ask('2001:db8::1')).toBeNull();
    clock.nowMs = 20_000;
    expect(ask('2001:db8::1')).toMatchObject({ status: 429, retryAfterS: 40 });
    expect(ask('2001:db8::ffff')).toMatchObject({ status: 429 });
    expect(ask('2001:db8:0:1::1')).toBeNull();
    for (let i = 0; i < 1_000; i++) for (const own of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) expect(ask(own)).toBeNull();
    clock.nowMs = 60_000;
    expect(ask('2001:db8::1')).toBeNull();
    const without = gateOf({ 'api.requests-per-minute-max': 0 }).gate;
    for (let i = 0; i < 1_000; i++) expect(without.admit(from('192.0.2.1'))).toBeNull();
  });

  it('looks at Host and Origin of requests and upgrades alike', () => {
    const { gate, counts } = gateOf({ 'api.hosts': 'pi.example' });
    const socket = { remoteAddress: '192.168.1.7', localAddress: '::ffff:192.168.1.5' };
    const check = (headers: Record<string, string>) => gate.checkNames({ headers, socket })?.status ?? 200;
    expect(check({})).toBe(421);
    expect(check({ host: 'evil.example' })).toBe(421);
    expect(check({ host: '192.168.1.5:8417' })).toBe(200);
    expect(check({ host: '192.168.1.6:8417' })).toBe(421);
    expect(check({ host: 'PI.example.:8417', upgrade: 'websocket' })).toBe(200);
    expect(check({ host: 'pi.example:8417', origin: 'http://pi.example:8417' })).toBe(200);
    expect(check({ host: 'pi.example:8417', origin: 'https://pi.example' })).toBe(200);
    expect(check({ host: '192.168.1.5:8417', origin: 'http://192.168.1.5:8417' })).toBe(200);
    for (const origin of [
      'null',
      '',
      'http://evil.example',
      'http://192.168.1.5',
      'http://192.168.1.5:80',
      'file://',
      'http://pi.example.evil.example',
      'http://pi.example@evil.example',
      'http://evil.example/pi.example',
    ])
      expect(check({ host: '192.168.1.5:8417', origin }), origin).toBe(403);
    expect(counts.refused.origin).toBe(9);
  });
});

describe('names', () => {
  it('are those of this machine, however they are written', () => {
    const names = new AllowedNames('');
    for (const host of ['localhost', '127.0.0.1:1', '[::1]:8417', '127.255.0.1', '[fe80::5]'])
      expect(names.isHost(host, 'fe80::5%eth0'), host).toBe(true);
    for (const host of [
      '',
      'localhost:99999999',
      'localhost/',
      'a b',
      '127.0.0.1.nip.io',
      '[::1',
      '::1',
      'fe80::5',
      '0x7f.1',
      '2130706433',
      '127.1',
      'localhost\u0000',
      '[fe80::6]',
    ])
      expect(names.isHost(host, 'fe80::5%eth0'), host).toBe(false);
  });
});

describe('attempts', () => {
  it('remember so many clients and no more', () => {
    const attempts = new Attempts(1, 1_000, 3);
    for (const client of ['a', 'b', 'c']) expect(attempts.take(client, 0)).toBe(0);
    expect(attempts.take('a', 0)).toBe(1_000);
    expect(attempts.take('d', 0)).toBe(0);
    expect(attempts.take('b', 0)).toBe(1_000);
    expect(attempts.take('a', 0)).toBe(0);
  });

  it('count an IPv6 network as one client', () => {
    expect(countedAs('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2');
    expect(countedAs('fe80::1%eth0')).toBe('fe80:0:0:0');
    expect(countedAs('::ffff:10.0.0.1')).toBe('10.0.0.1');
    expect(countedAs('10.0.0.1')).toBe('10.0.0.1');
    expect(countedAs(undefined)).toBe('');
  });
});

describe('connections', () => {
  class FakeSocket extends EventEmitter {
    destroyed = false;
    bytesWritten = 10;
    constructor(readonly remoteAddress: string) {
      super();
    }
    destroy(): void {
      this.destroyed = true;
      this.emit('close');
    }
  }

  function gate() {
    const server = new EventEmitter();
    const counts = new HttpCounts();
    const connections = new Connections(server as unknown as Server, counts);
    const open = (address: string): FakeSocket => {
      const socket = new FakeSocket(address);
      server.emit('connection', socket);
      return socket;
    };
    const ask = (socket: FakeSocket): EventEmitter => {
      const response = new EventEmitter();
      server.emit('request', { socket, headers: {} }, response);
      return response;
    };
    return { counts, connections, open, ask };
  }

  it('of one other machine are 32 at most, and one more when one has gone', () => {
    const { open, counts } = gate();
    const sockets = Array.from({ length: SERVER_LIMITS.connectionsPerAddressMax }, () => open('192.0.2.1'));
    expect(sockets.some(({ destroyed }) => destroyed)).toBe(false);
    expect(open('192.0.2.1').destroyed).toBe(true);
    expect(open('192.0.2.2').destroyed).toBe(false);
    sockets[0]?.destroy();
    expect(open('192.0.2.1').destroyed).toBe(false);
    expect(counts).toMatchObject({ connectionsOpen: 33, refused: { address_connections: 1 }, sentBytes: 10 });
  });

  it('with a request, or that are held, never give way; without any that could, the new one is refused', () => {
    const { open, ask, connections, counts } = gate();
    const sockets = Array.from({ length: SERVER_LIMITS.connectionsMax }, () => open('127.0.0.1'));
    const responses = sockets.slice(1).map(ask);
    connections.hold(sockets[0] as unknown as Socket);
    expect(open('127.0.0.1').destroyed).toBe(true);
    expect(counts.refused.connections).toBe(1);
    responses[4]?.emit('close');
    expect(open('127.0.0.1').destroyed).toBe(false);
    expect(sockets.map(({ destroyed }) => destroyed).indexOf(true)).toBe(5);
    expect(counts.connectionsOpen).toBe(SERVER_LIMITS.connectionsMax);
  });
});
