import { describe, expect, it } from 'vitest';
import { LiveTime } from '../../src/capture/live-time.js';
import type { LiveClock } from '../../src/live-clock.js';

const HOUR_US = 3_600e6;
const YEAR_US = 365 * 86_400e6;
const START_US = 1_750_000_000_250_000;

/** A wall clock that can be set, a clock that goes on evenly beside it, and what the kernel stamps. */
class Clocks {
  readonly offsets: number[] = [];
  readonly time: LiveTime;
  private passedUs = 0;
  private setUs = 0;

  constructor() {
    const clock = { nowUs: () => this.liveUs } as LiveClock;
    this.time = new LiveTime(
      clock,
      (offsetUs) => this.offsets.push(offsetUs),
      () => Math.floor(this.wallUs / 1000),
    );
  }

  get liveUs(): number {
    return START_US + this.passedUs;
  }

  get wallUs(): number {
    return this.liveUs + this.setUs;
  }

  pass(us: number): this {
    this.passedUs += us;
    return this;
  }

  set(byUs: number): this {
    this.setUs += byUs;
    return this;
  }

  /** Time of a frame, µs since 1970, that the kernel stamped `agoUs` ago by the clock as it is now. */
  of(agoUs = 0): number {
    return this.ofStamp(this.wallUs - agoUs);
  }

  ofStamp(us: number): number {
    const seconds = Math.floor(us / 1e6);
    const nanoseconds = (us - seconds * 1e6) * 1000 + 7;
    if (this.time.isRight(seconds)) return us;
    this.time.correct(seconds, nanoseconds);
    expect(this.time.nanoseconds % 1000).toBe(7);
    return this.time.seconds * 1e6 + Math.floor(this.time.nanoseconds / 1000);
  }
}

const CASES: [string, number][] = [
  ['an hour ahead', HOUR_US],
  ['an hour back', -HOUR_US],
  ['ten years ahead', 10 * YEAR_US],
  ['to 1970', -START_US],
];

describe('timestamps of a live capture', () => {
  it('are taken as they are while nobody sets the clock', () => {
    const clocks = new Clocks();
    for (let i = 0; i < 100; i++) {
      clocks.pass(90_000).time.refresh();
      expect(clocks.of(1234)).toBe(clocks.liveUs - 1234);
    }
    expect(clocks.offsets).toEqual([]);
  });

  it.each(CASES)('go on evenly when the wall clock is set %s', (_, stepUs) => {
    const clocks = new Clocks();
    clocks.pass(5e6).time.refresh();
    const lastBefore = clocks.wallUs;
    clocks.set(stepUs).pass(50_000);
    // The first frame comes before anybody has looked at the clocks; one from before the step comes behind it.
    expect(Math.abs(clocks.of(20_000) - (clocks.liveUs - 20_000))).toBeLessThan(1000);
    expect(Math.abs(clocks.ofStamp(lastBefore) - (clocks.liveUs - 50_000))).toBeLessThan(1000);
    for (let i = 0; i < 100; i++) {
      clocks.pass(90_000).time.refresh();
      expect(Math.abs(clocks.of() - clocks.liveUs)).toBeLessThan(1000);
    }
    expect(clocks.offsets).toHaveLength(1);
    expect(Math.abs((clocks.offsets[0] as number) - stepUs)).toBeLessThan(1000);
  });

  it('are as they were when the clock is set back to where it was', () => {
    const clocks = new Clocks();
    clocks.set(HOUR_US).time.refresh();
    clocks.pass(60e6).set(-HOUR_US).time.refresh();
    expect(clocks.of(5)).toBe(clocks.liveUs - 5);
    expect(clocks.offsets.at(-1)).toBe(0);
  });

  it('that waited while the machine stood still keep their time', () => {
    const clocks = new Clocks();
    const stamp = clocks.wallUs;
    clocks.pass(45e6);
    expect(clocks.ofStamp(stamp)).toBe(stamp);
    expect(clocks.offsets).toEqual([]);
  });

  it('that are nonsense become those of now', () => {
    const clocks = new Clocks().pass(1e6);
    expect(clocks.ofStamp(0)).toBe(clocks.liveUs);
    expect(clocks.ofStamp(4_294_967_295_000_000)).toBe(clocks.liveUs);
  });
});
