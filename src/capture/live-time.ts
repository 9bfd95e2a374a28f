import type { LiveClock } from '../live-clock.js';

const US_PER_S = 1_000_000;
const US_PER_MS = 1000;
/** The wall clock was set when it is off by so much more than before; what is less is left as it is. */
const STEP_US_MIN = US_PER_S;
/** A stamp so close to now needs no look at the clocks. */
const NEAR_S = 2;
/** Frames wait in the kernel's buffer, while the machine stands still for example; and stamps are a little ahead at most. */
const BEHIND_US_MAX = 60 * US_PER_S;
const AHEAD_US_MAX = NEAR_S * US_PER_S;
/** Two clocks that could not be read closer together than this tell nothing about each other. */
const READ_APART_US_MAX = 100 * US_PER_MS;

/**
 * Takes the steps of the wall clock out of the timestamps of a live capture. The kernel stamps frames by the wall clock, which may be
 * set at any time, by an hour or by fifty years; flows are timed by `LiveClock`, which goes on evenly. So a stamp is moved by what the
 * two clocks are apart: durations and round trips are right across a step, and no flow ends before it starts.
 */
export class LiveTime {
  /** The stamp as `correct` left it. */
  seconds = 0;
  nanoseconds = 0;
  /** Wall clock less live clock, µs; 0 while it is less than a second. */
  private offsetUs = 0;
  /** The same before the last step: frames from before it may still come. */
  private offsetBeforeUs = 0;
  private nowUs = 0;
  private secondsMin = Number.POSITIVE_INFINITY;
  private secondsMax = Number.NEGATIVE_INFINITY;

  /** `onStep` is told, after the wall clock was set, how far it now is from the live clock, in µs. */
  constructor(
    private readonly clock: LiveClock,
    private readonly onStep: (offsetUs: number) => void,
    private readonly wallMs: () => number = Date.now,
  ) {
    this.refresh();
  }

  /** Whether a stamp of this second can be taken as it is. */
  isRight(seconds: number): boolean {
    return seconds >= this.secondsMin && seconds <= this.secondsMax;
  }

  /** Compares the clocks. To be called several times a second. */
  refresh(): void {
    const beforeUs = this.clock.nowUs();
    const wallUs = this.wallMs() * US_PER_MS;
    this.nowUs = this.clock.nowUs();
    if (this.nowUs - beforeUs <= READ_APART_US_MAX) this.compare(wallUs - beforeUs);
    const isShifted = this.offsetUs !== 0;
    this.secondsMin = isShifted ? Number.POSITIVE_INFINITY : Math.floor(this.nowUs / US_PER_S) - NEAR_S;
    this.secondsMax = isShifted ? Number.NEGATIVE_INFINITY : Math.floor(this.nowUs / US_PER_S) + NEAR_S - 1;
  }

  /** Moves a stamp to where the live clock would have put it; the answer is in `seconds` and `nanoseconds`. Allocates nothing. */
  correct(seconds: number, nanoseconds: number): void {
    const stampUs = seconds * US_PER_S + Math.floor(nanoseconds / 1000);
    if (!this.isPossible(stampUs - this.offsetUs)) this.refresh();
    let us = stampUs - this.offsetUs;
    if (!this.isPossible(us)) {
      us = stampUs - this.offsetBeforeUs;
      if (!this.isPossible(us)) us = this.nowUs;
    }
    if (us < 0) us = 0;
    this.seconds = Math.floor(us / US_PER_S);
    this.nanoseconds = (us - this.seconds * US_PER_S) * 1000 + (nanoseconds % 1000);
  }

  private isPossible(us: number): boolean {
    return us >= this.nowUs - BEHIND_US_MAX && us <= this.nowUs + AHEAD_US_MAX;
  }

  private compare(apartUs: number): void {
    const offsetUs = Math.abs(apartUs) < STEP_US_MIN ? 0 : apartUs;
    if (Math.abs(offsetUs - this.offsetUs) < STEP_US_MIN) return;
    this.offsetBeforeUs = this.offsetUs;
    this.offsetUs = offsetUs;
    this.onStep(offsetUs);
  }
}
