import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BudgetStep } from '../../src/ring/budget-step.js';
import { RateWindow } from '../../src/store/budget/rate-window.js';
import { Shedder } from '../../src/store/budget/shedder.js';
import { WriteGovernor } from '../../src/store/budget/write-governor.js';

const LIMITS = { softBytes: 2e6, hardBytes: 10e6 };

/** Writes `bytesPerMinute` for so many seconds from `startMs` on, and gives the steps that were taken on the way. */
function write(governor: WriteGovernor, startMs: number, seconds: number, bytesPerMinute: number): BudgetStep[] {
  const steps: BudgetStep[] = [];
  for (let ms = startMs; ms < startMs + seconds * 1000; ms += 5000) {
    governor.wrote(ms, bytesPerMinute / 12, 0);
    if (governor.judge(ms)) steps.push(governor.step);
  }
  return steps;
}

describe('the soft limit', () => {
  it('is nothing for a burst, nor for a checkpoint', () => {
    const governor = new WriteGovernor(LIMITS);
    expect(write(governor, 0, 10, 9e6)).toEqual([]);
    expect(write(governor, 10_000, 600, 1e6)).toEqual([]);
    expect(write(governor, 610_000, 30, 10e6)).toEqual([]);
    expect(write(governor, 640_000, 300, 1e6)).toEqual([]);
  });

  it('is answered step by step while too much is written, each step with time to show', () => {
    const governor = new WriteGovernor(LIMITS);
    expect(write(governor, 0, 380, 3e6)).toEqual([]);
    expect(write(governor, 380_000, 60, 3e6)).toEqual([BudgetStep.LargerBatches]);
    expect(write(governor, 440_000, 240, 3e6)).toEqual([]);
    expect(write(governor, 680_000, 400, 3e6)).toEqual([BudgetStep.CoarserRollups, BudgetStep.Shedding]);
    expect(write(governor, 1_080_000, 600, 3e6)).toEqual([]);
  });

  it('lets steps go one by one once the load is well below it, not just below it', () => {
    const governor = new WriteGovernor(LIMITS);
    write(governor, 0, 1_100, 3e6);
    expect(write(governor, 1_100_000, 1200, 1.5e6)).toEqual([]);
    expect(write(governor, 2_300_000, 1500, 0.5e6)).toEqual([
      BudgetStep.CoarserRollups,
      BudgetStep.LargerBatches,
      BudgetStep.None,
    ]);
  });

  it('stays answered while rows are left out, however little is written', () => {
    const governor = new WriteGovernor(LIMITS);
    write(governor, 0, 1_100, 3e6);
    for (let ms = 1_100_000; ms < 2_400_000; ms += 5000) {
      governor.wrote(ms, 10_000, 200_000);
      governor.judge(ms);
    }
    expect(governor.step).toBe(BudgetStep.Shedding);
  });
});

describe('the hard limit', () => {
  it('is kept over every minute, whatever comes when, and with checkpoints at any time', () => {
    const event = fc.record({
      pauseMs: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 20_000 })),
      demandBytes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20_000_000 })),
      errorRatio: fc.double({ min: 0.5, max: 1.05, noNaN: true }),
      isCheckpoint: fc.boolean(),
      othersBytes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50_000 })),
    });
    fc.assert(
      fc.property(fc.array(event, { minLength: 20, maxLength: 300 }), (events) => {
        const governor = new WriteGovernor(LIMITS);
        const written: { ms: number; bytes: number }[] = [];
        let pendingBytes = 0;
        let ms = 0;
        let lastMs = 0;
        for (const { pauseMs, demandBytes, errorRatio, isCheckpoint, othersBytes } of events) {
          ms += pauseMs;
          governor.othersWrote(ms, othersBytes);
          written.push({ ms, bytes: othersBytes });
          // A page goes to the log first, and to the file in a checkpoint.
          const allowed = governor.allowanceBytes(ms, pendingBytes, ms - lastMs) / 2;
          let bytes = Math.min(demandBytes, allowed * errorRatio);
          pendingBytes += bytes;
          if (isCheckpoint || pendingBytes > governor.checkpointBytes(ms)) {
            bytes += pendingBytes;
            pendingBytes = 0;
          }
          governor.wrote(ms, bytes, demandBytes - bytes);
          written.push({ ms, bytes });
          lastMs = ms;
          governor.judge(ms);
        }
        for (const { ms: endMs } of written) {
          const minute = written.filter((each) => each.ms > endMs - 60_000 && each.ms <= endMs);
          expect(minute.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(LIMITS.hardBytes);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('leaves room after a burst for what comes then', () => {
    const governor = new WriteGovernor(LIMITS);
    const burst = governor.allowanceBytes(0, 0, 0);
    expect(burst).toBeGreaterThan(LIMITS.hardBytes / 3);
    governor.wrote(0, burst, 0);
    expect(governor.allowanceBytes(100, 0, 100)).toBeLessThan(LIMITS.hardBytes / 100);
    expect(governor.allowanceBytes(5_100, 0, 5_000)).toBeGreaterThan(LIMITS.hardBytes / 10);
  });

  it('is not used up by a backup', () => {
    const governor = new WriteGovernor(LIMITS);
    governor.othersWrote(0, 500e6);
    expect(governor.allowanceBytes(5_000, 0, 5_000)).toBeGreaterThan(LIMITS.hardBytes / 20);
  });
});

describe('a window', () => {
  it('sums the last seconds, forgets older ones, and takes a clock that goes back', () => {
    const window = new RateWindow(5);
    window.add(1_000, 1);
    window.add(2_500, 2);
    window.add(2_000, 4);
    expect([window.sum(2_500, 0), window.sum(2_500, 1), window.sum(4_000, 2), window.sum(900_000, 4)]).toEqual([6, 7, 6, 0]);
  });
});

describe('the shedder', () => {
  const source = () => ({ entriesAdded: 0, entryPages: 2, isClosed: false });

  it('keeps an even share of the flows, and no more than the credit', () => {
    const shedder = new Shedder(source());
    const keep = (count: number): number => {
      let kept = 0;
      for (let i = 0; i < count; i++)
        if (!shedder.isShed()) {
          shedder.wrote();
          kept++;
        }
      return kept;
    };
    shedder.shed(1e6, 100, 0.25);
    expect([keep(100), keep(100), keep(100)]).toEqual([25, 25, 25]);
    shedder.shed(1_000, 100, 0.5);
    expect(keep(100)).toBe(10);
    shedder.end();
    expect(keep(100)).toBe(100);
  });

  it('ends a batch that costs more than it may, where nothing is left out', () => {
    const entries = source();
    const shedder = new Shedder(entries);
    shedder.allow(10_000, 100);
    const wrote = (newEntries: number): boolean => {
      entries.entriesAdded += newEntries;
      expect(shedder.isShed()).toBe(false);
      shedder.wrote();
      return shedder.isFull;
    };
    // Two pages of the index at most; then a row is a row.
    expect([wrote(5), wrote(5), wrote(5)]).toEqual([false, false, false]);
    let rows = 3;
    while (!wrote(1)) rows++;
    expect(rows + 1).toBe(Math.ceil((10_000 - 2 * 4096) / 100));
  });
});
