import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Drop } from '../../src/ring/drop-reason.js';
import { Slot } from '../../src/ring/layout.js';
import { ringUsedBytes } from '../../src/ring/ring.js';
import { Cell } from '../../src/ring/thread-block.js';
import { RowIds } from '../../src/store/row-ids.js';
import { migrate } from '../../src/store/schema.js';
import type { Writer } from '../../src/store/writer.js';
import { flow, flows, NOW_MS, WriterRig } from '../helpers/flow-records.js';

const NOW_US = NOW_MS * 1000;
const COUNT = 'SELECT count(*) FROM flows';

describe('writer: when it writes', () => {
  it('waits for rowsMin rows, then writes them in one transaction and releases the ring', () => {
    const rig = new WriterRig({ options: { 'batch.rows-min': 50 } });
    const writer = rig.open();
    rig.emitAll(flows(49));
    expect(writer.step(NOW_MS, false)).toBe(false);
    expect(rig.value(COUNT)).toBe(0);
    expect(writer.isBatchNear).toBe(false);
    rig.emit(flow({ emittedUs: NOW_US + 60_000 }));
    expect(writer.isBatchNear).toBe(true);
    expect(writer.step(NOW_MS, false)).toBe(true);
    expect(rig.value(COUNT)).toBe(50);
    expect(rig.writerBlock.cell(Cell.BatchesWritten)).toBe(1);
    expect(rig.writerBlock.cell(Cell.FlowsWritten)).toBe(50);
    expect(rig.writerBlock.cell(Cell.PacketsWritten)).toBe(100);
    expect(rig.writerBlock.cell(Cell.IpBytesWritten)).toBe(50 * 180);
    expect(rig.writerBlock.cell(Cell.WireBytesWritten)).toBe(50 * 208);
    expect(ringUsedBytes(rig.memory.flowRings[0] as SharedArrayBuffer)).toBe(0);
    writer.close(NOW_MS);
  });

  it('writes a single row when it is old enough', () => {
    const rig = new WriterRig({ options: { 'batch.age-ms-max': 5_000 } });
    const writer = rig.open();
    rig.emit(flow());
    expect(writer.step(NOW_MS, false)).toBe(false);
    expect(writer.step(NOW_MS + 4_999, false)).toBe(false);
    expect(writer.step(NOW_MS + 5_000, false)).toBe(true);
    expect(rig.value(COUNT)).toBe(1);
    writer.close(NOW_MS + 5_000);
  });

  it('does not wait when a ring is half full', () => {
    const rig = new WriterRig({ options: { 'ring.flow-bytes': 65_536, 'batch.rows-min': 5_000 } });
    const writer = rig.open();
    const half = Math.ceil(65_536 / 2 / (Slot.RecordBytes + 8));
    rig.emitAll(flows(half - 1));
    expect(writer.step(NOW_MS, false)).toBe(false);
    rig.emit(flow({ emittedUs: NOW_US + 1e6 }));
    expect(writer.step(NOW_MS, false)).toBe(true);
    expect(writer.isEmpty).toBe(true);
    writer.close(NOW_MS);
  });

  it('writes what waits when it is to end, at most rowsMax rows per transaction', () => {
    const rig = new WriterRig({ options: { 'batch.rows-min': 50, 'batch.rows-max': 50 } });
    const writer = rig.open();
    rig.emitAll(flows(120));
    expect([1, 2, 3, 4].map(() => writer.step(NOW_MS, true))).toEqual([true, true, true, false]);
    expect(rig.writerBlock.cell(Cell.BatchesWritten)).toBe(3);
    expect(writer.isEmpty).toBe(true);
    writer.close(NOW_MS);
    expect(rig.value(COUNT)).toBe(120);
  });

  it('goes round the end of the ring many times', () => {
    const rig = new WriterRig({ options: { 'ring.flow-bytes': 65_536 } });
    rig.store(flows(2_000));
    expect(rig.value(COUNT)).toBe(2_000);
    expect(rig.value('SELECT max(id) - min(id) FROM flows')).toBe(1_999_000);
  });
});

