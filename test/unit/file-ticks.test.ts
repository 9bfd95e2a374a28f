import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TickClock } from '../../src/capture/file-ticks.js';

/** The same in whole numbers of any size. */
function expected(ticks: bigint, resolution: number, offsetSeconds: number): [number, number] {
  const perSecond = (resolution & 0x80 ? 2n : 10n) ** BigInt(resolution & 0x7f);
  const seconds = ticks / perSecond + BigInt(offsetSeconds);
  const held = seconds > 0xffff_ffffn ? 0xffff_ffffn : seconds < 0n ? 0n : seconds;
  return [Number(held), Number(((ticks % perSecond) * 1_000_000_000n) / perSecond)];
}

function converted(ticks: bigint, resolution: number, offsetSeconds = 0): [number, number] {
  const clock = new TickClock(resolution, offsetSeconds);
  clock.convert(Number(ticks >> 32n), Number(ticks & 0xffff_ffffn));
  return [clock.seconds, clock.nanoseconds];
}

const binary = (exponent: number): number => 0x80 | exponent;

describe('ticks of a capture', () => {
  it('of usual resolutions are exact', () => {
    expect(converted(1_700_000_000_123_456n, 6)).toEqual([1_700_000_000, 123_456_000]);
    expect(converted(1_700_000_000_123_456_789n, 9)).toEqual([1_700_000_000, 123_456_789]);
    expect(converted(1_700_000_000_999n, 3)).toEqual([1_700_000_000, 999_000_000]);
    expect(converted(1_700_000_000n, 0)).toEqual([1_700_000_000, 0]);
    expect(converted((1_700_000_000n << 32n) | 0x8000_0000n, binary(32))).toEqual([1_700_000_000, 500_000_000]);
  });

  it('finer than a nanosecond are rounded down', () => {
    expect(converted(1_999_999_999_999n, 12)).toEqual([1, 999_999_999]);
    expect(converted(2n ** 64n - 1n, 127)).toEqual([0, 0]);
  });

  it('are moved by the offset and held within what a frame can say', () => {
    expect(converted(5_000_000n, 6, 1_700_000_000)).toEqual([1_700_000_005, 0]);
    expect(converted(5_000_000n, 6, -10)).toEqual([0, 0]);
    expect(converted(2n ** 64n - 1n, 0)).toEqual([0xffff_ffff, 0]);
  });

  it('of any resolution are what whole numbers give', () => {
    const ticks = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      // Just before and at the turn of a second, where a rounded quotient would be wrong.
      fc
        .tuple(fc.integer({ min: 0, max: 2 ** 32 }), fc.integer({ min: 0, max: 18 }), fc.integer({ min: -2, max: 2 }))
        .map(([seconds, power, delta]) => BigInt.asUintN(64, BigInt(seconds) * 10n ** BigInt(power) + BigInt(delta))),
    );
    fc.assert(
      fc.property(
        ticks,
        fc.integer({ min: 0, max: 255 }),
        fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
        (count, resolution, offset) => {
          expect(converted(count, resolution, offset)).toEqual(expected(count, resolution, offset));
        },
      ),
      { numRuns: 5000 },
    );
  });
});
