import { Bench, type Task } from 'tinybench';
import type { CaseResult, CaseValues, Metric } from './result.js';

/** A case that is ready to run: its input is in memory. */
export interface PreparedCase {
  /** Operations of one batch, so many that reading the clock costs nothing beside them. */
  readonly operationsPerBatch: number;
  /** Does the work once. The same every time. */
  runBatch(): void;
  /** As many operations as a batch has, on what the case is to be compared with; the ratio of the two rates is a figure then. */
  runReference?(): void;
  /** Does the work once more, untimed, and names the result. Throws when the result cannot be right. */
  resultHash(): string;
  close(): void;
}

/** One stage of the pipeline, measured alone and in one process. */
export interface MicroCase<V extends CaseValues = CaseValues> {
  readonly name: string;
  /** What one operation handles: a record, a packet, a row. */
  readonly operation: string;
  /** Small values that give the same kind of answer within a second, for tests. */
  readonly smoke: V;
  readonly full: V;
  /** Why the case cannot run here, or null. */
  unavailable?(): string | null;
  prepare(values: V): PreparedCase | Promise<PreparedCase>;
}

/** How long a case is measured. */
export interface MicroTiming {
  readonly timeMs: number;
  readonly warmupMs: number;
  /** Batches at least, whatever the time. */
  readonly batchesMin: number;
}

export const FULL_TIMING: MicroTiming = { timeMs: 2000, warmupMs: 500, batchesMin: 32 };
export const SMOKE_TIMING: MicroTiming = { timeMs: 0, warmupMs: 0, batchesMin: 3 };

/** From fewer samples, the 99th percentile is the maximum under another name. */
const P99_SAMPLES_MIN = 100;

/** Measures one case. The result is checked before the clock runs. */
export async function runMicroCase(micro: MicroCase, values: CaseValues, timing: MicroTiming): Promise<CaseResult> {
  const prepared = await micro.prepare(values);
  try {
    const hash = prepared.resultHash();
    const bench = new Bench({
      time: timing.timeMs,
      iterations: timing.batchesMin,
      warmup: timing.warmupMs > 0,
      warmupTime: timing.warmupMs,
      throws: true,
    });
    bench.add(micro.name, () => prepared.runBatch(), { async: false });
    const { runReference } = prepared;
    if (runReference) bench.add(`${micro.name}, reference`, () => runReference(), { async: false });
    const [task, reference] = bench.runSync();
    if (task?.result.state !== 'completed') throw new Error(`bench case ${micro.name}: ${task?.result.state}`);
    const { p50, p99, min, max, samplesCount } = task.result.latency;
    const nsPerOperation = (ms: number): number => (ms * 1e6) / prepared.operationsPerBatch;
    const metrics: Metric[] = [
      {
        name: `ns_per_${micro.operation}`,
        better: 'lower',
        median: nsPerOperation(p50),
        min: nsPerOperation(min),
        max: nsPerOperation(max),
        ...(samplesCount >= P99_SAMPLES_MIN ? { p99: nsPerOperation(p99) } : {}),
        samples: samplesCount,
      },
      {
        name: `${micro.operation}s_per_s`,
        better: null,
        median: 1e9 / nsPerOperation(p50),
        min: 1e9 / nsPerOperation(max),
        max: 1e9 / nsPerOperation(min),
        samples: samplesCount,
      },
      ...ratioOf(reference, p50),
    ];
    return { case: micro.name, values, metrics, result_hash: hash };
  } finally {
    prepared.close();
  }
}

/** The rate of the case over that of its reference, by their medians. */
function ratioOf(reference: Task | undefined, p50: number): Metric[] {
  if (!reference) return [];
  if (reference.result.state !== 'completed') throw new Error(`bench case ${reference.name}: ${reference.result.state}`);
  const { latency } = reference.result;
  const ratio = latency.p50 / p50;
  return [{ name: 'rate_over_reference', better: null, median: ratio, min: ratio, max: ratio, samples: latency.samplesCount }];
}
