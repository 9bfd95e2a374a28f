import { describe, expect, it } from 'vitest';

/** The page's modules are plain JavaScript, as browsers run them. */
interface Format {
  bytes(value: number): string;
  bitRate(value: number): string;
  shortCount(value: number): string;
  percent(part: number, all: number): string;
  duration(us: number | null): string;
  endpoint(ip: string, port: number): string;
  tick(text: string): string;
  protocol(number: number): string;
  moment(us: number | null, nowUs?: number): string;
  ago(us: number, nowUs?: number): string;
  clock(ticks: readonly number[], spanS: number): string[];
}
interface Chart {
  rates(points: readonly object[], member: string, stepUs: number, reachesUs: number | null): (number | null)[];
  incompleteSpans(points: readonly object[], stepUs: number): number[][];
}
const folder = new URL('../../src/api/dashboard/', import.meta.url);
const format = (await import(new URL('format.js', folder).href)) as Format;
const { rates, incompleteSpans } = (await import(new URL('chart.js', folder).href)) as Chart;
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

describe('times of the dashboard', () => {
  const noon = new Date(2026, 2, 9, 12, 5, 7).getTime() * 1000;
  const HOUR_US = 3600e6;

  it('have the date unless it is that of today', () => {
    expect(format.moment(noon, noon + HOUR_US)).toBe('12:05:07');
    expect(format.moment(noon, noon + 24 * HOUR_US)).toBe('2026-03-09 12:05:07');
    expect(format.moment(null)).toBe('–');
  });

  it.each([
    [59e6, 'just now'],
    [60e6, '1 min ago'],
    [HOUR_US, '1 h ago'],
    [48 * HOUR_US, '2 days ago'],
    [-1, 'just now'],
  ])('%i µs ago are "%s"', (us, text) => expect(format.ago(noon - us, noon)).toBe(text));

  it.each([
    [600, ['12:05:07', '00:00:00']],
    [86_400, ['12:05', '00:00']],
    [7 * 86_400, ['12:05', '03-09']],
    [30 * 86_400, ['03-09', '03-09']],
  ])('stand at an axis of %i s', (spanS, texts) => {
    expect(format.clock([noon / 1e6, new Date(2026, 2, 9).getTime() / 1000], spanS)).toEqual(texts);
  });
});

describe('charts of the dashboard', () => {
  it('have rates as far as sums reach, and none of less than a fifth of a step', () => {
    const points = [0, 60e6, 120e6].map((start_us) => ({ start_us, bytes: 600 }));
    expect(rates(points, 'bytes', 60e6, 180e6)).toEqual([10, 10, 10]);
    expect(rates(points, 'bytes', 60e6, 150e6)).toEqual([10, 10, 20]);
    expect(rates(points, 'bytes', 60e6, 131e6)).toEqual([10, 10, null]);
    expect(rates(points, 'bytes', 60e6, null)).toEqual([null, null, null]);
  });

  it('know which steps lack packets', () => {
    const points = [true, false].map((complete, index) => ({ start_us: index * 60e6, complete }));
    expect(incompleteSpans(points, 60e6)).toEqual([[60, 120]]);
  });

  it('have ticks without noughts, and protocols with names', () => {
    expect(['50.0 kbit/s', '1.50 ms', '100 B'].map(format.tick)).toEqual(['50 kbit/s', '1.5 ms', '100 B']);
    expect([6, 58, 200].map(format.protocol)).toEqual(['TCP', 'ICMPv6', 'IP 200']);
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
    ['net:2001:db8::/32 port:53 vlan:7', { net: '2001:db8::/32', port: '53', vlan_id: '7' }],
    ['interface:eth0 end:idle APPLICATION:tls', { interface: 'eth0', end_reason: 'idle', application: 'tls' }],
  ])('%s', (text, parameters) => expect(parseFilter(text)).toEqual(parameters));

  it('knows protocols by their names', () => {
    const protocols = { icmp: 1, igmp: 2, tcp: 6, udp: 17, gre: 47, esp: 50, icmpv6: 58, SCTP: 132 };
    for (const [name, protocol] of Object.entries(protocols)) expect(parseFilter(name)).toEqual({ protocol });
  });

  it('has each thing once', () => {
    expect(() => parseFilter('192.0.2.1 192.0.2.2')).toThrow('Only one ip at a time.');
  });
});