describe('writer: ids', () => {
  it('are the time of emission, even and unique', () => {
    const rig = new WriterRig();
    rig.store([0, 1, 1, 2, 9, 100].map((us) => flow({ emittedUs: NOW_US + us })));
    const ids = rig.query<{ id: number }>('SELECT id FROM flows ORDER BY id').map(({ id }) => id - NOW_US);
    expect(ids).toEqual([0, 2, 4, 6, 8, 100]);
  });

  it('take the rings of all workers by time of emission', () => {
    const rig = new WriterRig({ workers: 3 });
    const writer = rig.open();
    for (const [index, emitted] of [
      [0, 30_000],
      [0, 40_000],
      [1, 10_000],
      [1, 50_000],
      [2, 20_000],
    ] as const)
      rig.emit(flow({ emittedUs: NOW_US + emitted, srcPort: emitted }), index);
    writer.step(NOW_MS, true);
    writer.close(NOW_MS);
    expect(rig.query('SELECT id, src_port FROM flow_view ORDER BY id')).toEqual(
      [10_000, 20_000, 30_000, 40_000, 50_000].map((us) => ({ id: NOW_US + us, src_port: us })),
    );
  });

  it('step aside for the rows of an earlier run', () => {
    const rig = new WriterRig();
    rig.store([0, 2, 4, 10].map((us) => flow({ emittedUs: NOW_US + us })));
    const later = new WriterRig({ path: rig.path });
    later.store([0, 0, 5, 9].map((us) => flow({ emittedUs: NOW_US + us, srcPort: 7 })));
    const ids = rig.query<{ id: number }>('SELECT id FROM flow_view WHERE src_port = 7').map(({ id }) => id - NOW_US);
    expect(ids).toEqual([6, 8, 12, 14]);
    expect(rig.value(COUNT)).toBe(8);
  });

  it('are found for a capture that is stored twice', () => {
    const rig = new WriterRig();
    rig.store(flows(500, { emittedUs: NOW_US }));
    new WriterRig({ path: rig.path }).store(flows(500, { emittedUs: NOW_US }));
    expect(rig.value(COUNT)).toBe(1_000);
    expect(rig.value('SELECT max(id) FROM flows')).toBe(NOW_US + 499 * 1000 + 2);
  });

  it('step aside for rows whose COMMIT had failed and took effect all the same', () => {
    const db = new Database(':memory:');
    migrate(db, 0);
    const ids = new RowIds(db, 'flows');
    expect([ids.next(100), ids.next(100)]).toEqual([100, 102]);
    db.exec(`INSERT INTO flows VALUES (${[100, ...new Array(20).fill(0)]}), (${[102, ...new Array(20).fill(0)]})`);
    ids.revert();
    expect([ids.next(100), ids.next(100)]).toEqual([104, 106]);
  });

  it('begin at 0 for a capture without a clock', () => {
    const rig = new WriterRig();
    rig.store([flow({ startUs: 0, endUs: 0, emittedUs: 0 }), flow({ startUs: 0, endUs: 0, emittedUs: 0 })]);
    expect(rig.query('SELECT id, start_us, end_us FROM flow_view ORDER BY id')).toEqual([
      { id: 0, start_us: 0, end_us: 0 },
      { id: 2, start_us: 0, end_us: 0 },
    ]);
  });
});

