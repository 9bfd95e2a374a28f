import { statSync } from 'node:fs';
import { Cell } from '../../src/ring/thread-block.js';
import type { Writer } from '../../src/store/writer.js';
import { flow, NOW_MS, type WriterRig } from './flow-records.js';
import { dns } from './name-records.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Traffic of many days through a writer, in as much time as it takes to write it. */
export interface TimeLapse {
  readonly days: number;
  readonly flowsPerDay: number;
  /** Times a day at which the writer and its chores have their turn. */
  readonly stepsPerDay: number;
}

/** What was seen while the days passed. */
export interface TimeLapseResult {
  readonly nowMs: number;
  readonly flows: number;
  readonly packets: number;
  /** Bytes of the file and its log at most, after any step of the writer. */
  readonly bytesMax: number;
  /** Longest step of a chore, ms. */
  readonly stepMsMax: number;
}

/** Bytes of the database file and its write-ahead log. */
export function bytesOf(path: string): number {
  return statSync(path).size + (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0);
}

/** Lets the days pass: flows and names, evenly over the day, to devices and servers that change from day to day. */
export async function passDays(rig: WriterRig, writer: Writer, lapse: TimeLapse, startMs = NOW_MS): Promise<TimeLapseResult> {
  const flowsPerStep = Math.ceil(lapse.flowsPerDay / lapse.stepsPerDay);
  const stepMs = DAY_MS / lapse.stepsPerDay;
  const result = { nowMs: startMs, flows: 0, packets: 0, bytesMax: 0, stepMsMax: 0 };
  const turn = (nowMs: number, isEnding: boolean): boolean => {
    const beginMs = performance.now();
    const isMore = writer.step(nowMs, isEnding);
    result.stepMsMax = Math.max(result.stepMsMax, performance.now() - beginMs);
    result.bytesMax = Math.max(result.bytesMax, bytesOf(rig.path));
    return isMore;
  };
  for (let step = 0; step < lapse.days * lapse.stepsPerDay; step++) {
    result.nowMs = startMs + Math.floor((step * stepMs) / MINUTE_MS) * MINUTE_MS;
    const emittedUs = result.nowMs * 1000;
    const day = Math.floor(step / lapse.stepsPerDay);
    for (let index = 0; index < flowsPerStep; index++) {
      const number = step * flowsPerStep + index;
      const packets = [1 + (number % 40), number % 60] as const;
      const isV6 = number % 5 === 0;
      const spec = flow({
        src: isV6 ? `2001:db8::${day.toString(16)}:${(number % 50).toString(16)}` : `10.0.${number % 4}.${number % 200}`,
        dst: isV6 ? `2001:db8:1::${(number % 3000).toString(16)}` : `93.${number % 200}.${(number >> 8) % 250}.${number % 250}`,
        srcPort: 32_768 + (number % 20_000),
        dstPort: 443,
        protocol: 6,
        packets,
        ipBytes: [packets[0] * 700, packets[1] * 1100],
        wireBytes: [packets[0] * 714, packets[1] * 1114],
        payloadBytes: [packets[0] * 640, packets[1] * 1040],
        emittedUs: emittedUs + index * 10,
        endUs: emittedUs,
        startUs: emittedUs - 1_000_000,
        ...(number % 3 === 0 && {
          details: { sni: `host-${number % 500}.day-${day}.example`, alpn: 'h2', ja4: `j${number % 50}` },
        }),
      });
      while (!rig.tryEmit(spec)) turn(result.nowMs, false);
      if (number % 4 === 0) {
        const query = `host-${number % 500}.day-${day}.example`;
        rig.emitDns(dns({ seenUs: emittedUs, emittedUs: emittedUs + index * 10, query }));
      }
      result.flows++;
      result.packets += packets[0] + packets[1];
    }
    while (turn(result.nowMs, false));
    while (turn(result.nowMs + 10_000, false));
    // Scans run in a process of their own; their answers come between two steps.
    if (step % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  while (turn(result.nowMs + 10_000, true));
  return result;
}

/** Rows that the writer has deleted. */
export const prunedOf = (rig: WriterRig): number => rig.writerBlock.cell(Cell.RowsPruned);
