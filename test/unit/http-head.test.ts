import { describe, expect, it } from 'vitest';
import { type HttpRequest, isHttpRequestStart, readHttpRequest, readHttpStatus } from '../../src/parse/app/http-head.js';
import { hasCaptures } from '../helpers/captures.js';
import { firstPayloads } from '../helpers/first-payloads.js';
import { viewOf } from '../helpers/frame-bytes.js';
import { latin, placed } from '../helpers/placed.js';

const read = (text: string, isLast?: boolean): HttpRequest | 'incomplete' | null =>
  readHttpRequest(...placed(latin(text)), isLast);

function request(text: string, isLast?: boolean): HttpRequest {
  const result = read(text, isLast);
  if (result === null || result === 'incomplete') throw new Error(`not a request: ${result}`);
  return result;
}

const hostOf = (value: string): string => request(`GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`).host;
const starts = (text: string): boolean => isHttpRequestStart(...placed(latin(text)));
const status = (text: string): number => readHttpStatus(...placed(latin(text)));

describe('head of a request', () => {
  it('tells method, path, version, host, user agent and its length', () => {
    const head =
      'GET /Where?q=now HTTP/1.1\r\nHost: www.Example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux)\r\nAccept: */*\r\n\r\n';
    expect(request(`${head}the body`)).toEqual({
      method: 'GET',
      path: '/Where?q=now',
      host: 'www.example.org',
      userAgent: 'Mozilla/5.0 (X11; Linux)',
      version: '1.1',
      headBytes: head.length,
    });
  });

  it('may end its lines in a lone line feed', () => {
    const head = 'POST /a HTTP/1.0\nhost:b\nUSER-AGENT:c\n\n';
    expect(request(head)).toEqual({
      method: 'POST',
      path: '/a',
      host: 'b',
      userAgent: 'c',
      version: '1.0',
      headBytes: head.length,
    });
  });

  it('may lack host and user agent', () => {
    expect(request('OPTIONS * HTTP/1.0\r\n\r\n')).toMatchObject({ method: 'OPTIONS', path: '*', host: '', userAgent: '' });
  });

  it('counts the first of several headers of a name', () => {
    expect(request('GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\nHost: b\r\nUser-Agent: y\r\n\r\n')).toMatchObject({
      host: 'a',
      userAgent: 'x',
    });
  });

  it('has no header whose name only begins or ends like one', () => {
    const head = 'GET / HTTP/1.1\r\nX-Host: a\r\nHosts: b\r\n Host: c\r\nHost : d\r\nMy-User-Agent: e\r\n\r\n';
    expect(request(head)).toMatchObject({ host: '', userAgent: '' });
  });

  it.each(['PROPFIND', 'M-SEARCH', 'RPC_IN_DATA', 'VERSION-CONTROL', 'anything'])('may have the method %s', (method) => {
    expect(request(`${method} /x HTTP/1.1\r\n\r\n`).method).toBe(method);
  });

  it('may have spaces and foreign bytes in its target, which are escaped', () => {
    expect(request('GET /a b\xe9"\\ HTTP/1.1\r\n\r\n').path).toBe('/a\\032b\\233\\"\\\\');
  });

  it('has a host that does not end in a dot where it was cut', () => {
    expect(hostOf(`${'a'.repeat(252)}.example`)).toBe('a'.repeat(252));
  });

  it('has texts of at most 253 characters', () => {
    const long = 'x'.repeat(1000);
    const { path, host, userAgent } = request(`GET /${long} HTTP/1.1\r\nHost: ${long}\r\nUser-Agent: ${long}\r\n\r\n`);
    expect([path, host, userAgent].map((text) => text.length)).toEqual([253, 253, 253]);
  });
});