describe('writer: ledger', () => {
  const LEDGER = 'SELECT minute_us / 1000 AS minute, packets_in_flows, packets_written, flows_written, drops FROM ledger';
  const MINUTE = 60_000;

  it('has a row for each minute in which something changed, and the sums of all', () => {
    const rig = new WriterRig();
    const writer = rig.open();
    rig.emitAll(flows(50));
    writer.step(NOW_MS + 1_000, false);
    rig.emitAll(flows(10, { emittedUs: NOW_US + 2e6 }));
    writer.step(NOW_MS + MINUTE - 2, false);
    // The minute ends with ten flows counted and not written; the third minute brings them, the second nothing.
    writer.step(NOW_MS + MINUTE, false);
    expect(rig.query(LEDGER)).toEqual([
      { minute: NOW_MS, packets_in_flows: 120, packets_written: 100, flows_written: 50, drops: '{}' },
    ]);
    expect(writer.step(NOW_MS + 2 * MINUTE, false)).toBe(true);
    writer.close(NOW_MS + 5 * MINUTE);
    expect(rig.query(LEDGER)).toEqual([
      { minute: NOW_MS, packets_in_flows: 120, packets_written: 100, flows_written: 50, drops: '{}' },
      { minute: NOW_MS + 2 * MINUTE, packets_in_flows: 0, packets_written: 20, flows_written: 10, drops: '{}' },
    ]);
  });

  it('names the drops of all threads by reason, adding within a minute', () => {
    const rig = new WriterRig({ workers: 2 });
    const writer = rig.open();
    const [first, second] = rig.parse;
    if (!first || !second) throw new Error('two workers');
    rig.count(rig.capture, Cell.Drops + Drop.RingFull, 3);
    rig.count(first, Cell.Drops + Drop.Arp, 1);
    rig.count(second, Cell.Drops + Drop.Arp, 2);
    rig.count(rig.capture, Cell.FramesReceived, 6);
    rig.emit(flow());
    writer.step(NOW_MS, true);
    rig.count(second, Cell.Drops + Drop.Arp, 4);
    rig.count(rig.capture, Cell.FramesReceived, 4);
    writer.close(NOW_MS);
    const [row] = rig.query<{ drops: string; packets_dropped: number; frames_received: number }>('SELECT * FROM ledger');
    expect(JSON.parse(row?.drops ?? '')).toEqual({ ring_full: 3, arp: 7 });
    expect(row).toMatchObject({ packets_dropped: 10, frames_received: 12 });
  });

  it('keeps the kernel counters and the final counts of the session', () => {
    const rig = new WriterRig();
    rig.count(rig.capture, Cell.KernelPackets, 11);
    rig.count(rig.capture, Cell.KernelDropped, 2);
    rig.store([flow()], NOW_MS + 7);
    expect(rig.query('SELECT * FROM sessions')).toEqual([
      {
        id: 1,
        key: rig.session.key,
        mode: 'live',
        source: 'eth0',
        started_us: NOW_US,
        ended_us: NOW_US + 7_000,
        clean: 1,
        frames_received: 2,
        packets_in_flows: 2,
        packets_dropped: 0,
        kernel_packets: 11,
        kernel_dropped: 2,
        flows_emitted: 1,
        flows_written: 1,
        packets_written: 2,
        ip_bytes_written: 180,
        wire_bytes_written: 208,
        flows_shed: 0,
        packets_shed: 0,
        ip_bytes_shed: 0,
        wire_bytes_shed: 0,
      },
    ]);
  });

  it('adds to a minute that comes again when the clock is set back', () => {
    const rig = new WriterRig();
    const writer = rig.open();
    for (const nowMs of [NOW_MS, NOW_MS + MINUTE, NOW_MS]) {
      rig.emitAll(flows(1, { emittedUs: nowMs * 1000 }));
      writer.step(nowMs, true);
    }
    writer.close(NOW_MS);
    expect(rig.query('SELECT packets_written, ring_positions FROM ledger ORDER BY minute_us')).toEqual([
      { packets_written: 4, ring_positions: null },
      { packets_written: 2, ring_positions: null },
    ]);
  });
});

