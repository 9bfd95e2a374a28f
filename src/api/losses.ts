import { type HealthHistory, type HistorySample, sampleOf } from './history.js';
import type { Snapshot } from './snapshot.js';

/** Packets that were lost at one place, since the session began and within the last minute. */
export interface Loss {
  readonly where: string;
  readonly packets: number;
  readonly last_minute_packets: number;
}

const MINUTE_MS = 60_000;

/** What was lost, place by place, in the order in which packets come by. */
export function lossesOf(snapshot: Snapshot, history: HealthHistory): Loss[] {
  const now = sampleOf(snapshot);
  const loss = (where: string, counter: (sample: HistorySample) => number): Loss => ({
    where,
    packets: counter(now),
    last_minute_packets: Math.max(0, history.growth(now, MINUTE_MS, counter)),
  });
  return [
    loss('nic', (sample) => sample.lostByCards),
    loss('kernel', (sample) => sample.kernelDropped),
    ...now.framesRefused.map((_, index) => loss(`ring-${index}`, (sample) => sample.framesRefused[index] ?? 0)),
    loss('crash', (sample) => sample.crashed),
  ];
}
