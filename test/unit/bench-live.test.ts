import { describe, expect, it } from 'vitest';
import { type LiveResult, ledgerDifferenceOf, losslessRates } from '../../bench/live/live-result.js';
import { liveOptionsOf } from '../../bench/live/options.js';
import { Pace } from '../../bench/live/pace.js';
import { quantileOf, slopeOf } from '../../bench/live/soak.js';

const NAMES = ['flowberry-afpacket', 'tcpdump'];

describe('flags of bench live', () => {
  it('give rates in packets per second, as they are written', () => {
    expect(liveOptionsOf({ rates: '2500,10k,1M,top' }, NAMES).rates).toEqual([2500, 10_000, 1_000_000, 'top']);
  });

  it('have defaults', () => {
    expect(liveOptionsOf({}, NAMES)).toMatchObject({
      rates: [10_000, 50_000, 100_000, 200_000, 'top'],
      seconds: 10,
      count: null,
      sender: 'own',
      only: null,
      soakMinutes: null,
      capture: { packets: 200_000, flows: 20_000 },
    });
    expect(liveOptionsOf({ soak: '30' }, NAMES)).toMatchObject({ soakMinutes: 30, rates: [5000] });
  });

  it.each([
    [{ rates: '10k,fast' }, 'fast is no rate'],
    [{ rates: '0' }, '0 is no rate'],
    [{ seconds: '0' }, '--seconds 0 is not from 1'],
    [{ sender: 'trafgen' }, 'neither own nor tcpreplay'],
    [{ only: 'tcpdump,snort' }, '--only snort'],
    [{ file: 'x.pcap', packets: '5' }, 'do not go with --file'],
    [{ soak: '1', rates: '1k' }, '--soak goes with --rate'],
    [{ rate: '1k' }, '--rate goes with --soak'],
  ])('refuse %j', (flags, message) => {
    expect(() => liveOptionsOf(flags, NAMES)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
    );
  });
});

describe('the pace of the sender', () => {
  it('makes packets due as time goes by, those that were sent excepted', () => {
    const pace = new Pace(10_000, 1000);
    expect(pace.due(1000)).toBe(0);
    expect(pace.due(1001)).toBe(10);
    pace.count(10);
    expect(pace.due(1001)).toBe(0);
    expect(pace.due(1003.5)).toBe(25);
  });

  it('catches up 20 ms at most, and goes on at its rate from there', () => {
    const pace = new Pace(10_000, 0);
    expect(pace.due(5000)).toBe(200);
    pace.count(200);
    expect(pace.due(5000)).toBe(0);
    expect(pace.due(5010)).toBe(100);
  });

  it('sends a packet at a time at the lowest rates', () => {
    const pace = new Pace(1, 0);
    expect([pace.due(999), pace.due(1000), pace.due(60_000)]).toEqual([0, 1, 1]);
  });

  it('knows no bounds at top speed', () => {
    expect(new Pace(Number.POSITIVE_INFINITY, 0).due(0)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('figures', () => {
  it('have a slope by least squares', () => {
    expect(slopeOf([0, 1, 2, 3].map((x) => [x, 5 + 2 * x] as const))).toBeCloseTo(2);
    expect(
      slopeOf([
        [0, 0],
        [1, 3],
        [2, 0],
      ]),
    ).toBeCloseTo(0);
    expect(slopeOf([[4, 4]])).toBe(0);
    expect(slopeOf([])).toBe(0);
  });

  it('have quantiles', () => {
    const samples = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect([quantileOf(samples, 0.99), quantileOf(samples, 1), quantileOf([], 0.99)]).toEqual([198, 200, 0]);
  });

  it('tell the highest rate at which nothing was lost', () => {
    const run = (program: string, sent_per_s: number, lost: number): LiveResult => ({ program, sent_per_s, lost }) as LiveResult;
    const results = [run('a', 10, 0), run('b', 10, 1), run('a', 50, 0), run('b', 50, 7), run('a', 90, 3)];
    expect(losslessRates(results)).toEqual({ a: 50, b: null });
  });

  it('add up what the sides of a ledger differ by, whichever has more', () => {
    const ledger = { arrived_less_kernel: 0, kernel_less_received: 2, received_less_ledger: -2, ledger_less_rows: 0 };
    expect(ledgerDifferenceOf(ledger)).toBe(4);
  });
});