describe('writer: a database that refuses', () => {
  function lockedBy(rig: WriterRig): Database.Database {
    const other = new Database(rig.path);
    onTestFinished(() => {
      other.close();
    });
    other.exec('BEGIN IMMEDIATE');
    return other;
  }

  it('tries again while another process holds it, and loses nothing', () => {
    const rig = new WriterRig({ options: { 'db.busy-timeout-ms': 10 } });
    const writer = rig.open();
    const other = lockedBy(rig);
    rig.emitAll(flows(60));
    expect(writer.step(NOW_MS, false)).toBe(false);
    expect(rig.writerBlock.cell(Cell.BusyRetries)).toBe(1);
    expect(rig.writerBlock.cell(Cell.WriteFailing)).toBe(0);
    expect(writer.failure).toBeNull();
    expect(writer.isEmpty).toBe(false);
    // Too early: the database is not asked again.
    expect(writer.step(NOW_MS + 1, false)).toBe(false);
    expect(rig.writerBlock.cell(Cell.BusyRetries)).toBe(1);
    other.exec('COMMIT');
    expect(writer.step(NOW_MS + 100, false)).toBe(true);
    expect(rig.value(COUNT)).toBe(60);
    writer.close(NOW_MS + 100);
    expect(rig.log).toEqual([]);
  });

  it('says once that it fails when that lasts too long, and once that it has recovered', () => {
    const rig = new WriterRig({ options: { 'db.busy-timeout-ms': 10 } });
    const writer = rig.open();
    const other = lockedBy(rig);
    rig.emitAll(flows(60));
    for (let nowMs = NOW_MS; nowMs < NOW_MS + 1_000; nowMs += 100) writer.step(nowMs, false);
    expect(rig.writerBlock.cell(Cell.WriteFailing)).toBe(1);
    expect(writer.failure).toContain('locked');
    expect(rig.writerBlock.cell(Cell.BusyRetries)).toBe(10);
    other.exec('COMMIT');
    expect(writer.step(NOW_MS + 1_000, false)).toBe(true);
    expect(rig.writerBlock.cell(Cell.WriteFailing)).toBe(0);
    expect(rig.log.map(({ level }) => level)).toEqual(['error', 'info']);
    expect(rig.log[0]?.message).toContain(rig.path);
    writer.close(NOW_MS + 1_000);
    expect(rig.value(COUNT)).toBe(60);
  });

  it('rolls back and writes again what failed halfway, IPv6 addresses and interfaces included', () => {
    const rig = new WriterRig();
    const writer = rig.open();
    // The second of two statements fails: a trigger refuses one row.
    rig.execute(`CREATE TRIGGER refuse BEFORE INSERT ON flows WHEN new.src_packets = 999
      BEGIN SELECT raise(ABORT, 'no room on the card'); END`);
    const given = { src: '2001:db8::1', dst: '2001:db8::2' };
    rig.emitAll([...flows(40, given), flow({ ...given, packets: [999, 1], emittedUs: NOW_US + 1e6 })]);
    expect(writer.step(NOW_MS, true)).toBe(false);
    expect(rig.writerBlock.cell(Cell.WriteErrors)).toBe(1);
    expect(rig.writerBlock.cell(Cell.WriteFailing)).toBe(1);
    expect(rig.writerBlock.cell(Cell.FlowsWritten)).toBe(0);
    expect(rig.value(COUNT)).toBe(0);
    expect(rig.value('SELECT count(*) FROM interfaces')).toBe(0);
    rig.execute('DROP TRIGGER refuse');
    expect(writer.step(NOW_MS + 1_000, true)).toBe(true);
    writer.close(NOW_MS + 1_000);
    const where = "src_ip = '2001:db8::1' AND dst_ip = '2001:db8::2' AND interface = 'eth0'";
    expect(rig.value(`SELECT count(*) FROM flow_view WHERE ${where}`)).toBe(41);
    expect(rig.query('SELECT min(id) AS first, max(id) AS last FROM flows')).toEqual([{ first: NOW_US, last: NOW_US + 1e6 }]);
    expect(rig.log.map(({ fields }) => fields)).toMatchObject([{ code: 'DATABASE_WRITE_FAILED' }, { attempts: 1 }]);
  });

  describe('that fails for long', () => {
    /** Milliseconds from `fromMs` at which the writer tries, until `untilMs`. */
    function attemptsOf(rig: WriterRig, writer: Writer, fromMs: number, untilMs: number): number[] {
      const attempts: number[] = [];
      for (let ms = fromMs; ms < untilMs; ms++) {
        const before = rig.writerBlock.cell(Cell.WriteErrors);
        writer.step(NOW_MS + ms, true);
        if (rig.writerBlock.cell(Cell.WriteErrors) > before) attempts.push(ms - fromMs);
      }
      return attempts;
    }
    const REFUSE = `CREATE TRIGGER refuse BEFORE INSERT ON flows BEGIN SELECT raise(ABORT, 'no'); END`;

    it('is asked less and less often, at least every second, and as at first after it has recovered', () => {
      const rig = new WriterRig();
      const writer = rig.open();
      rig.execute(REFUSE);
      rig.emit(flow());
      const expected = [0, 50, 150, 350, 750, 1_550, 2_550, 3_550];
      expect(attemptsOf(rig, writer, 0, 4_000)).toEqual(expected);
      rig.execute('DROP TRIGGER refuse');
      expect(writer.step(NOW_MS + 5_000, true)).toBe(true);
      rig.execute(REFUSE);
      rig.emit(flow());
      expect(attemptsOf(rig, writer, 5_000, 9_000)).toEqual(expected);
      writer.abandon();
    });

    it('is asked at once when the clock is set back', () => {
      const rig = new WriterRig();
      const writer = rig.open();
      rig.execute(REFUSE);
      rig.emit(flow());
      writer.step(NOW_MS, true);
      rig.execute('DROP TRIGGER refuse');
      expect(writer.step(NOW_MS - 3_600_000, true)).toBe(true);
      writer.close(NOW_MS);
    });
  });
});
