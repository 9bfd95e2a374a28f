import { describe, expect, it } from 'vitest';
import { DeviceSource } from '../../src/ring/name-records.js';
import { Cell, createThreadBlock, RetentionTrouble, ThreadBlock } from '../../src/ring/thread-block.js';
import { TunnelType } from '../../src/ring/tunnel-type.js';
import { FileRoom } from '../../src/store/upkeep/file-room.js';
import { dnsRows, flowRows } from '../../src/store/upkeep/prune-raw.js';
import { Retention } from '../../src/store/upkeep/retention.js';
import { Slices } from '../../src/store/upkeep/slices.js';
import { type FlowSpec, flow, flows, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { dns } from '../helpers/name-records.js';
import { DAY_MS, databaseOf, failedChecks, HOUR_MS, pass } from '../helpers/upkeep.js';

const NOW_US = NOW_MS * 1000;

/** A flow with a row in every table beside `flows`. */
const full = (emittedUs: number): FlowSpec =>
  flow({
    emittedUs,
    protocol: 6,
    retransmits: [1, 0],
    tunnel: { type: TunnelType.Gre, id: 6 },
    details: { sni: 'a.example', alpn: 'h2', method: 'GET', userAgent: 'u' },
  });

const RAW_COUNTS = `SELECT (SELECT count(*) FROM flows) AS flows, (SELECT count(*) FROM flow_trouble) AS trouble,
  (SELECT count(*) FROM flow_tunnels) AS tunnels, (SELECT count(*) FROM flow_tls) AS tls,
  (SELECT count(*) FROM flow_http) AS http, (SELECT count(*) FROM dns) AS dns`;

/** Five old flows with all that belongs to them, and three of today, in a database that has been running all the while. */
function runningRig(options = {}): { rig: WriterRig; nowMs: number } {
  const rig = new WriterRig({ options: { 'batch.rows-min': 1, ...options } });
  const writer = rig.open();
  for (let index = 0; index < 5; index++) {
    rig.emit(full(NOW_US + index * 1000));
    rig.emitDns(dns({ seenUs: NOW_US, emittedUs: NOW_US + index * 1000 }));
  }
  pass(writer, NOW_MS, NOW_MS + 8 * DAY_MS - HOUR_MS, HOUR_MS / 2);
  const nowMs = NOW_MS + 8 * DAY_MS;
  for (let index = 0; index < 3; index++) rig.emit(full(nowMs * 1000 + index * 1000));
  pass(writer, nowMs, nowMs + 2 * HOUR_MS, HOUR_MS / 4);
  writer.close(nowMs + 2 * HOUR_MS);
  return { rig, nowMs };
}

describe('retention by age', () => {
  it('deletes flows and all that belongs to them, keeps their sums, and the ledger still agrees', () => {
    const { rig } = runningRig();
    expect(rig.query(RAW_COUNTS)).toEqual([{ flows: 3, trouble: 3, tunnels: 3, tls: 3, http: 3, dns: 0 }]);
    expect(rig.query('SELECT kind, rows, packets, ip_bytes, wire_bytes FROM pruned ORDER BY kind')).toEqual([
      { kind: 'dns', rows: 5, packets: 0, ip_bytes: 0, wire_bytes: 0 },
      { kind: 'flows', rows: 5, packets: 10, ip_bytes: 900, wire_bytes: 1040 },
    ]);
    expect(rig.writerBlock.cell(Cell.RowsPruned)).toBe(10);
    expect(failedChecks(rig.path)).toEqual([]);
  });

  it('is found out by db check where a row went without a trace', () => {
    const { rig } = runningRig();
    rig.execute(`UPDATE pruned SET packets = packets - 1 WHERE kind = 'flows'`);
    expect(failedChecks(rig.path)).toEqual([
      expect.stringMatching(/^flows and ledger agree: packets_written: 6 in flows and 9 in deleted ones, 16 in the ledger/),
    ]);
  });

  it('deletes nothing where 0 days are given', () => {
    const { rig } = runningRig({ 'retention.flows-days': 0 });
    expect(rig.query(RAW_COUNTS)).toMatchObject([{ flows: 8, dns: 5 }]);
  });

  it('deletes nothing in a replay, whatever its packets say', () => {
    const old = new WriterRig();
    old.store(flows(5));
    const rig = new WriterRig({ path: old.path });
    Object.assign(rig.session, { mode: 'replay' });
    const writer = rig.open();
    pass(writer, NOW_MS, NOW_MS + 12 * DAY_MS, HOUR_MS);
    writer.close(NOW_MS + 12 * DAY_MS);
    expect(rig.value('SELECT count(*) FROM flows')).toBe(5);
  });

  it('deletes only what is in the rollups', () => {
    const rig = new WriterRig();
    rig.store([...flows(10)]);
    const db = databaseOf(rig);
    let rolledUpToId = 0;
    const rows = flowRows(db, () => rolledUpToId);
    expect(rows.prune(NOW_US + 1e9, 100)).toBe(0);
    rolledUpToId = NOW_US + 3000;
    expect(rows.prune(NOW_US + 1e9, 100)).toBe(4);
    expect(rows.oldestUs()).toBe(NOW_US + 4000);
    expect(dnsRows(db, () => 0).oldestUs()).toBeNull();
    db.close();
  });

  it('takes no more rows than it is told, the oldest first', () => {
    const rig = new WriterRig();
    rig.store(flows(10));
    const db = databaseOf(rig);
    expect(flowRows(db).prune(Number.MAX_SAFE_INTEGER, 3)).toBe(3);
    expect(db.prepare('SELECT min(id) FROM flows').pluck().get()).toBe(NOW_US + 3000);
    db.close();
  });

  it('forgets devices, addresses and names that were not seen for long', () => {
    const rig = new WriterRig({ options: { 'batch.rows-min': 1, 'retention.hours-days': 10 } });
    const writer = rig.open();
    const see = (mac: string, ip: string, atMs: number): void =>
      rig.emitDevice({ emittedUs: atMs * 1000, seenUs: atMs * 1000, source: DeviceSource.Mdns, mac, ip, name: `${ip}.local` });
    see('02:00:00:00:00:01', '10.0.0.1', NOW_MS);
    see('02:00:00:00:00:02', '10.0.0.2', NOW_MS);
    const laterMs = NOW_MS + 9 * DAY_MS;
    pass(writer, NOW_MS, laterMs, HOUR_MS);
    see('02:00:00:00:00:02', '10.0.0.3', laterMs);
    pass(writer, laterMs, NOW_MS + 12 * DAY_MS, HOUR_MS);
    writer.close(NOW_MS + 12 * DAY_MS);
    expect(rig.query('SELECT mac, addresses FROM device_view')).toEqual([{ mac: '02:00:00:00:00:02', addresses: '10.0.0.3' }]);
    expect(rig.value('SELECT count(*) FROM device_names')).toBe(1);
    expect(failedChecks(rig.path)).toEqual([]);
  });
});

describe('a clock that is set', () => {
  /** Rows of the last six days, then a new session whose clock is off by `offMs`, for `hours`. Gives the rows that are left. */
  function rowsLeft(offMs: number, hours: number, flowsPerHour: number): { left: number; rig: WriterRig } {
    const first = new WriterRig({ options: { 'batch.rows-min': 1 } });
    const writer = first.open();
    const days = Array.from({ length: 6 }, (_, day) => NOW_US + day * DAY_MS * 1000);
    for (const [day, emittedUs] of days.entries()) {
      first.emit(flow({ emittedUs }));
      pass(writer, NOW_MS + day * DAY_MS, NOW_MS + (day + 1) * DAY_MS - HOUR_MS, HOUR_MS);
    }
    const endMs = NOW_MS + 6 * DAY_MS;
    writer.close(endMs);
    const rig = new WriterRig({ path: first.path, options: { 'batch.rows-min': 1 } });
    const startMs = endMs + offMs;
    const next = rig.open(startMs);
    for (let hour = 0; hour < hours; hour++) {
      const nowMs = startMs + hour * HOUR_MS;
      rig.emitAll(flows(flowsPerHour, { emittedUs: nowMs * 1000, startUs: nowMs * 1000, endUs: nowMs * 1000 }));
      pass(next, nowMs, nowMs + HOUR_MS - 1, HOUR_MS / 4);
    }
    next.close(startMs + hours * HOUR_MS);
    expect(failedChecks(rig.path)).toEqual([]);
    return { left: rig.value(`SELECT count(*) FROM flows WHERE id IN (${days.join()})`), rig };
  }

  it.each([
    ['by an hour, ahead', HOUR_MS, 4],
    ['by an hour, back', -HOUR_MS, 4],
    ['to 1970', -NOW_MS - 6 * DAY_MS + HOUR_MS, 40],
    ['ten years ahead, for an hour', 3650 * DAY_MS, 1],
    ['ten years ahead, for a day', 3650 * DAY_MS, 23],
  ])('deletes no row that is fresh: %s', (_, offMs, hours) => {
    expect(rowsLeft(offMs, hours, 100).left).toBe(6);
  });

  it('is believed after a day and a thousand flows, and not before both', () => {
    expect(rowsLeft(3650 * DAY_MS, 30, 20).left).toBe(6);
    const { left, rig } = rowsLeft(3650 * DAY_MS, 30, 100);
    expect(left).toBe(0);
    expect(rig.writerBlock.cell(Cell.RetentionTrouble)).toBe(RetentionTrouble.None);
    expect(rig.log.map(({ message }) => message)).toContainEqual(expect.stringMatching(/^the clock has leapt/));
  });

  it('suspends ages while the wall clock is far from the clock of the run', () => {
    const rig = new WriterRig({ options: { 'batch.rows-min': 1 } });
    const writer = rig.open();
    rig.emit(flow());
    rig.capture.cells[Cell.ClockOffsetMs] = -3650 * DAY_MS;
    pass(writer, NOW_MS, NOW_MS + 9 * DAY_MS, HOUR_MS / 2);
    expect(rig.value('SELECT count(*) FROM flows')).toBe(1);
    expect(rig.writerBlock.cell(Cell.RetentionTrouble)).toBe(RetentionTrouble.ClockInDoubt);
    rig.capture.cells[Cell.ClockOffsetMs] = 0;
    pass(writer, NOW_MS + 9 * DAY_MS, NOW_MS + 9 * DAY_MS + 2 * HOUR_MS, HOUR_MS / 2);
    expect(rig.value('SELECT count(*) FROM flows')).toBe(0);
    writer.abandon();
  });
});

describe('retention by room', () => {
  const filled = (): WriterRig => {
    const rig = new WriterRig({ options: { 'ring.flow-bytes': 16_777_216 } });
    rig.store(flows(30_000));
    return rig;
  };

  /** Retention on the rig's database with these limits, run until it has nothing more to do. */
  function retain(rig: WriterRig, fileBytesMax: number, freeBytes: number, isLast = false) {
    const db = databaseOf(rig);
    const block = new ThreadBlock(createThreadBlock());
    const limits = { fileBytesMax, freeBytesMin: 5e8, batchRowsMax: 50 };
    const room = new FileRoom(db, limits, () => ({ free: freeBytes, total: 1e11 }));
    const log: string[] = [];
    const rows = { aged: [], byRoom: isLast ? [] : [[flowRows(db), dnsRows(db)]] };
    const retention = new Retention(rows, room, new Slices(db, block), null, block, (_, message) => log.push(message), NOW_MS);
    let nowMs = NOW_MS + 60_000;
    do retention.step(nowMs++, 20);
    while (retention.dueMs < nowMs);
    const pragma = (name: string): number => db.pragma(name, { simple: true }) as number;
    const result = { flows: db.prepare('SELECT count(*) FROM flows').pluck().get() as number, free: pragma('freelist_count') };
    const usedBytes = (pragma('page_count') - result.free) * pragma('page_size');
    db.close();
    return { ...result, usedBytes, log, trouble: block.cell(Cell.RetentionTrouble), isUrgent: retention.isUrgent };
  }

  it('does nothing where there is room', () => {
    expect(retain(filled(), 1e9, 1e10).flows).toBe(30_000);
  });

  it('deletes the oldest flows until there is room for the next batches, and not many more', () => {
    const rig = filled();
    const { flows: left, usedBytes } = retain(rig, 2_000_000, 1e10);
    expect(usedBytes).toBeLessThan(1_500_000);
    // A slice more at most.
    expect(usedBytes).toBeGreaterThan(250_000);
    expect(rig.value('SELECT min(id) FROM flows')).toBe(NOW_US + (30_000 - left) * 1000);
    expect(failedChecks(rig.path)).toEqual([]);
  });

  it('lets the file grow no further on a disk that is nearly full, and deletes no more than that takes', () => {
    const rig = filled();
    const { flows: left, free } = retain(rig, 1e9, 4e8);
    // A batch of the limits above has at most seven pages; a share of the limit counts for more.
    expect(free).toBeGreaterThan(0);
    expect(left).toBeLessThan(30_000);
    expect(retain(rig, 1e9, 4e8).flows).toBe(left);
  });

  it('says when nothing is left that may go', () => {
    const { trouble, log } = retain(filled(), 1_000_000, 1e10, true);
    expect(trouble).toBe(RetentionTrouble.FileOverLimit);
    expect(log).toEqual([expect.stringMatching(/nothing is left that may go/)]);
  });
});
