import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runDbCompact } from '../../src/cli/db-compact.js';
import { runDbPlan } from '../../src/cli/db-plan.js';
import { olderThanOf, runDbPrune } from '../../src/cli/db-prune.js';
import { bytesAfter, daysUntil, planDatabase } from '../../src/store/upkeep/plan.js';
import { flow, flows, NOW_MS, temporaryDirectory, WriterRig } from '../helpers/flow-records.js';
import { dns } from '../helpers/name-records.js';
import { DAY_MS, failedChecks } from '../helpers/upkeep.js';

const NOW_US = NOW_MS * 1000;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs a command, and gives what it printed. */
function printed(command: () => number): string {
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  expect(command()).toBe(0);
  return out;
}

/** Ten days of a flow and a query each minute, each with a name of its own. */
function tenDays(): WriterRig {
  const rig = new WriterRig({ options: { 'ring.flow-bytes': 16_777_216 } });
  const writer = rig.open();
  for (let minute = 0; minute < 14_400; minute++) {
    const emittedUs = NOW_US + minute * 60_000_000;
    rig.emit(flow({ emittedUs, startUs: emittedUs, endUs: emittedUs }));
    rig.emitDns(dns({ emittedUs, seenUs: emittedUs, query: `n${minute}.example` }));
  }
  while (writer.step(NOW_MS, true));
  writer.close(NOW_MS);
  return rig;
}

