import { describe, expect, it } from 'vitest';
import { Ring } from '../../src/ring/layout.js';
import { Cell } from '../../src/ring/thread-block.js';
import { checkDatabase } from '../../src/store/check.js';
import { flow, flows, NOW_MS, WriterRig } from '../helpers/flow-records.js';

const NOW_US = NOW_MS * 1000;
const COUNT = 'SELECT count(*) FROM flows';

/** Words of a ring as another thread's death leaves them: `Consumed` as it was before the last release. */
function consumedOf(rig: WriterRig): Int32Array {
  return Int32Array.from(rig.memory.flowRings, (ring) => Atomics.load(new Int32Array(ring), Ring.Consumed));
}

function setConsumed(rig: WriterRig, positions: Int32Array): void {
  for (const [index, ring] of rig.memory.flowRings.entries())
    Atomics.store(new Int32Array(ring), Ring.Consumed, positions[index] as number);
}

describe('a writer that takes over', () => {
  it('does not store again what was committed and not released', () => {
    const rig = new WriterRig({ workers: 2 });
    const first = rig.open();
    rig.emitAll(flows(30), 0);
    rig.emitAll(flows(7, { emittedUs: NOW_US + 500 }), 1);
    const before = consumedOf(rig);
    first.step(NOW_MS, true);
    // Death between COMMIT and release: neither the rings nor the cells know of the batch.
    setConsumed(rig, before);
    for (const cell of [Cell.FlowsWritten, Cell.PacketsWritten, Cell.IpBytesWritten, Cell.WireBytesWritten])
      rig.writerBlock.cells[cell] = 0;
    first.abandon();

    const second = rig.open();
    expect(rig.writerBlock.cell(Cell.FlowsWritten)).toBe(37);
    expect(second.isEmpty).toBe(true);
    rig.emitAll(flows(5, { emittedUs: NOW_US + 1e6 }), 1);
    second.step(NOW_MS, true);
    second.close(NOW_MS);
    expect(rig.value(COUNT)).toBe(42);
    expect(checkDatabase(rig.path).checks.filter((check) => !check.ok)).toEqual([]);
  });

  it('stores what was taken and not committed', () => {
    const rig = new WriterRig();
    rig.emitAll(flows(30));
    const first = rig.open();
    rig.execute(`CREATE TRIGGER refuse BEFORE INSERT ON flows BEGIN SELECT raise(ABORT, 'no'); END`);
    expect(first.step(NOW_MS, true)).toBe(false);
    first.abandon();
    rig.execute('DROP TRIGGER refuse');
    const second = rig.open();
    second.step(NOW_MS, true);
    second.close(NOW_MS);
    expect(rig.value(COUNT)).toBe(30);
    expect(rig.writerBlock.cell(Cell.WriteFailing)).toBe(0);
  });

  it('takes up the same session, and counts the drops of both once', () => {
    const rig = new WriterRig();
    const first = rig.open();
    rig.count(rig.capture, Cell.Drops + 1, 4);
    rig.count(rig.capture, Cell.FramesReceived, 4);
    rig.emit(flow());
    first.step(NOW_MS, true);
    first.abandon();
    const second = rig.open(NOW_MS + 60_000);
    expect(second.opened.uncleanSessions).toBe(0);
    rig.count(rig.capture, Cell.Drops + 1, 2);
    rig.count(rig.capture, Cell.FramesReceived, 2);
    second.close(NOW_MS + 60_000);
    expect(rig.query('SELECT packets_dropped, drops FROM ledger ORDER BY minute_us')).toEqual([
      { packets_dropped: 4, drops: '{"ring_full":4}' },
      { packets_dropped: 2, drops: '{"ring_full":2}' },
    ]);
    expect(rig.query('SELECT key, clean, packets_dropped FROM sessions')).toEqual([
      { key: rig.session.key, clean: 1, packets_dropped: 6 },
    ]);
  });

  it('gives ids beside those that its predecessor gave', () => {
    const rig = new WriterRig();
    const first = rig.open();
    rig.emitAll([flow(), flow(), flow()]);
    first.step(NOW_MS, true);
    first.abandon();
    const second = rig.open();
    rig.emitAll([flow(), flow()]);
    second.step(NOW_MS, true);
    second.close(NOW_MS);
    expect(rig.query<{ id: number }>('SELECT id FROM flows').map(({ id }) => id - NOW_US)).toEqual([0, 2, 4, 6, 8]);
  });
});

describe('sessions that nobody closed', () => {
  it('are counted, marked and given their sums by the next run, once', () => {
    const killed = new WriterRig();
    const writer = killed.open();
    killed.emit(flow());
    writer.step(NOW_MS, true);
    const [parse] = killed.parse;
    if (parse) killed.count(parse, Cell.PacketsInFlows, 9);
    writer.step(NOW_MS + 60_000, false);
    writer.abandon();

    const next = new WriterRig({ path: killed.path });
    const successor = next.open();
    expect(successor.opened).toEqual({ uncleanSessions: 1, journalMode: 'wal' });
    expect(next.log).toMatchObject([{ level: 'warn', fields: { uncleanSessions: 1, packetsUnwritten: 9 } }]);
    successor.close(NOW_MS);
    expect(next.query(`SELECT clean, ended_us, packets_in_flows, packets_written FROM sessions WHERE id = 1`)).toEqual([
      { clean: 0, ended_us: null, packets_in_flows: 11, packets_written: 2 },
    ]);

    const third = new WriterRig({ path: killed.path });
    const last = third.open();
    expect(last.opened.uncleanSessions).toBe(0);
    expect(third.log).toEqual([]);
    last.close(NOW_MS);
  });

  it('lose nothing that was committed', () => {
    const killed = new WriterRig();
    const writer = killed.open();
    killed.emitAll(flows(100));
    writer.step(NOW_MS, true);
    killed.emitAll(flows(3, { emittedUs: NOW_US + 1e6 }));
    writer.abandon();
    const next = new WriterRig({ path: killed.path });
    next.store([flow({ emittedUs: NOW_US + 2e6 })]);
    expect(next.value(COUNT)).toBe(101);
    expect(checkDatabase(next.path).checks.filter((check) => !check.ok)).toEqual([]);
  });
});
