import { describe, expect, it } from 'vitest';
import { createGapLog, GapLog } from '../../src/ring/gap-log.js';
import { createLinkTable, LinkTable } from '../../src/ring/link-table.js';
import { Gap, GapReason, LinkState, NicCounter } from '../../src/ring/watch-layout.js';

const T0 = 1_750_000_000_000_000;

describe('gap log', () => {
  it('shows a gap while it is open, and when it is over', () => {
    const memory = createGapLog();
    const writer = new GapLog(memory);
    const reader = new GapLog(memory);
    expect(reader.lastNumber).toBe(0);
    expect(reader.read(0)).toBeNull();
    expect(reader.after(0)).toEqual([]);

    const number = writer.begin(3, GapReason.Down, T0);
    const open = { number, startUs: T0, endUs: null, reason: GapReason.Down, linkIndex: 3 };
    expect(reader.read(reader.lastNumber)).toEqual(open);
    writer.end(number, T0 + 5);
    expect(reader.after(0)).toEqual([{ ...open, endUs: T0 + 5 }]);
    expect(reader.after(number)).toEqual([]);
  });

  it('keeps the gaps of several interfaces apart', () => {
    const log = new GapLog(createGapLog());
    const first = log.begin(0, GapReason.Missing, T0);
    const second = log.begin(1, GapReason.NoCarrier, T0 + 1);
    log.end(first, T0 + 2);
    expect(log.after(0).map(({ linkIndex, endUs }) => [linkIndex, endUs])).toEqual([
      [0, T0 + 2],
      [1, null],
    ]);
    log.end(second, T0 + 3);
    expect(log.read(second)?.endUs).toBe(T0 + 3);
  });

  it('forgets the oldest, and tells by the numbers how many are missing', () => {
    const log = new GapLog(createGapLog());
    const total = 2 * Gap.EntryCount + 7;
    for (let index = 1; index <= total; index++) log.end(log.begin(0, GapReason.Down, T0 + index), T0 + index + 1);
    const kept = log.after(0);
    expect(kept.map(({ number }) => number)).toEqual(
      Array.from({ length: Gap.EntryCount }, (_, index) => total - Gap.EntryCount + 1 + index),
    );
    expect(kept.every(({ number, startUs }) => startUs === T0 + number)).toBe(true);
    expect(log.after(total - 2).map(({ number }) => number)).toEqual([total - 1, total]);
    expect(log.read(1)).toBeNull();
    expect(log.read(total + 1)).toBeNull();
  });

  it('does not end a gap that has left the log in the place of its follower', () => {
    const log = new GapLog(createGapLog());
    const old = log.begin(0, GapReason.Down, T0);
    for (let index = 0; index < Gap.EntryCount; index++) log.begin(1, GapReason.Missing, T0 + 1);
    log.end(old, T0 + 2);
    expect(log.after(0).every(({ endUs }) => endUs === null)).toBe(true);
  });

  it('goes on in the log of a predecessor', () => {
    const memory = createGapLog();
    const number = new GapLog(memory).begin(0, GapReason.Down, T0);
    const successor = new GapLog(memory);
    successor.end(number, T0 + 9);
    expect(successor.begin(0, GapReason.Restarted, T0 + 10)).toBe(number + 1);
    expect(successor.read(number)?.endUs).toBe(T0 + 9);
  });
});

describe('link table', () => {
  it('shows name, state, gap and counters of each interface', () => {
    const memory = createLinkTable();
    const writer = new LinkTable(memory);
    const reader = new LinkTable(memory);
    expect(reader.count).toBe(0);
    expect(writer.add(0, 'eth0')).toBe(false);
    expect(writer.add(1, 'a-name-of-which-only-a-part-is-kept-since-it-is-too-long')).toBe(false);
    writer.check(1, LinkState.NoCarrier, T0);
    writer.setGap(1, 7, T0 - 1);
    writer.counters(1)[NicCounter.RxOver] = 11;

    expect(reader.count).toBe(2);
    expect(reader.name(0)).toBe('eth0');
    expect(reader.name(1)).toBe('a-name-of-which-only-a-part-is-kept-since-it-is');
    expect([reader.state(0), reader.state(1)]).toEqual([LinkState.Up, LinkState.NoCarrier]);
    expect([reader.gapNumber(0), reader.gapNumber(1), reader.gapStartUs(1), reader.checkedUs(1)]).toEqual([0, 7, T0 - 1, T0]);
    expect([...reader.counters(1)]).toEqual([0, 0, 0, 0, 0, 11]);
    expect([...reader.counters(0)]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('tells a successor that its predecessor was there, and takes a new name', () => {
    const memory = createLinkTable();
    new LinkTable(memory).add(0, 'auto');
    const successor = new LinkTable(memory);
    expect(successor.add(0, 'eth0')).toBe(true);
    expect(successor.name(0)).toBe('eth0');
    expect(successor.count).toBe(1);
  });
});
