import type { Machine } from './machine.js';

/** A measured figure: what lies between its runs. */
export interface Metric {
  /** With its unit last, as `wall_s`. */
  readonly name: string;
  /** Which way is better; null for figures that only inform and are not compared. */
  readonly better: 'lower' | 'higher' | null;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Only where there are samples enough to speak of it. */
  readonly p99?: number;
  /** How many samples the figures come from. */
  readonly samples: number;
}

/** What a case was run with; results are comparable when these are the same. */
export type CaseValues = Readonly<Record<string, number | string>>;

/** What one case measured. */
export interface CaseResult {
  readonly case: string;
  readonly values: CaseValues;
  readonly metrics: readonly Metric[];
  /** Hash over what the case computed; the same values give the same hash, whatever the speed. Null where there is none. */
  readonly result_hash: string | null;
  /** The command that was run, for cases that run a program. */
  readonly command?: string;
  /** What else is worth knowing, for people. */
  readonly notes?: readonly string[];
}

/** A case that did not run. */
export interface SkippedCase {
  readonly case: string;
  readonly reason: string;
}

/** What a generated capture was made from, and its hash. */
interface GeneratedInput {
  readonly packets: number;
  readonly flows: number;
  readonly seed: number;
  readonly sha256: string;
}

/** The input of the whole-program cases. */
export interface InputDescription {
  readonly path: string;
  readonly bytes: number;
  /** Known of a generated capture. */
  readonly generated: GeneratedInput | null;
}

/** Everything one `flowberry bench` has to say, as `--json` prints it; `--save` writes it, `--compare` reads it. */
export interface BenchReport {
  readonly format: typeof REPORT_FORMAT;
  readonly version: string;
  readonly commit: string | null;
  readonly started: string;
  readonly machine: Machine;
  readonly input: InputDescription | null;
  readonly results: readonly CaseResult[];
  readonly skipped: readonly SkippedCase[];
}

export const REPORT_FORMAT = 'flowberry-bench-1';

/** Median, least and greatest of at least one sample. */
export function summarize(name: string, better: Metric['better'], samples: readonly number[]): Metric {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median =
    sorted.length % 2 === 1
      ? (sorted[Math.floor(middle)] as number)
      : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
  return {
    name,
    better,
    median,
    min: sorted[0] as number,
    max: sorted[sorted.length - 1] as number,
    samples: sorted.length,
  };
}

/** A figure that there is one of, with two digits behind the point. */
export function single(name: string, better: Metric['better'], value: number): Metric {
  return summarize(name, better, [Math.round(value * 100) / 100]);
}

/** The figure of that name, or null. */
export function metricOf(result: CaseResult, name: string): Metric | null {
  return result.metrics.find((metric) => metric.name === name) ?? null;
}
