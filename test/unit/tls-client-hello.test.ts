import { describe, expect, it } from 'vitest';
import { type ClientHello, isGrease, readClientHello } from '../../src/parse/app/tls-client-hello.js';
import { clientHelloMessage } from '../../src/parse/app/tls-records.js';
import { join } from '../helpers/frame-bytes.js';
import { alone, placed } from '../helpers/parser-input.js';
import {
  alpn,
  clientHello,
  extension,
  type HelloParts,
  nodeClientHello,
  prefixed,
  type ServerName,
  serverName,
  signatureAlgorithms,
  supportedVersions,
} from '../helpers/tls-hello.js';

function read(bytes: Uint8Array): ClientHello | null {
  const { view, offset, end } = placed(bytes);
  return readClientHello(view, offset, end);
}

function helloOf(parts: HelloParts): ClientHello {
  const hello = read(clientHello(parts));
  if (hello === null) throw new Error('no ClientHello');
  return hello;
}

const nameOf = (...names: ServerName[]): string => helloOf({ extensions: [serverName(...names)] }).serverName;
const bytes = (...values: number[]): string => String.fromCharCode(...values);

describe('a ClientHello', () => {
  it('is read whole', () => {
    const extensions = [
      extension(0x2a2a),
      serverName('www.example.org'),
      signatureAlgorithms(0x0403, 0x0804),
      alpn('h2', 'http/1.1'),
      supportedVersions(0x0304, 0x0303),
      extension(0xff01, Uint8Array.of(0)),
    ];
    expect(helloOf({ ciphers: [0x3a3a, 0x1301, 0xc02f], extensions })).toEqual({
      serverName: 'www.example.org',
      alpn: ['h2', 'http/1.1'],
      alpnEnds: 0x6832,
      version: 0x0304,
      ciphers: [0x3a3a, 0x1301, 0xc02f],
      extensions: [0x2a2a, 0, 13, 16, 43, 0xff01],
      signatureAlgorithms: [0x0403, 0x0804],
      isWhole: true,
    } satisfies ClientHello);
  });

  it('may have no extensions, as in TLS 1.0', () => {
    const hello = helloOf({ version: 0x0301, sessionIdBytes: 0, ciphers: [4, 5] });
    expect(hello).toMatchObject({ serverName: '', alpn: [], alpnEnds: -1, version: 0x0301, ciphers: [4, 5], extensions: [] });
    expect(hello.isWhole).toBe(true);
  });

  it('is what Node sends', async () => {
    const cases = [
      { servername: 'host.example.net', ALPNProtocols: ['h2', 'http/1.1', 'x-\u{7f}'], versions: ['TLSv1.2', 'TLSv1.3'] },
      { servername: 'a.b', ALPNProtocols: ['spdy/3'], versions: ['TLSv1.2', 'TLSv1.2'] },
      { servername: '', ALPNProtocols: [], versions: ['TLSv1.3', 'TLSv1.3'] },
    ] as const;
    for (const { servername, ALPNProtocols, versions } of cases) {
      const sent = await nodeClientHello({
        ...(servername === '' ? {} : { servername }),
        ...(ALPNProtocols.length === 0 ? {} : { ALPNProtocols: [...ALPNProtocols] }),
        minVersion: versions[0],
        maxVersion: versions[1],
      });
      const { view, offset, end } = placed(sent);
      const message = clientHelloMessage(view, offset, end);
      if (typeof message === 'string') throw new Error(message);
      const hello = readClientHello(message.view, message.offset, message.end);
      expect(hello).toMatchObject({
        serverName: servername,
        alpn: ALPNProtocols.map((name) => name.replace('\u{7f}', '\\127')),
        version: versions[1] === 'TLSv1.3' ? 0x0304 : 0x0303,
        isWhole: true,
      });
      expect(hello?.signatureAlgorithms).toContain(0x0804);
    }
  });
});

describe('the server name', () => {
  it('is in lower case and has no dot at its end', () => {
    expect(nameOf('WWW.Example.ORG')).toBe('www.example.org');
    expect(nameOf('example.org.')).toBe('example.org');
    expect(nameOf('example.org..')).toBe('example.org.');
    expect(nameOf('.')).toBe('.');
  });

  it('is kept when it is an address or has hostile bytes, escaped', () => {
    expect(nameOf('192.0.2.1')).toBe('192.0.2.1');
    expect(nameOf('2001:DB8::1')).toBe('2001:db8::1');
    expect(nameOf(`a b"\\${bytes(0, 10, 127, 0xc3, 0xa9)}'`)).toBe(`a\\032b\\"\\\\\\000\\010\\127\\195\\169'`);
  });

  it('has at most 253 characters and no half escape', () => {
    expect(nameOf('x'.repeat(5000))).toBe('x'.repeat(253));
    expect(nameOf(`${'x'.repeat(250)}\0`)).toBe('x'.repeat(250));
    expect(nameOf(`${'x'.repeat(249)}\0`)).toBe(`${'x'.repeat(249)}\\000`);
  });

  it('is the first host name', () => {
    expect(nameOf([1, 'other'], [0, 'host'], [0, 'second'])).toBe('host');
    expect(helloOf({ extensions: [serverName('first'), serverName('second')] }).serverName).toBe('first');
  });

  it('is empty where the extension has none, or one that is cut', () => {
    expect(helloOf({ extensions: [extension(0)] })).toMatchObject({ serverName: '', extensions: [0], isWhole: true });
    expect(nameOf('')).toBe('');
    const cut = extension(0, Uint8Array.of(0, 9, 0, 0, 6, 0x61, 0x62));
    expect(helloOf({ extensions: [cut, alpn('h2')] })).toMatchObject({ serverName: '', alpn: ['h2'] });
  });
});

