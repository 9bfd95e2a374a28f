import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { HostBlock } from '../../src/ring/host-block.js';
import { HostMinute } from '../../src/ring/host-layout.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import { Cell, createThreadBlock, RetentionTrouble, ThreadBlock } from '../../src/ring/thread-block.js';
import { agingRows } from '../../src/store/upkeep/aging-rows.js';
import { FileRoom } from '../../src/store/upkeep/file-room.js';
import { Retention } from '../../src/store/upkeep/retention.js';
import { retentionRows } from '../../src/store/upkeep/retention-rows.js';
import { Slices } from '../../src/store/upkeep/slices.js';
import { flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { dns } from '../helpers/name-records.js';
import { DAY_MS, failedChecks, HOUR_MS, pass, passUntil } from '../helpers/upkeep.js';
import { bytesOf } from '../helpers/year-traffic.js';

const DAYS = 12;
const FLOWS_PER_HOUR = 8;
/** Nothing goes for its age. */
const OPTIONS = { 'batch.rows-min': 1, 'retention.flows-days': 0, 'retention.minutes-days': 0, 'retention.hours-days': 0 };
const LEVELS = ['minute', 'hour', 'day'] as const;

/** Lets hours pass, some at a time, in which each flow has a name and a peer of its own. */
function passHours(rig: WriterRig, startMs: number, hours: number, first = 0, stepHours = 1): void {
  const writer = rig.open(startMs);
  for (let hour = 0; hour < hours; hour += stepHours) {
    const nowMs = startMs + hour * HOUR_MS;
    for (let index = 0; index < FLOWS_PER_HOUR * stepHours; index++) {
      const number = first + hour * FLOWS_PER_HOUR + index;
      const emittedUs = nowMs * 1000 + index * 1000;
      const times = { emittedUs, startUs: emittedUs, endUs: emittedUs };
      rig.emit(flow({ ...times, dst: `93.0.${number >> 8}.${number & 255}`, details: { sni: `host-${number}.example` } }));
    }
    pass(writer, nowMs, nowMs + stepHours * HOUR_MS - 1, (stepHours * HOUR_MS) / 2);
  }
  writer.close(startMs + hours * HOUR_MS);
}

/** What is in the database, and retention with another limit on it, run until it has nothing more to do. */
function retained(rig: WriterRig, fileBytesMax: number) {
  const db = new Database(rig.path);
  const block = new ThreadBlock(createThreadBlock());
  const room = new FileRoom(db, { fileBytesMax, freeBytesMin: 0, batchRowsMax: 50 });
  const rows = retentionRows(db, rig.config, agingRows(db));
  const retention = new Retention(rows, room, new Slices(db, block), null, block, () => undefined, NOW_MS);
  let nowMs = NOW_MS + DAYS * DAY_MS;
  do retention.step(nowMs++, 20);
  while (retention.dueMs < nowMs);
  const count = (sql: string): number => db.prepare<[], number>(`SELECT count(*) FROM ${sql}`).pluck().get() as number;
  const folded = (table: string): string =>
    `${table} WHERE id <= (SELECT folded_id FROM rollup_state WHERE table_name = '${table}')`;
  const result = {
    flows: count('flows'),
    minutes: count(folded('rollup_name_minute')),
    hours: count(folded('rollup_name_hour')),
    days: db.prepare<[], number>('SELECT DISTINCT id >> 16 FROM rollup_name_day ORDER BY 1').pluck().all(),
    isOver: room.isOver,
    trouble: block.cell(Cell.RetentionTrouble),
    removed: block.cell(Cell.RowsPruned),
  };
  db.close();
  return result;
}

describe('where there is no room', () => {
  it('days go last, the oldest first, and every sum is accounted for', () => {
    const rig = new WriterRig({ options: OPTIONS });
    passHours(rig, NOW_MS, DAYS * 24, 0, 6);
    let limit = rig.value('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size') * 2;
    const all = retained(rig, limit);
    expect([all.removed, all.days.length]).toEqual([0, DAYS]);
    let before = all;
    let state = all;
    while (state.days.length === DAYS) {
      before = state;
      limit *= 0.97;
      state = retained(rig, limit);
      expect(state.isOver).toBe(false);
    }
    // Everything else has gone before the first day, and no more days than is needed.
    expect(state).toMatchObject({ flows: 0, minutes: 0, hours: 0, trouble: RetentionTrouble.None });
    expect(before.days).toEqual(all.days);
    expect(state.days.length).toBeGreaterThan(2);
    expect(state.days).toEqual(all.days.slice(-state.days.length));
    expect(failedChecks(rig.path)).toEqual([]);
    // The last two stay whatever the limit is, and it is said.
    const least = retained(rig, 200_000);
    expect(least.days).toEqual(all.days.slice(-2));
    expect(least.trouble).toBe(RetentionTrouble.FileOverLimit);
    expect(failedChecks(rig.path)).toEqual([]);
  });

  it('a table that nothing was written into for long keeps no others', () => {
    const rig = new WriterRig({ options: OPTIONS });
    rig.emitDns(dns({ seenUs: NOW_MS * 1000, emittedUs: NOW_MS * 1000 }));
    passHours(rig, NOW_MS, 3 * 24);
    const state = retained(rig, 200_000);
    expect(state).toMatchObject({ flows: 0, minutes: 0, hours: 0 });
    expect(rig.value('SELECT count(*) FROM rollup_dns_minute')).toBe(1);
    expect(failedChecks(rig.path)).toEqual([]);
  });

  it('old samples of the machine, devices not seen, and the detail of the ledger go too', () => {
    const rig = new WriterRig({ options: OPTIONS });
    const host = new HostBlock(rig.memory.host);
    const see = (mac: string, atMs: number): void =>
      rig.emitDevice({ emittedUs: atMs * 1000, seenUs: atMs * 1000, source: DeviceSource.Mdns, mac, ip: '10.0.0.1', name: 'n' });
    const endMs = NOW_MS + 3 * DAY_MS;
    for (const atMs of [NOW_MS, endMs]) {
      const minute = new Float64Array(HostMinute.Words);
      minute[HostMinute.MinuteUs] = atMs * 1000;
      host.pushMinute(minute);
    }
    see('02:00:00:00:00:01', NOW_MS);
    see('02:00:00:00:00:02', endMs);
    passHours(rig, NOW_MS, 3 * 24);
    const minutes = rig.value('SELECT count(*) FROM ledger WHERE span_us = 60000000');
    retained(rig, 200_000);
    expect(rig.query('SELECT minute_us FROM host_samples')).toEqual([{ minute_us: endMs * 1000 }]);
    expect(rig.query('SELECT mac FROM devices')).toEqual([{ mac: '02:00:00:00:00:02' }]);
    expect(rig.value('SELECT count(*) FROM ledger WHERE span_us = 60000000')).toBeLessThan(minutes / 2);
    expect(failedChecks(rig.path)).toEqual([]);
  });
});

describe('a run by a clock that was ten years ahead', () => {
  it('stops neither the sums by hour and day nor what makes room', () => {
    const rig = new WriterRig({ options: OPTIONS });
    passHours(rig, NOW_MS, 2 * 24, 0, 6);
    passHours(rig, NOW_MS + 3650 * DAY_MS, 3, 1000);
    const backMs = NOW_MS + 3 * DAY_MS;
    passHours(rig, backMs, 3 * 24, 2000);
    // The buckets are those of the right time, in which the last hour and the last day are not over.
    const since = `((id >> 16) - age) BETWEEN`;
    const hour = Math.floor(backMs / HOUR_MS);
    const day = Math.floor(backMs / DAY_MS);
    const sum = (table: string, from: number, to: number): number =>
      rig.value(`SELECT coalesce(sum(flows), 0) FROM ${table} WHERE ${since} ${from} AND ${to}`);
    expect(sum('rollup_direction_hour', hour, hour + 3 * 24)).toBe((3 * 24 - 1) * FLOWS_PER_HOUR);
    expect(sum('rollup_direction_day', day + 1, day + 2)).toBe(2 * 24 * FLOWS_PER_HOUR);
    const state = retained(rig, 200_000);
    expect(state).toMatchObject({ flows: 0, minutes: 0, hours: 0 });
    expect(failedChecks(rig.path)).toEqual([]);
    expect(
      LEVELS.map((level) =>
        rig.value(`SELECT sum(flows) > sum(flows_pruned) FROM rollup_state
      WHERE table_name = 'rollup_direction_${level}'`),
      ),
    ).toEqual([1, 1, 1]);
  });
});

describe('names that alone take the limit', () => {
  it('are swept out; until then new ones are stored as others and counted, and the limit holds', async () => {
    const limit = 16_777_216;
    const options = { ...OPTIONS, 'batch.rows-max': 1000, 'retention.file-bytes-max': limit };
    const rig = new WriterRig({ options });
    rig.store([flow()]);
    rig.execute(`INSERT INTO texts WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
      SELECT i, printf('%0200d', i) FROM n; PRAGMA wal_checkpoint(TRUNCATE)`);
    const next = new WriterRig({ path: rig.path, options });
    const writer = next.open();
    let bytesMax = 0;
    const emit = (nowMs: number, name: string): void => {
      next.emit(flow({ emittedUs: nowMs * 1000, details: { sni: name } }));
      pass(writer, nowMs, nowMs + 1000, 1000);
      bytesMax = Math.max(bytesMax, bytesOf(rig.path));
    };
    emit(NOW_MS + 60_000, 'first.example');
    emit(NOW_MS + 120_000, 'second.example');
    expect(next.writerBlock.cell(Cell.TextsOverflowed)).toBe(1);
    const isSwept = (): boolean => next.log.some(({ message }) => message.startsWith('sweep: '));
    const nowMs = await passUntil(writer, NOW_MS + 180_000, isSwept, 5000);
    emit(nowMs + 60_000, 'third.example');
    emit(nowMs + 120_000, 'fourth.example');
    expect(next.writerBlock.cell(Cell.TextsOverflowed)).toBe(1);
    expect(next.writerBlock.cell(Cell.FlowsWritten)).toBe(4);
    expect(next.writerBlock.cell(Cell.RetentionTrouble)).toBe(RetentionTrouble.None);
    expect(bytesMax).toBeLessThan(limit);
    while (writer.step(nowMs + 180_000, true));
    writer.close(nowMs + 180_000);
    expect(next.query('SELECT text FROM texts WHERE id > 30000 ORDER BY id').map((row) => row['text'])).toEqual([
      'first.example',
      'third.example',
      'fourth.example',
    ]);
    expect(failedChecks(rig.path)).toEqual([]);
  }, 60_000);
});
