import { describe, expect, it } from 'vitest';

/** The page's modules are plain JavaScript, as browsers run them. */
interface Format {
  bytes(value: number): string;
  bitRate(value: number): string;
  shortCount(value: number): string;
  percent(part: number, all: number): string;
  duration(us: number | null): string;
  endpoint(ip: string, port: number): string;
}
const folder = new URL('../../src/api/dashboard/', import.meta.url);
const format = (await import(new URL('format.js', folder).href)) as Format;
const { parseFilter } = (await import(new URL('filter.js', folder).href)) as {
  parseFilter(text: string): Record<string, string | number>;
};

describe('figures of the dashboard', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [12_345, '12.3 kB'],
    [999_600, '1.00 MB'],
    [5e15, '5.00 PB'],
    [5e18, '5000 PB'],
  ])('%i bytes are %s', (value, text) => expect(format.bytes(value)).toBe(text));

  it.each([
    [null, '–'],
    [0, '0 µs'],
    [1500, '1.5 ms'],
    [25_000, '25 ms'],
    [1_500_000, '1.5 s'],
    [90e6, '1 min 30 s'],
    [7260e6, '2 h 1 min'],
    [3 * 86_400e6, '3.0 days'],
  ])('%s µs are %s', (us, text) => expect(format.duration(us)).toBe(text));

  it('have units and separators', () => {
    expect(format.bitRate(1e6)).toBe('1.00 Mbit/s');
    expect([format.shortCount(99_999), format.shortCount(1_234_567)]).toEqual(['99,999', '1.23 M']);
    expect([format.percent(1, 3), format.percent(1, 200), format.percent(0, 0)]).toEqual(['33 %', '0.5 %', '–']);
    expect([format.endpoint('2001:db8::1', 443), format.endpoint('192.0.2.1', 0)]).toEqual(['[2001:db8::1]:443', '192.0.2.1']);
  });
});

describe('the search of the dashboard', () => {
  it.each([
    ['', {}],
    ['192.0.2.1', { ip: '192.0.2.1' }],
    ['2001:db8::1', { ip: '2001:db8::1' }],
    ['10.0.0.0/8 udp 53', { net: '10.0.0.0/8', protocol: 17, port: '53' }],
    ['*.Example.org', { name: '*.example.org' }],
    ['tls', { application: 'tls' }],
    ['02:00:00:00:00:01', { device: '02:00:00:00:00:01' }],
    ['device:02:00:00:00:00:01', { device: '02:00:00:00:00:01' }],
    ['name:localhost app:http', { name: 'localhost', application: 'http' }],
    ['constructor', { application: 'constructor' }],
    ['toString:1', { application: 'tostring:1' }],
    ['constructor:1 tcp', { application: 'constructor:1', protocol: 6 }],
    ['ip:2001:db8::1 bytes:1000', { ip: '2001:db8::1', bytes_min: '1000' }],
  ])('%s', (text, parameters) => expect(parseFilter(text)).toEqual(parameters));

  it('has each thing once', () => {
    expect(() => parseFilter('192.0.2.1 192.0.2.2')).toThrow('Only one ip at a time.');
  });
});
