import { describe, expect, it } from 'vitest';
import { WallClock } from '../../src/capture/wall-clock.js';

/** A clock whose true time is `time.ms`; its wall clock shows whole ms, shifted by `time.stepMs`. */
function clockOn(time: { ms: number; stepMs: number }): { clock: WallClock; read: () => number } {
  const clock = new WallClock(
    () => Math.floor(time.ms + time.stepMs),
    () => time.ms - 1000,
  );
  const read = (): number => {
    clock.read();
    return clock.seconds * 1000 + clock.nanoseconds / 1e6;
  };
  return { clock, read };
}

describe('WallClock', () => {
  it('stays within a millisecond of the wall clock, never goes back, and moves between milliseconds', () => {
    const time = { ms: 1_700_000_000_000.9, stepMs: 0 };
    const { read } = clockOn(time);
    let last = read();
    const readings = new Set([last]);
    for (let index = 0; index < 5000; index++) {
      time.ms += 0.1;
      const now = read();
      expect(Math.abs(now - time.ms)).toBeLessThanOrEqual(1);
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
      readings.add(now);
    }
    expect(readings.size).toBeGreaterThan(4000);
  });

  it.each([3_600_000, -3_600_000, 86_400_000 * 365])('follows at once when the wall clock is set by %d ms', (stepMs) => {
    const time = { ms: 1_700_000_000_000.5, stepMs: 0 };
    const { read } = clockOn(time);
    read();
    time.stepMs = stepMs;
    time.ms += 0.25;
    expect(Math.abs(read() - (time.ms + stepMs))).toBeLessThanOrEqual(1);
  });

  it('gives nanoseconds below a second', () => {
    const time = { ms: 1_700_000_000_999.9998, stepMs: 0 };
    const { clock, read } = clockOn(time);
    for (let index = 0; index < 1000; index++) {
      read();
      expect(Number.isInteger(clock.seconds)).toBe(true);
      expect(clock.nanoseconds).toBeGreaterThanOrEqual(0);
      expect(clock.nanoseconds).toBeLessThan(1e9);
      time.ms += 0.01;
    }
  });
});