describe('flowberry db prune', () => {
  it('deletes by the options and says what', () => {
    const rig = tenDays();
    vi.useFakeTimers({ now: NOW_MS + 10 * DAY_MS, toFake: ['Date'] });
    const out = printed(() => runDbPrune(rig.config, null, { json: false }));
    vi.useRealTimers();
    expect(out).toContain('flows: 4320 rows\ndns: 4320 rows\n');
    expect(rig.value('SELECT count(*) FROM flows')).toBe(10_080);
    expect(failedChecks(rig.path)).toEqual([]);
  });

  it('deletes what is older than it is told, and nothing twice', () => {
    const rig = tenDays();
    vi.useFakeTimers({ now: NOW_MS + 10 * DAY_MS, toFake: ['Date'] });
    const first = JSON.parse(printed(() => runDbPrune(rig.config, 9.5, { json: true })));
    const second = JSON.parse(printed(() => runDbPrune(rig.config, 9.5, { json: true })));
    vi.useRealTimers();
    expect(first).toMatchObject({ path: rig.path, deleted: { flows: 720, dns: 720 }, within_limit: true });
    expect(second.deleted).toMatchObject({ flows: 0, dns: 0 });
  });

  it('refuses what is no number of days, and a database that is being written', () => {
    for (const flag of ['0', '-1', 'x', true])
      expect(() => olderThanOf(flag)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(olderThanOf('1.5')).toBe(1.5);
    const rig = new WriterRig();
    const writer = rig.open();
    expect(() => runDbPrune(rig.config, null, { json: true })).toThrow(expect.objectContaining({ code: 'DATABASE_LOCKED' }));
    writer.abandon();
  });
});

describe('flowberry db compact', () => {
  it('makes the file as short as its rows allow', () => {
    const rig = tenDays();
    const before = statSync(rig.path).size;
    vi.useFakeTimers({ now: NOW_MS + 10 * DAY_MS, toFake: ['Date'] });
    printed(() => runDbPrune(rig.config, 1, { json: true }));
    vi.useRealTimers();
    expect(statSync(rig.path).size).toBe(before);
    const { bytes, bytes_before } = JSON.parse(printed(() => runDbCompact(rig.config, { json: true })));
    expect(bytes_before).toBe(before);
    expect(statSync(rig.path).size).toBe(bytes);
    expect(bytes).toBeLessThan(before * 0.8);
    expect(failedChecks(rig.path)).toEqual([]);
    // It is written on as before.
    new WriterRig({ path: rig.path }).store(flows(5, { emittedUs: NOW_US + 20 * DAY_MS * 1000 }));
    expect(rig.value('SELECT count(*) FROM flows')).toBe(1445);
    expect(rig.value<string>('PRAGMA journal_mode')).toBe('wal');
  });

  it('refuses while another program has the file open, and changes nothing', () => {
    const rig = new WriterRig();
    rig.store(flows(100));
    const reader = new Database(rig.path, { readonly: true });
    reader.exec('BEGIN; SELECT count(*) FROM flows');
    expect(() => runDbCompact({ ...rig.config, dbBusyTimeoutMs: 100 }, { json: true })).toThrow(
      expect.objectContaining({ code: 'DATABASE_LOCKED' }),
    );
    reader.close();
    expect(rig.value('SELECT count(*) FROM flows')).toBe(100);
    expect(() => statSync(`${rig.path}-compact`)).toThrow();
  });
});

describe('a file that is not there', () => {
  it.each([
    ['prune', (rig: WriterRig) => runDbPrune(rig.config, null, { json: true })],
    ['compact', (rig: WriterRig) => runDbCompact(rig.config, { json: true })],
  ])('is not made by db %s', (_, command) => {
    const directory = temporaryDirectory();
    const rig = new WriterRig({ path: join(directory, 'nothere.db') });
    expect(() => command(rig)).toThrow(expect.objectContaining({ code: 'DATABASE_NOT_FOUND' }));
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('flowberry db plan', () => {
  it('takes rates and row lengths from the rows, and the ages from the options', () => {
    const rig = tenDays();
    const plan = planDatabase(rig.config);
    expect(plan.daysSeen).toBeCloseTo(10, 2);
    expect(plan.flowsPerSecond).toBeCloseTo(1 / 60, 4);
    const byTable = Object.fromEntries(plan.rows.map((row) => [row.table, row]));
    expect(byTable['flows']?.rowsPerDay).toBeCloseTo(1440, -1);
    expect(byTable['dns']).toMatchObject({ daysKept: 7 });
    expect(byTable['texts']?.rowsPerDay).toBeCloseTo(1440, -1);
    expect(byTable['texts']?.daysKept).toBe(Number.POSITIVE_INFINITY);
    // What is there already is what it says of ten days: the rows are what the file is full of, and a page for each empty index.
    const unlimited = plan.rows.map((row) => ({ ...row, daysKept: Number.POSITIVE_INFINITY }));
    expect(bytesAfter(unlimited, plan.daysSeen) / plan.bytesUsed).toBeGreaterThan(0.7);
    expect(bytesAfter(unlimited, plan.daysSeen) / plan.bytesUsed).toBeLessThan(1.1);
    expect(bytesAfter(plan.rows, 30)).toBeLessThan(bytesAfter(unlimited, 30));
  });

  it('knows rollups and look-ups by their names', () => {
    const rig = tenDays();
    rig.execute(`CREATE TABLE IF NOT EXISTS rollup_test_minute (id INTEGER PRIMARY KEY, bytes);
      CREATE TABLE IF NOT EXISTS rollup_test_day (id INTEGER PRIMARY KEY, bytes);
      INSERT INTO rollup_test_minute SELECT id, 1 FROM flows; INSERT INTO rollup_test_day SELECT id, 1 FROM flows LIMIT 10`);
    const rows = planDatabase(rig.config).rows.filter(({ table }) => table.startsWith('rollup_test'));
    expect(rows).toMatchObject([
      { table: 'rollup_test_day', rowsPerDay: expect.closeTo(1, 1), daysKept: Number.POSITIVE_INFINITY },
      { table: 'rollup_test_minute', rowsPerDay: expect.closeTo(1440, -1), daysKept: 30 },
    ]);
  });

  it('finds the day on which a limit is reached', () => {
    const rows = [{ table: 'flows', rowsPerDay: 1000, bytesPerRow: 50, daysKept: 10, rowsMax: Number.POSITIVE_INFINITY }];
    expect(daysUntil(rows, 250_000)).toBeCloseTo(5, 1);
    expect(daysUntil(rows, 600_000)).toBeNull();
    const capped = rows.map((row) => ({ ...row, daysKept: Number.POSITIVE_INFINITY, rowsMax: 2000 }));
    expect(bytesAfter(capped, 365)).toBe(100_000);
  });

  it('prints a table for people, and one JSON object', () => {
    const rig = tenDays();
    const out = printed(() => runDbPlan(rig.config, { json: false }));
    expect(out).toMatch(/0\.0167 flows a second over 10 days/);
    expect(out).toMatch(/^flows +1,440 +\d+ +7 days +\d+ kB/m);
    expect(out).toContain('the limit of 4.0 GB (retention.file-bytes-max) is not reached');
    const object = JSON.parse(printed(() => runDbPlan({ ...rig.config, retentionFlowsDays: 0 }, { json: true })));
    expect(object).toMatchObject({ path: rig.path, days_until_limit: expect.any(Number), file_bytes_max: 4e9 });
  });

  it('says so when there is nothing to plan by', () => {
    const rig = new WriterRig();
    rig.store([]);
    expect(printed(() => runDbPlan(rig.config, { json: false }))).toContain('too few flows to plan by');
  });
});
