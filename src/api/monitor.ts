import type { Config } from '../config.js';
import type { PipelineMemory, Session } from '../messages.js';
import { monotonicMs } from '../ring/thread-block.js';
import { type Health, judge, unreadiness } from './health.js';
import { type HealthFrame, healthBody } from './health-body.js';
import { HealthHistory } from './history.js';
import { lossesOf } from './losses.js';
import type { MetricInput } from './metric-entry.js';
import { Placements } from './placement.js';
import type { HealthBody } from './schema.js';
import type { Snapshot } from './snapshot.js';
import { SnapshotReader } from './snapshot-reader.js';
import { readVersion } from './version.js';

/** What the API serves. */
export interface MonitorOptions {
  readonly memory: PipelineMemory;
  readonly session: Session;
  readonly config: Config;
  /** Monotonic clock in ms; given by tests. */
  readonly nowMs?: () => number;
}

/** Watches the pipeline through its shared memory: a sample a second, and an answer whenever somebody asks. */
export class Monitor {
  private readonly reader: SnapshotReader;
  private readonly placements = new Placements();
  private readonly history: HealthHistory;
  private readonly frame: HealthFrame;
  private readonly isLive: boolean;
  private readonly busyTimeoutMs: number;
  private readonly nowMs: () => number;

  constructor({ memory, session, config, nowMs = monotonicMs }: MonitorOptions) {
    this.nowMs = nowMs;
    this.reader = new SnapshotReader(memory, session);
    this.isLive = session.mode === 'live';
    this.busyTimeoutMs = config.dbBusyTimeoutMs;
    this.history = new HealthHistory(session.startedMonotonicMs);
    this.frame = { version: readVersion(), session, config };
    this.sample();
  }

  /** Remembers the counters of this moment and where the threads run. To be called every `SAMPLE_INTERVAL_MS`. */
  sample(): void {
    const snapshot = this.snapshot();
    this.history.record(snapshot);
    this.placements.refresh(snapshot.threads.flatMap((thread) => thread.taskId ?? []));
  }

  health(): HealthBody {
    const snapshot = this.snapshot();
    const losses = lossesOf(snapshot, this.history);
    return healthBody(this.frame, snapshot, this.judge(snapshot), losses, (taskId) => this.placements.of(taskId));
  }

  /** Why packets are not taken and stored, or null when they are. */
  unreadiness(): string | null {
    return unreadiness(this.snapshot());
  }

  metricInput(): MetricInput {
    const snapshot = this.snapshot();
    return {
      version: this.frame.version,
      startedUs: this.frame.session.startedUs,
      snapshot,
      health: this.judge(snapshot),
    };
  }

  /** The clock of the session, µs since 1970. */
  nowUs(): number {
    const { startedUs, startedMonotonicMs } = this.frame.session;
    return startedUs + Math.floor((this.nowMs() - startedMonotonicMs) * 1000);
  }

  /** The pipeline as it is now. */
  snapshot(): Snapshot {
    return this.reader.read(this.nowMs());
  }

  judge(snapshot: Snapshot): Health {
    const { isLive, busyTimeoutMs, history } = this;
    return judge(snapshot, { isLive, busyTimeoutMs, history });
  }
}