describe('host of a request', () => {
  it.each([
    ['example.org:8080', 'example.org'],
    ['example.org:', 'example.org'],
    ['EXAMPLE.org.', 'example.org'],
    ['example.org.:80', 'example.org'],
    ['192.0.2.1:80', '192.0.2.1'],
    ['[2001:DB8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['name:port', 'name:port'],
    ['user:secret@example.org:80', 'example.org'],
    ['  \tblanks \t', 'blanks'],
    ['a b\0"', 'a\\032b\\000\\"'],
    ['', ''],
    ['.', '.'],
    ['[', ''],
    ['[::1', '::1'],
  ])('is taken from %j', (value, host) => {
    expect(hostOf(value)).toBe(host);
  });

  it.each([
    ['GET http://Proxy.Example.org:8080/path?x#y HTTP/1.1', 'proxy.example.org', 'http://Proxy.Example.org:8080/path?x#y'],
    ['GET https://[::1]:8443 HTTP/1.1', '::1', 'https://[::1]:8443'],
    ['GET http://user@example.org?x HTTP/1.1', 'example.org', 'http://user@example.org?x'],
    ['CONNECT Example.org:443 HTTP/1.1', 'example.org', 'Example.org:443'],
    ['CONNECT [2001:db8::2]:443 HTTP/1.1', '2001:db8::2', '[2001:db8::2]:443'],
  ])('is that of the target in %s', (line, host, path) => {
    expect(request(`${line}\r\nHost: other.example\r\n\r\n`)).toMatchObject({ host, path });
  });

  it.each(['GET /a://b/c HTTP/1.1', 'GET x: HTTP/1.1', 'GET http:///x HTTP/1.1'])('is not in the target of %s', (line) => {
    expect(request(`${line}\r\nHost: header.example\r\n\r\n`).host).toBe('header.example');
  });
});

describe('a request that has not come whole', () => {
  const head = 'GET /path HTTP/1.1\r\nHost: example.org\r\nUser-Agent: agent\r\n\r\n';

  it('is incomplete from the first byte of its target on, until its empty line is there', () => {
    for (let bytes = 0; bytes < head.length; bytes++)
      expect(read(head.slice(0, bytes)), `${bytes} bytes`).toEqual(bytes < 'GET /'.length ? null : 'incomplete');
    expect(read(head)).toMatchObject({ host: 'example.org' });
  });

  it('gives what is there when nothing more will come, but no header that is cut', () => {
    expect(request('GET /pa', true)).toEqual({ method: 'GET', path: '/pa', host: '', userAgent: '', version: '', headBytes: 7 });
    expect(request('GET /path HTTP/1.1\r\nHost: exam', true)).toMatchObject({ path: '/path', host: '', version: '1.1' });
    expect(request('GET /path HTTP/1.1\r\nHost: example.org\r\nUser-', true)).toMatchObject({
      host: 'example.org',
      userAgent: '',
    });
  });

  it('is taken as it is from 16 KiB on', () => {
    const text = `GET / HTTP/1.1\r\nHost: a\r\nCookie: ${'x'.repeat(20_000)}`;
    expect(read(text.slice(0, 16_383))).toBe('incomplete');
    expect(read(text.slice(0, 16_384))).toMatchObject({ host: 'a', headBytes: 16_384 });
    expect(read(`${text}\r\nUser-Agent: late\r\n\r\n`)).toMatchObject({ userAgent: '', headBytes: 16_384 });
  });

  it('is looked through for its end behind 100 headers, which are no longer read', () => {
    const headers = (count: number): string => 'X: y\r\n'.repeat(count);
    const text = (count: number): string => `GET / HTTP/1.1\r\n${headers(count)}Host: a\r\n\r\n`;
    expect(request(text(99)).host).toBe('a');
    expect(request(text(100))).toMatchObject({ host: '', headBytes: text(100).length });
  });
});

describe('what is no request', () => {
  it.each([
    '',
    'GET',
    'GET ',
    ' GET / HTTP/1.1\r\n\r\n',
    'GET  HTTP/1.1\r\n\r\n',
    'GET / HTTP/2.0\r\n\r\n',
    'GET / HTTP/1.x\r\n\r\n',
    'GET /\r\n\r\n',
    'GET / RTSP/1.0\r\n\r\n',
    'GET /\x01 HTTP/1.1\r\n\r\n',
    'G(T / HTTP/1.1\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'OPTIONS sip:a@b SIP/2.0\r\n\r\n',
    'SSH-2.0-OpenSSH_9.6\r\n',
    `${'M'.repeat(25)} / HTTP/1.1\r\n\r\n`,
  ])('%j', (text) => {
    expect(read(text)).toBeNull();
    expect(read(text, true)).toBeNull();
    expect(starts(text)).toBe(false);
  });
});

describe('start of a request', () => {
  it.each(['GET /', 'GET /path', 'GET / HTTP/1.1\r', 'POST http://a/b HT', 'OPTIONS *', 'CONNECT a:1', 'GET / HTTP/1.1\r\n'])(
    'is seen in %j',
    (text) => {
      expect(starts(text)).toBe(true);
    },
  );

  it.each(['GET path', 'GET / RT', 'FOO /path', 'DESCRIBE *', 'GET /a\0b'])('is not seen in %j', (text) => {
    expect(starts(text)).toBe(false);
  });
});

describe('status of a response', () => {
  it.each([
    ['HTTP/1.1 200 OK\r\n', 200],
    ['HTTP/1.0 404 Not Found\r\n', 404],
    ['HTTP/1.1 999', 999],
    ['HTTP/1.1 100', 100],
    ['HTTP/1.1 099', 0],
    ['HTTP/1.1 20', 0],
    ['HTTP/1.1 2x0 OK', 0],
    ['HTTP/1.1  200', 0],
    ['HTTP/2 200 OK  ', 0],
    ['HTTP/1.x 200', 0],
    ['http/1.1 200 OK', 0],
    ['', 0],
  ])('of %j is %d', (text, code) => {
    expect(status(text)).toBe(code);
  });
});

/** What Zeek writes in http.log for the first request of each connection. */
describe.skipIf(!hasCaptures)('requests in captures', () => {
  it.each([
    ['zeek__http-get.pcap', [['GET', '/download/CHANGES.bro-aux.txt', 'bro.org', 'Wget/1.14 (darwin12.2.0)', 200]]],
    [
      'zeek__http-connect-with-header.pcap',
      [
        [
          'CONNECT',
          'secure.newegg.com:443',
          'secure.newegg.com',
          'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.10; rv:41.0) Gecko/20100101 Firefox/41.0',
          200,
        ],
      ],
    ],
  ])('%s', async (name, expected) => {
    const payloads = (await firstPayloads(name)).map(({ bytes }) => ({ view: viewOf(bytes), end: bytes.length }));
    const requests = payloads.map(({ view, end }) => readHttpRequest(view, 0, end)).filter((head) => head !== null);
    const codes = payloads.map(({ view, end }) => readHttpStatus(view, 0, end)).filter((code) => code !== 0);
    const seen = requests.map((head, index) =>
      head === 'incomplete' ? head : [head.method, head.path, head.host, head.userAgent, codes[index]],
    );
    expect(seen).toEqual(expected);
  });
});