describe('protocols', () => {
  const protocols = (...names: string[]): readonly string[] => helloOf({ extensions: [alpn(...names)] }).alpn;

  it('keep their case and are escaped, commas too', () => {
    expect(protocols('H2', 'a,b', 'q"', bytes(0, 255))).toEqual(['H2', 'a\\,b', 'q\\"', '\\000\\255']);
  });

  it('are given without GREASE', () => {
    const hello = helloOf({ extensions: [alpn('ZZ', 'h3')] });
    expect(hello).toMatchObject({ alpn: ['h3'], alpnEnds: 0x6833 });
  });

  it('are as many as fit into 253 characters with commas between them', () => {
    const names = Array.from({ length: 100 }, (_, index) => `p${String(index).padStart(3, '0')}`);
    const read = protocols(...names);
    expect(read).toEqual(names.slice(0, 50));
    expect(read.join(',').length).toBe(249);
    expect(protocols('\0'.repeat(255), 'h2')).toEqual(['\\000'.repeat(63)]);
  });

  it('end before the one that is cut', () => {
    const list = prefixed(2, Uint8Array.of(2, 0x68, 0x32, 9, 0x68));
    expect(helloOf({ extensions: [extension(16, list)] }).alpn).toEqual(['h2']);
  });
});

describe('the version', () => {
  const versionOf = (...versions: number[]): number =>
    helloOf({ version: 0x0302, extensions: [supportedVersions(...versions)] }).version;

  it('is the highest that is listed, GREASE aside', () => {
    expect(versionOf(0x0303, 0x0304, 0x0301)).toBe(0x0304);
    expect(versionOf(0xfafa, 0x0303)).toBe(0x0303);
  });

  it('is that of the fixed part where the list has none', () => {
    expect(versionOf()).toBe(0x0302);
    expect(versionOf(0x1a1a)).toBe(0x0302);
  });
});

it('tells the sixteen numbers of GREASE from others', () => {
  const grease = Array.from({ length: 65_536 }, (_, number) => number).filter(isGrease);
  expect(grease).toEqual(Array.from({ length: 16 }, (_, index) => (index << 12) | 0x0a00 | (index << 4) | 0x0a));
});

describe('a ClientHello that is broken', () => {
  const whole = clientHello({ extensions: [serverName('example.org'), alpn('h2'), supportedVersions(0x0304)] });
  const extensionsAt = clientHello({}).length;

  it('is none as long as its fixed part is cut; then it has what stands before the cut', () => {
    for (let length = 0; length < whole.length; length++) {
      const { view, offset, end } = alone(whole.subarray(0, length));
      const hello = readClientHello(view, offset, end);
      if (length < extensionsAt) expect(hello).toBeNull();
      else expect(hello).toMatchObject({ ciphers: [0x1301, 0x1302], isWhole: false });
    }
    const nameEnd = extensionsAt + 2 + serverName('example.org').length;
    expect(read(whole.subarray(0, nameEnd))).toMatchObject({ serverName: 'example.org', alpn: [], extensions: [0] });
    expect(read(whole.subarray(0, nameEnd - 1))).toMatchObject({ serverName: '', extensions: [] });
  });

  it('keeps what stands before an extension that is longer than the block', () => {
    const broken = join(serverName('kept.example'), Uint8Array.of(0, 16, 0, 200, 0, 3, 2, 0x68, 0x32));
    const hello = helloOf({ extensions: [broken] });
    expect(hello).toMatchObject({ serverName: 'kept.example', alpn: [], extensions: [0], isWhole: false });
  });

  it('does not read beyond the block of extensions', () => {
    const block = prefixed(2, serverName('a.b'), Uint8Array.of(0, 16, 0, 5));
    const body = join(clientHello().subarray(4), block, Uint8Array.of(0, 3, 2, 0x68, 0x32));
    expect(read(join(Uint8Array.of(1), prefixed(3, body)))).toMatchObject({ serverName: 'a.b', alpn: [], isWhole: false });
  });

  it('is not whole with bytes behind its extensions', () => {
    const body = clientHello({ extensions: [serverName('a.b')] }).subarray(4);
    const hello = read(join(Uint8Array.of(1), prefixed(3, body, Uint8Array.of(0))));
    expect(hello).toMatchObject({ serverName: 'a.b', isWhole: false });
  });

  it('does not read beyond its own length', () => {
    const hello = clientHello({});
    const behind = prefixed(2, serverName('not.mine'));
    expect(read(join(hello, behind))).toMatchObject({ serverName: '', extensions: [], isWhole: true });
  });

  it('is none with another type or a session id that is too long', () => {
    expect(read(Uint8Array.from(whole).fill(2, 0, 1))).toBeNull();
    expect(read(clientHello({ sessionIdBytes: 33 }))).toBeNull();
  });

  it('has lists of at most 512 entries', () => {
    const many = Array.from({ length: 3000 }, (_, index) => index);
    const hello = helloOf({ ciphers: many, extensions: many.map((type) => extension(type + 100)) });
    expect([hello.ciphers.length, hello.extensions.length, hello.isWhole]).toEqual([512, 512, false]);
    expect(helloOf({ extensions: [signatureAlgorithms(...many)] }).signatureAlgorithms.length).toBe(512);
  });
});
