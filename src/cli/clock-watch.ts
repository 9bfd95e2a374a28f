import { libcFunction } from '../libc.js';
import type { LiveClock } from '../live-clock.js';

/** What a wall clock may be off by before it is worth a new session, ms. */
const OFF_MS_MIN = 60_000;
/** The clock must have stood still, beside the session's, for so many checks: half a minute. */
const STEADY_CHECKS = 6;
const STEADY_MS = 1000;
/** What adjtimex(2) answers for a clock that nothing keeps right. */
const TIME_ERROR = 5;
/** `struct timex` of Linux has 208 bytes on 64-bit machines; its first field, zero, asks for nothing but the state. */
const TIMEX_BYTES = 256;

/** Whether the kernel knows that something keeps its clock right, such as NTP (adjtimex(2)); false outside Linux. */
function isClockSynchronised(): boolean {
  if (process.platform !== 'linux') return false;
  const state = libcFunction('int adjtimex(void *buffer)')(new Uint8Array(TIMEX_BYTES));
  return state >= 0 && state < TIME_ERROR;
}

/** Where the clocks are read. */
export interface Clocks {
  /** ms since 1970. */
  readonly wallMs: () => number;
  readonly isSynchronised: () => boolean;
  /** Between two comparisons. */
  readonly checkMs: number;
}

export const SYSTEM_CLOCKS: Clocks = { wallMs: Date.now, isSynchronised: isClockSynchronised, checkMs: 5000 };

/**
 * Finds out that a session goes by a wrong clock. A Raspberry Pi without a battery starts with the time of its last stop, and learns the
 * right one from the network later; the session's clock does not follow. A new session is then wanted, but only once the wall clock is
 * a minute off or more, is kept right by something, and has not been set for half a minute: what somebody sets by hand, or a clock
 * that jumps about, begins no sessions.
 */
export class ClockWatch {
  private offsetMs = 0;
  private steadyChecks = 0;
  private timer: NodeJS.Timeout | undefined;

  /** `clock` is that of the session; `onWrong` is told once what the wall clock is ahead of it, in ms. */
  constructor(
    private readonly clock: LiveClock,
    private readonly onWrong: (offsetMs: number) => void,
    private readonly clocks: Clocks,
  ) {}

  /** Checks every few seconds, without keeping the process alive. */
  start(): void {
    this.timer = setInterval(() => this.check(), this.clocks.checkMs);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** One comparison of the clocks. */
  check(): void {
    const offsetMs = this.clocks.wallMs() - this.clock.nowUs() / 1000;
    const isSteady = Math.abs(offsetMs - this.offsetMs) < STEADY_MS;
    this.offsetMs = offsetMs;
    if (Math.abs(offsetMs) < OFF_MS_MIN || !isSteady || !this.clocks.isSynchronised()) {
      this.steadyChecks = 0;
      return;
    }
    if (++this.steadyChecks < STEADY_CHECKS) return;
    this.stop();
    this.steadyChecks = 0;
    this.onWrong(offsetMs);
  }
}
