import { describe, expect, it } from 'vitest';
import { cleanHistories } from '../../bench/query/history.js';
import { runQueryCases } from '../../bench/query/run-query.js';
import { metricOf } from '../../bench/result.js';
import { runStoreCases } from '../../bench/store/run-store.js';
import { temporaryDirectory } from '../helpers/flow-records.js';

const silent = (): void => undefined;

describe('bench store', () => {
  it('measures batches, rates and settings, on tiny values', async () => {
    const only = 'batch_50,six_indexes,rate_50,wal';
    const { results } = await runStoreCases({ smoke: true, only }, silent);
    expect(results.map((result) => result.case)).toEqual(only.split(','));
    for (const result of results) expect(metricOf(result, 'rows_per_s')?.median).toBeGreaterThan(0);
  });
});

describe('bench query', () => {
  it('asks every query of a history that it makes once', () => {
    const flags = { flows: '2000', runs: '2' };
    const directory = temporaryDirectory();
    const { results } = runQueryCases(flags, silent, directory);
    expect(results.length).toBeGreaterThan(20);
    expect(runQueryCases({ ...flags, only: 'summary' }, silent, directory).results).toHaveLength(1);
    expect(cleanHistories(directory)).toHaveLength(1);
  });
});
