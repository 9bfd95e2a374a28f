import { describe, expect, it } from 'vitest';
import { BatchPolicy } from '../../src/store/batch.js';

const policy = (): BatchPolicy => new BatchPolicy({ rowsMin: 50, ageMsMax: 5_000, rowsMax: 5_000 });

describe('batch policy', () => {
  it('is never due without rows', () => {
    expect(policy().isDue(0, 0, true)).toBe(false);
  });

  it('is due at rowsMin, not before', () => {
    const batch = policy();
    expect(batch.isDue(0, 49, false)).toBe(false);
    expect(batch.isDue(0, 50, false)).toBe(true);
  });

  it('is due when the oldest row is old enough, counted from when it was first seen', () => {
    const batch = policy();
    expect(batch.isDue(1_000, 1, false)).toBe(false);
    expect(batch.isDue(5_999, 2, false)).toBe(false);
    expect(batch.isDue(6_000, 2, false)).toBe(true);
  });

  it('counts the age anew after the rows have gone', () => {
    const batch = policy();
    batch.isDue(0, 1, false);
    batch.flushed(1_000);
    batch.isDue(1_000, 0, false);
    expect(batch.isDue(5_500, 1, false)).toBe(false);
    expect(batch.isDue(10_500, 1, false)).toBe(true);
  });

  it('lets batches grow: the next one is not due within a second, unless rows press', () => {
    const batch = policy();
    batch.flushed(10_000);
    expect(batch.isDue(10_500, 4_000, false)).toBe(false);
    expect(batch.isDue(10_500, 4_000, true)).toBe(true);
    expect(batch.isDue(10_500, 5_000, false)).toBe(true);
    expect(batch.isDue(11_000, 50, false)).toBe(true);
  });

  it('is due at once when it is pressed, with a single row', () => {
    expect(policy().isDue(0, 1, true)).toBe(true);
  });

  it('waits no longer than its age when the clock is set back', () => {
    const batch = policy();
    batch.flushed(1_000_000);
    expect(batch.isDue(1_000_000, 1, false)).toBe(false);
    expect(batch.isDue(5_000, 1, false)).toBe(false);
    expect(batch.isDue(10_000, 1, false)).toBe(true);
  });

  it('does not hold back a full batch after the clock was set back', () => {
    const batch = policy();
    batch.flushed(1_000_000);
    expect(batch.isDue(5_000, 50, false)).toBe(true);
  });
});
