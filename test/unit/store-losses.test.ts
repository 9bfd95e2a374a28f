import { describe, expect, it } from 'vitest';
import { GapLog } from '../../src/ring/gap-log.js';
import { LinkTable } from '../../src/ring/link-table.js';
import { Cell } from '../../src/ring/thread-block.js';
import { GapReason, NicCounter } from '../../src/ring/watch-layout.js';
import { flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';

const MINUTE_MS = 60_000;
const NOW_US = NOW_MS * 1000;

/** A run that watches eth0 and wlan0. */
function rigWithLinks(): { rig: WriterRig; gaps: GapLog; links: LinkTable } {
  const rig = new WriterRig();
  const links = new LinkTable(rig.memory.links);
  links.add(0, 'eth0');
  links.add(1, 'wlan0');
  return { rig, gaps: new GapLog(rig.memory.gaps), links };
}

const GAPS = 'SELECT interface, reason, start_us, end_us FROM gaps ORDER BY number';
const COMPLETENESS = 'SELECT * FROM completeness_view ORDER BY minute_us';

describe('gaps', () => {
  it('are stored with their reason, while they last and when they are over', () => {
    const { rig, gaps } = rigWithLinks();
    const writer = rig.open();
    const number = gaps.begin(1, GapReason.Down, NOW_US);
    rig.emit(flow());
    writer.step(NOW_MS + 6000, true);
    expect(rig.query(GAPS)).toEqual([{ interface: 'wlan0', reason: 'interface_down', start_us: NOW_US, end_us: null }]);
    gaps.end(number, NOW_US + 5e6);
    writer.step(NOW_MS + MINUTE_MS, false);
    expect(rig.query(GAPS)).toEqual([{ interface: 'wlan0', reason: 'interface_down', start_us: NOW_US, end_us: NOW_US + 5e6 }]);
    writer.close(NOW_MS + MINUTE_MS);
  });

  it('are stored at the turn of the minute although nothing else has changed, and at the end', () => {
    const { rig, gaps } = rigWithLinks();
    const writer = rig.open();
    gaps.begin(0, GapReason.Missing, NOW_US);
    writer.step(NOW_MS + MINUTE_MS, false);
    expect(rig.query(GAPS)).toHaveLength(1);
    gaps.begin(0, GapReason.Failed, NOW_US + 1);
    writer.close(NOW_MS + MINUTE_MS);
    expect(rig.query(GAPS)).toMatchObject([{ reason: 'interface_missing' }, { reason: 'open_failed' }]);
  });

  it('are stored once by a writer that takes over', () => {
    const { rig, gaps } = rigWithLinks();
    const first = rig.open();
    const number = gaps.begin(0, GapReason.NoCarrier, NOW_US);
    rig.emit(flow());
    first.step(NOW_MS + 6000, true);
    first.abandon();
    gaps.end(number, NOW_US + 1e6);
    gaps.begin(0, GapReason.Replaced, NOW_US + 2e6);
    const second = rig.open();
    second.close(NOW_MS + MINUTE_MS);
    expect(rig.query(GAPS)).toEqual([
      { interface: 'eth0', reason: 'no_carrier', start_us: NOW_US, end_us: NOW_US + 1e6 },
      { interface: 'eth0', reason: 'interface_replaced', start_us: NOW_US + 2e6, end_us: null },
    ]);
  });
});

describe('a minute', () => {
  const complete = { lost_by_nic: 0, lost_by_kernel: 0, lost_by_ring: 0, lost_by_crash: 0, has_gap: 0, complete: 1 };

  it('is complete where nothing was lost', () => {
    const { rig } = rigWithLinks();
    const writer = rig.open();
    rig.emit(flow());
    writer.step(NOW_MS + 6000, true);
    writer.close(NOW_MS + 7000);
    expect(rig.query(COMPLETENESS)).toMatchObject([{ minute_us: NOW_US, packets_received: 2, ...complete }]);
  });

  it.each([
    ['lost_by_kernel', 3, (rig: WriterRig) => rig.count(rig.capture, Cell.KernelDropped, 3)],
    [
      'lost_by_nic',
      4,
      (_: WriterRig, links: LinkTable) => {
        links.counters(0)[NicCounter.RxMissed] = 4;
      },
    ],
    [
      'has_gap',
      1,
      (_: WriterRig, __: LinkTable, gaps: GapLog) => {
        gaps.end(gaps.begin(0, GapReason.Down, NOW_US + 1e6), NOW_US + 2e6);
      },
    ],
  ] as const)('is not complete with %s', (column, value, lose) => {
    const { rig, gaps, links } = rigWithLinks();
    const writer = rig.open();
    lose(rig, links, gaps);
    rig.emit(flow());
    writer.step(NOW_MS + 6000, true);
    // The minute after it is complete again.
    writer.step(NOW_MS + MINUTE_MS, false);
    rig.emit(flow({ emittedUs: NOW_US + 61e6 }));
    writer.step(NOW_MS + MINUTE_MS + 6000, true);
    writer.close(NOW_MS + MINUTE_MS + 7000);
    expect(rig.query(COMPLETENESS)).toMatchObject([{ ...complete, [column]: value, complete: 0 }, complete]);
  });

  it('in which nothing was counted is known by the gap in it', () => {
    const { rig, gaps } = rigWithLinks();
    const writer = rig.open();
    gaps.end(gaps.begin(0, GapReason.Down, NOW_US - 120e6), NOW_US - 90e6);
    writer.close(NOW_MS);
    expect(rig.query(COMPLETENESS)).toMatchObject([{ minute_us: NOW_US - 120e6, packets_received: 0, has_gap: 1, complete: 0 }]);
  });
});
