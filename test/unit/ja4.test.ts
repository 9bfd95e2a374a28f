import { describe, expect, it } from 'vitest';
import { ja4 } from '../../src/parse/app/ja4.js';
import { readClientHello } from '../../src/parse/app/tls-client-hello.js';
import { alone } from '../helpers/parser-input.js';
import {
  alpn,
  clientHello,
  extension,
  type HelloParts,
  serverName,
  signatureAlgorithms,
  supportedVersions,
} from '../helpers/tls-hello.js';

function fingerprint(parts: HelloParts, transport: 't' | 'q' = 't'): string {
  const { view, offset, end } = alone(clientHello(parts));
  const hello = readClientHello(view, offset, end);
  if (hello === null) throw new Error('no ClientHello');
  return ja4(hello, transport);
}

const numbers = (text: string): number[] => text.split(',').map((number) => Number.parseInt(number, 16));

/** Builds an extension of each type; those that the fingerprint looks into have what is given. */
function extensions(types: string, known: Readonly<Record<number, Uint8Array>>): Uint8Array[] {
  return numbers(types).map((type) => known[type] ?? extension(type));
}

describe('the JA4 fingerprint', () => {
  it('is that of the example in its specification', () => {
    const parts = {
      ciphers: numbers('aaaa,1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035'),
      extensions: extensions('7a7a,001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015,1a1a', {
        0: serverName('example.org'),
        16: alpn('h2', 'http/1.1'),
        13: signatureAlgorithms(...numbers('0403,0804,0401,0503,0805,0501,0806,0601')),
        43: supportedVersions(0x2a2a, 0x0304, 0x0303),
      }),
    };
    expect(fingerprint(parts)).toBe('t13d1516h2_8daaf6152771_e5627efa2ab1');
    expect(fingerprint(parts, 'q')).toBe('q13d1516h2_8daaf6152771_e5627efa2ab1');
  });

  it('has no underscore to hash without signature algorithms', () => {
    const types = '0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01';
    expect(fingerprint({ extensions: extensions(types, {}) })).toMatch(/_6d807ffa2a79$/);
  });

  it('has zeros for empty lists', () => {
    expect(fingerprint({ ciphers: [] })).toBe('t12i000000_000000000000_000000000000');
    expect(fingerprint({ ciphers: [0x0a0a], extensions: [serverName('a.b'), alpn('h2'), extension(0xfafa)] })).toBe(
      't12d0002h2_000000000000_000000000000',
    );
  });

  it('is what arkime computes', () => {
    expect(fingerprint({ ciphers: [0x002f] })).toBe('t12i010000_ba72b8082249_000000000000');
    expect(fingerprint({ ciphers: [0x1301, 0x1302], extensions: [extension(10), extension(11)] })).toBe(
      't12i020200_62ed6f6ca7ad_33a13ba74d1c',
    );
  });

  it('counts to 99', () => {
    const many = Array.from({ length: 120 }, (_, index) => index + 1000);
    const parts = { ciphers: many, extensions: many.map((type) => extension(type)) };
    expect(fingerprint(parts)).toMatch(/^t12i999900_/);
  });

  it.each([
    [0x0304, '13'],
    [0x0303, '12'],
    [0x0302, '11'],
    [0x0301, '10'],
    [0x0300, 's3'],
    [0x0002, 's2'],
    [0x7f1c, '00'],
  ])('has a code for version %i', (version, code) => {
    expect(fingerprint({ version })).toMatch(new RegExp(`^t${code}i`));
  });

  it.each([
    ['h2', 'h2'],
    ['http/1.1', 'h1'],
    ['h', 'hh'],
    ['Z-9', 'Z9'],
    ['', '00'],
    ['\xab', 'ab'],
    ['\xab\xcd', 'ad'],
    ['0\xab', '3b'],
    ['01\xab\xcd', '3d'],
    ['0\xab\xcd1', '01'],
  ])('has a code for protocol %j', (protocol, code) => {
    expect(fingerprint({ extensions: [alpn(protocol)] })).toMatch(new RegExp(`^t12i0201${code}_`));
  });

  it('stays the same for other names, protocols of the same ends, and orders', () => {
    const of = (name: string, second: string, types: readonly number[], ciphers: readonly number[]): string =>
      fingerprint({ ciphers, extensions: [serverName(name), alpn('h2', second), ...types.map((type) => extension(type))] });
    expect(of('a.example', 'x', [5, 35, 23], [1, 2, 3])).toBe(of('b.example', 'y', [23, 5, 35], [3, 1, 2]));
    expect(of('a.example', 'x', [5], [1])).not.toBe(of('a.example', 'x', [35], [1]));
  });

  it('depends on the order of the signature algorithms', () => {
    const of = (...algorithms: number[]): string => fingerprint({ extensions: [signatureAlgorithms(...algorithms)] });
    expect(of(0x0403, 0x0804)).not.toBe(of(0x0804, 0x0403));
    expect(of(0x0403, 0x4a4a, 0x0804)).toBe(of(0x0403, 0x0804));
  });
});
