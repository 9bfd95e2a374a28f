import { describe, expect, it } from 'vitest';
import { ClockWatch } from '../../src/cli/clock-watch.js';
import type { LiveClock } from '../../src/live-clock.js';

const START_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;

/** A session's clock and a wall clock that can be set; five seconds pass with each check. */
class Scene {
  readonly told: number[] = [];
  isSynchronised = true;
  offsetMs = 0;
  private nowMs = START_MS;
  private readonly watch = new ClockWatch(
    { nowUs: () => this.nowMs * 1000 } as LiveClock,
    (offsetMs) => this.told.push(Math.round(offsetMs)),
    { wallMs: () => this.nowMs + this.offsetMs, isSynchronised: () => this.isSynchronised, checkMs: 5000 },
  );

  check(times: number): void {
    for (let time = 0; time < times; time++) {
      this.nowMs += 5000;
      this.watch.check();
    }
  }
}

describe('the watch over the wall clock', () => {
  it.each([HOUR_MS, -HOUR_MS, 60_000, 10 * 365 * 24 * HOUR_MS])(
    'tells of a clock that is %i ms off for half a minute',
    (offsetMs) => {
      const scene = new Scene();
      scene.check(20);
      scene.offsetMs = offsetMs;
      scene.check(6);
      expect(scene.told).toEqual([]);
      scene.check(1);
      expect(scene.told).toEqual([offsetMs]);
    },
  );

  it('waits until something keeps the clock right', () => {
    const scene = new Scene();
    scene.isSynchronised = false;
    scene.offsetMs = HOUR_MS;
    scene.check(100);
    expect(scene.told).toEqual([]);
    scene.isSynchronised = true;
    scene.check(6);
    expect(scene.told).toEqual([HOUR_MS]);
  });

  it('says nothing of small steps, of steps that are taken back, and of a clock that jumps about', () => {
    const scene = new Scene();
    scene.offsetMs = 59_000;
    scene.check(20);
    scene.offsetMs = HOUR_MS;
    scene.check(5);
    scene.offsetMs = 0;
    scene.check(20);
    for (let time = 0; time < 20; time++) {
      scene.offsetMs += HOUR_MS;
      scene.check(4);
    }
    expect(scene.told).toEqual([]);
  });
});
