import { describe, expect, it } from 'vitest';
import { type BenchFlags, benchOptionsOf } from '../../bench/options.js';

const options = (flags: BenchFlags) => benchOptionsOf(flags, ['ring', 'decode', 'pipeline'], 'pipeline');

describe('bench options', () => {
  it('measure two million packets in 200,000 flows by default', () => {
    expect(options({})).toMatchObject({
      capture: { packets: 2_000_000, flows: 200_000, seed: 1 },
      runs: 5,
      only: null,
      file: null,
    });
  });

  it('keep the usual proportion where one of packets and flows is given', () => {
    expect(options({ packets: '1_000' }).capture).toMatchObject({ packets: 1000, flows: 100 });
    expect(options({ packets: '5' }).capture).toMatchObject({ packets: 5, flows: 1 });
    expect(options({ flows: '300' }).capture).toMatchObject({ packets: 3000, flows: 300 });
    expect(options({ packets: '70', flows: '60' }).capture).toMatchObject({ packets: 70, flows: 60 });
  });

  it('take several cases', () => {
    expect(options({ only: 'ring,pipeline' }).only).toEqual(['ring', 'pipeline']);
  });

  it.each([
    [{ packets: 'many' }, '--packets many'],
    [{ packets: '-5' }, '--packets -5'],
    [{ packets: '10', flows: '11' }, 'more flows than packets'],
    [{ packets: '0' }, 'packets must be'],
    [{ runs: '0' }, '--runs 0'],
    [{ only: 'rings' }, 'ring, decode, pipeline'],
    [{ file: 'a.pcap', packets: '10' }, '--file'],
    [{ peers: true, only: 'ring' }, '--peers'],
  ])('%j are refused', (flags, part) => {
    expect(() => options(flags)).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(part) }));
  });
});
