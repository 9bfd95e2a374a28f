import { describe, expect, it } from 'vitest';
import { MICRO_CASES } from '../../bench/cases.js';
import { type MicroCase, runMicroCase, SMOKE_TIMING } from '../../bench/micro.js';

/** Results of the smoke values. A change of decoder, flow table or schema that changes what they compute changes these. */
const RESULTS: Record<string, string> = {
  ring: '704a8ee5f943cd0e',
  decode: '459e85d908faebd9',
  'flow-table': 'b9559f9b862e7979',
  'flow-table-long': 'a9097ce81e8b6ead',
  'hash-flood': '149ad4cab9f7a9e0',
  writer: 'ac0751eb2e0200e7',
};

const here = MICRO_CASES.filter((micro) => (micro.unavailable?.() ?? null) === null);

describe('bench cases', () => {
  it.each(here)('$name gives its known result, and figures', async (micro) => {
    const result = await runMicroCase(micro, micro.smoke, SMOKE_TIMING);
    expect(result.result_hash).toBe(RESULTS[micro.name]);
    expect(result.case).toBe(micro.name);
    expect(result.values).toEqual(micro.smoke);
    const [cost, rate] = result.metrics;
    expect(cost).toMatchObject({ name: `ns_per_${micro.operation}`, better: 'lower', samples: SMOKE_TIMING.batchesMin });
    expect(rate).toMatchObject({ name: `${micro.operation}s_per_s`, better: null });
    for (const metric of result.metrics) {
      expect(metric.min).toBeGreaterThan(0);
      expect(metric.median).toBeGreaterThanOrEqual(metric.min);
      expect(metric.max).toBeGreaterThanOrEqual(metric.median);
    }
  });

  it('with something to compare with give the ratio of the rates', async () => {
    const compared = here.find(({ name }) => name === 'hash-flood') as MicroCase;
    const { metrics } = await runMicroCase(compared, compared.smoke, SMOKE_TIMING);
    expect(metrics.at(-1)).toMatchObject({ name: 'rate_over_reference', median: expect.any(Number) });
    expect(metrics.at(-1)?.median).toBeGreaterThan(0);
  });

  it('give the same result however often they have run', async () => {
    for (const micro of here) {
      const prepared = await micro.prepare(micro.smoke);
      try {
        prepared.runBatch();
        prepared.runBatch();
        // The writer's result is that of its whole file.
        if (micro.name !== 'writer') expect(prepared.resultHash()).toBe(RESULTS[micro.name]);
      } finally {
        prepared.close();
      }
    }
  });

  it('that need threads say so where there is no build', () => {
    expect(MICRO_CASES.find(({ name }) => name === 'ring-threads')?.unavailable?.()).toContain('build');
  });
});
