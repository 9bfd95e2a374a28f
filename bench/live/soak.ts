import { statSync } from 'node:fs';
import { join } from 'node:path';
import { HEALTH_URL } from './live-flowberry.js';
import type { LiveProgram } from './live-program.js';
import type { SoakResult } from './live-result.js';
import { bytesWrittenBy, descriptorsOf, memoryBytesOf } from './process-figures.js';
import type { Rig } from './rig.js';
import { runOnce } from './run-once.js';
import type { Running } from './running.js';
import type { LoadedSender } from './senders.js';

const SAMPLE_MS = 1000;
const HEALTH_DEADLINE_MS = 5000;
/** The first part of a soak, in which memory still grows to its size. */
const WARM_UP_SHARE = 0.2;
const MB = 1e6;
const MS_PER_MIN = 60_000;

interface Sample {
  readonly atMs: number;
  readonly rssBytes: number;
  readonly descriptors: number;
  readonly walBytes: number;
}

/** Slope of `y` over `x` by least squares; 0 with fewer than two points. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const meanX = mean(([x]) => x);
  const meanY = mean(([, y]) => y);
  let products = 0;
  let squares = 0;
  for (const [x, y] of points) {
    products += (x - meanX) * (y - meanY);
    squares += (x - meanX) ** 2;
  }
  return squares === 0 ? 0 : products / squares;
}

/** The value that `part` of the samples do not exceed; 0 without samples. */
export function quantileOf(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0;
}

/** Looks at a program every second: its memory, descriptors, files, and how fast it answers. */
class SoakWatch {
  readonly samples: Sample[] = [];
  readonly healthMs: number[] = [];
  healthFailures = 0;
  bytesWritten = 0;
  private readonly bytesWrittenBefore: number;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly pid: number,
    private readonly walPath: string,
  ) {
    this.bytesWrittenBefore = bytesWrittenBy(pid);
    this.timer = setInterval(() => this.sample(), SAMPLE_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private sample(): void {
    const { pid } = this;
    this.samples.push({
      atMs: performance.now(),
      rssBytes: memoryBytesOf(pid, 'VmRSS'),
      descriptors: descriptorsOf(pid),
      walBytes: statSync(this.walPath, { throwIfNoEntry: false })?.size ?? 0,
    });
    this.bytesWritten = bytesWrittenBy(pid) - this.bytesWrittenBefore;
    void this.askHealth();
  }

  private async askHealth(): Promise<void> {
    const startMs = performance.now();
    try {
      const answer = await fetch(HEALTH_URL, { signal: AbortSignal.timeout(HEALTH_DEADLINE_MS) });
      await answer.arrayBuffer();
      if (!answer.ok) this.healthFailures++;
      this.healthMs.push(performance.now() - startMs);
    } catch {
      this.healthFailures++;
    }
  }
}

/** Runs flowberry for a long time and tells whether anything grows. Throws when it fails. */
export async function soak(rig: Rig, program: LiveProgram, sender: LoadedSender, minutes: number): Promise<SoakResult> {
  let watch: SoakWatch | null = null;
  const outcome = await runOnce(rig, program, rig.directory, sender, (running: Running) => {
    const watching = new SoakWatch(running.pid, join(rig.directory, 'flowberry.db-wal'));
    watch = watching;
    return watching;
  });
  const { samples, healthMs, healthFailures, bytesWritten } = watch as unknown as SoakWatch;
  const { sent, counts } = outcome;
  const values = (of: (sample: Sample) => number): number[] => samples.map(of);
  const rss = values(({ rssBytes }) => rssBytes);
  const descriptors = values((sample) => sample.descriptors);
  const steady = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  return {
    program: program.name,
    minutes,
    sent: sent.packets,
    sent_per_s: sent.packets / sent.seconds,
    stored: counts.stored,
    lost: sent.packets - counts.stored - counts.ignored,
    cores_used: outcome.cpuWhileSendingUs / (sent.seconds * 1e6),
    samples: samples.length,
    rss_mb_per_min: slopeOf(steady.map(({ atMs, rssBytes }) => [atMs / MS_PER_MIN, rssBytes / MB])),
    rss_bytes_min: Math.min(...rss),
    rss_bytes_max: Math.max(...rss),
    descriptors_min: Math.min(...descriptors),
    descriptors_max: Math.max(...descriptors),
    wal_bytes_max: Math.max(...values(({ walBytes }) => walBytes)),
    disk_bytes_written: bytesWritten,
    disk_mb_per_min: bytesWritten / MB / (sent.seconds / 60),
    health_answers: healthMs.length,
    health_failures: healthFailures,
    health_ms_p99: quantileOf(healthMs, 0.99),
    health_ms_max: quantileOf(healthMs, 1),
    ledger: counts.ledger,
  };
}
