import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareReports } from '../../bench/compare.js';
import { readReport, writeReport } from '../../bench/report-file.js';
import { comparisonText } from '../../bench/report-text.js';
import { type BenchReport, type CaseResult, type Metric, REPORT_FORMAT, summarize } from '../../bench/result.js';
import { temporaryDirectory } from '../helpers/read-capture.js';

const MACHINE = { model: 'A', cores: 4, memory_bytes: 2 ** 33, kernel: 'Linux', node: 'v20', governor: null };

function result(metrics: Metric[], given: Partial<CaseResult> = {}): CaseResult {
  return { case: 'ring', values: { records: 10 }, metrics, result_hash: 'abc', ...given };
}

function report(results: CaseResult[], given: Partial<BenchReport> = {}): BenchReport {
  return {
    format: REPORT_FORMAT,
    version: '1.0.0',
    commit: null,
    started: '2026-01-01T00:00:00.000Z',
    machine: MACHINE,
    input: null,
    results,
    skipped: [],
    ...given,
  };
}

const cost = (median: number): Metric => summarize('ns_per_record', 'lower', [median]);
const rate = (median: number): Metric => summarize('records_per_s', 'higher', [median]);
const fact = (median: number): Metric => summarize('rows', null, [median]);

function compare(old: Metric, now: Metric): ReturnType<typeof compareReports> {
  return compareReports(report([result([old])]), report([result([now])]));
}

describe('comparison with a baseline', () => {
  it.each([
    ['a cost that is a tenth higher is none', cost(100), cost(110), false],
    ['a cost that is more than a tenth higher is one', cost(100), cost(110.1), true],
    ['a lower cost is none', cost(100), cost(10), false],
    ['a rate that is a tenth lower is none', rate(110), rate(100), false],
    ['a rate that is more than a tenth lower is one', rate(110.2), rate(100), true],
    ['a higher rate is none', rate(100), rate(1000), false],
    ['a cost of 0 before says nothing', cost(0), cost(5), false],
  ])('regression: %s', (_, old, now, regressed) => {
    expect(compare(old, now).regressed).toBe(regressed);
  });

  it('leaves out figures that only inform', () => {
    expect(compare(fact(1), fact(100)).metrics).toEqual([]);
  });

  it('shows old, new and how many times worse', () => {
    const comparison = compare(cost(100), cost(150));
    expect(comparison.metrics).toEqual([
      { case: 'ring', metric: 'ns_per_record', old: 100, new: 150, worse: 1.5, regressed: true },
    ]);
    expect(comparisonText(comparison)).toMatch(/ring +ns_per_record +100 +150 +1\.500 +WORSE/);
  });

  it('does not compare cases that were run with other values, and says so', () => {
    const old = report([result([cost(1)], { values: { records: 20 } })]);
    const comparison = compareReports(old, report([result([cost(9)])]));
    expect(comparison.metrics).toEqual([]);
    expect(comparison.remarks).toEqual(['ring: the baseline was run with other values']);
  });

  it('names cases that the baseline lacks', () => {
    expect(compareReports(report([]), report([result([cost(9)])])).remarks).toEqual(['ring: the baseline does not have it']);
  });

  it('says when the result or the machine is another one', () => {
    const machine = { ...MACHINE, model: 'B' };
    const old = report([result([cost(1)], { result_hash: 'def' })], { machine });
    const { remarks } = compareReports(old, report([result([cost(1)])]));
    expect(remarks).toEqual([
      'the baseline comes from another machine: B, 4 cores, node v20',
      'ring: the result is another one: def before, abc now',
    ]);
  });
});

describe('baseline file', () => {
  it('is read as it was written', () => {
    const path = join(temporaryDirectory(), 'baseline.json');
    const written = report([result([cost(1), rate(2)])]);
    writeReport(path, written);
    expect(readReport(path)).toEqual(written);
  });

  it.each([
    ['missing', null],
    ['no JSON', 'text'],
    ['something else', '{"format":"other"}'],
    ['null', 'null'],
  ])('that is %s is refused', (_, content) => {
    const path = join(temporaryDirectory(), 'baseline.json');
    if (content !== null) writeFileSync(path, content);
    expect(() => readReport(path)).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(path) }));
  });

  it('that cannot be written is refused', () => {
    const path = join(temporaryDirectory(), 'missing', 'baseline.json');
    expect(() => writeReport(path, report([]))).toThrow(expect.objectContaining({ code: 'BENCH_FILE_NOT_WRITABLE' }));
  });
});

describe('summary of samples', () => {
  it.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
  ])('of %j has the median %d', (samples, median) => {
    const { min, max, ...metric } = summarize('wall_s', 'lower', samples);
    expect(metric).toEqual({ name: 'wall_s', better: 'lower', median, samples: samples.length });
    expect([min, max]).toEqual([Math.min(...samples), Math.max(...samples)]);
  });
});
