/** How far a sender may fall behind and still catch up: more would be a burst that the rate does not describe. */
const CATCH_UP_MS_MAX = 20;
const MS_PER_S = 1000;

/** Says how many packets are due at a rate. Time is given in ms by the caller. */
export class Pace {
  private sent = 0;
  private originMs: number;

  /** `perS`: packets per second; `Infinity` for as many as can be. */
  constructor(
    private readonly perS: number,
    startMs: number,
  ) {
    this.originMs = startMs;
  }

  /** Packets that should have been sent by now and were not. */
  due(nowMs: number): number {
    if (this.perS === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    const due = Math.floor(((nowMs - this.originMs) * this.perS) / MS_PER_S) - this.sent;
    const dueMax = Math.max(1, (CATCH_UP_MS_MAX * this.perS) / MS_PER_S);
    if (due > dueMax) this.originMs += ((due - dueMax) * MS_PER_S) / this.perS;
    return Math.floor(Math.min(due, dueMax));
  }

  count(packets: number): void {
    this.sent += packets;
  }
}
