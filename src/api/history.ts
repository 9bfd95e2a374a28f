import { HEALTH_LIMITS } from './health-reasons.js';
import { lostByCard, type Snapshot } from './snapshot.js';

/** What health compares over time. */
export interface HistorySample {
  readonly atMs: number;
  readonly framesReceived: number;
  readonly kernelDropped: number;
  readonly ringFull: number;
  /** By parse worker. */
  readonly framesRefused: readonly number[];
  /** By dead threads. */
  readonly crashed: number;
  readonly busyRetries: number;
  readonly writerRingFull: number;
  readonly addressesOverflowed: number;
  readonly lostByCards: number;
  readonly flowsLost: number;
  readonly flowsShed: number;
  /** In the order of `Snapshot.threads`. */
  readonly restarts: readonly number[];
  readonly areFrameRingsEmpty: boolean;
}

/** How often `HealthHistory.record` is to be called. */
export const SAMPLE_INTERVAL_MS = 1_000;

/** Two more than the longest window needs, since a timer is sometimes early and sometimes late. */
const SAMPLES_MAX = HEALTH_LIMITS.restartWindowMs / SAMPLE_INTERVAL_MS + 2;

/** Reduces a snapshot to what is kept of it. */
export function sampleOf(snapshot: Snapshot): HistorySample {
  return {
    atMs: snapshot.atMs,
    framesReceived: snapshot.ledger.received,
    kernelDropped: snapshot.capture.kernelDropped,
    ringFull: snapshot.drops.ring_full ?? 0,
    framesRefused: snapshot.workers.map((worker) => worker.framesRefused),
    crashed: (snapshot.drops.worker_crash ?? 0) + (snapshot.drops.capture_crash ?? 0),
    busyRetries: snapshot.writer.busyRetries,
    writerRingFull: snapshot.workers.reduce((sum, worker) => sum + worker.writerRingFull, 0),
    addressesOverflowed: snapshot.writer.addressesOverflowed,
    lostByCards: snapshot.links.reduce((sum, link) => sum + lostByCard(link), 0),
    flowsLost: snapshot.writer.lost.flows,
    flowsShed: snapshot.writer.budget.flowsShed,
    restarts: snapshot.threads.map((thread) => thread.restarts),
    areFrameRingsEmpty: snapshot.workers.every((worker) => worker.frameRing.usedBytes === 0),
  };
}

/**
 * The counters of the last five minutes, one sample a second. Bounded: the oldest sample goes when a new one comes.
 *
 * All counters were zero when the session started, so that moment is a sample too. An API thread that replaces another one
 * later starts without history, and tells what happened from then on.
 */
export class HealthHistory {
  private readonly samples: HistorySample[] = [];
  private failingSinceMs: number | null = null;

  /** `sessionStartMs` is the start of the session on the monotonic clock. */
  constructor(readonly sessionStartMs: number) {}

  record(snapshot: Snapshot): void {
    if (this.samples.length === SAMPLES_MAX) this.samples.shift();
    this.samples.push(sampleOf(snapshot));
    if (!snapshot.writer.isWriteFailing) this.failingSinceMs = null;
    else this.failingSinceMs ??= snapshot.atMs;
  }

  /** The newest sample that is at least `windowMs` older than `nowMs`; null when the history starts later. */
  before(nowMs: number, windowMs: number): HistorySample | null {
    for (let index = this.samples.length - 1; index >= 0; index--) {
      const sample = this.samples[index] as HistorySample;
      if (nowMs - sample.atMs >= windowMs) return sample;
    }
    return null;
  }

  /**
   * How much a counter has grown within `windowMs`, from `now` back. Where the history is shorter than the window, from the
   * start of the session if that lies within it, else from the oldest sample.
   */
  growth(now: HistorySample, windowMs: number, counter: (sample: HistorySample) => number): number {
    const before = this.before(now.atMs, windowMs);
    if (before) return counter(now) - counter(before);
    if (now.atMs - this.sessionStartMs <= windowMs) return counter(now);
    return counter(now) - counter(this.samples[0] ?? now);
  }

  /** For how long the samples go back, in ms; 0 when there is none. */
  lengthMs(nowMs: number): number {
    return nowMs - (this.samples[0]?.atMs ?? nowMs);
  }

  /** For how long every write had failed when a sample was taken, in ms; 0 when the last one did not fail. */
  writeFailingMs(nowMs: number): number {
    return this.failingSinceMs === null ? 0 : nowMs - this.failingSinceMs;
  }
}
