import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RUN_ROWS, SEGMENT_ROWS } from '../../src/store/lookup/lookup-kind.js';
import type { FlowFilter } from '../../src/store/reader/flow-filter.js';
import { type FlowRow, searchFlows } from '../../src/store/reader/flow-search.js';
import { doChores, HISTORY_US, historyRig, STEP_US, writeAll, writeHistory } from '../helpers/flow-history.js';
import { flow, NOW_MS, type WriterRig } from '../helpers/flow-records.js';

const MINUTES_MS = 600_000;
const RUNS = 'SELECT after_id, last_id, row_count FROM lookup_runs WHERE subject = 0 AND is_stale = 0 ORDER BY last_id';

/** Ids of all flows that are asked for, and how many rows were read for them. */
function search(rig: WriterRig, filter: FlowFilter) {
  const db = new Database(rig.path, { readonly: true });
  try {
    const { rows, rowsExamined, next } = searchFlows(db, filter, { limit: 1000 });
    return { starts: rows.map((row) => row['start_us']), rowsExamined, next };
  } finally {
    db.close();
  }
}

/** An address that only one flow has. */
const RARE = flow({ src: '198.51.100.7', dst: '203.0.113.9', startUs: 5 });

describe('looking up flows', () => {
  it('reads 64 rows and what is in no run yet, once a run is full', () => {
    const rig = historyRig();
    const writer = rig.open();
    rig.emit({ ...RARE, emittedUs: HISTORY_US - STEP_US });
    writeHistory(rig, writer, 0, RUN_ROWS - 2);
    expect(rig.query(RUNS)).toEqual([]);
    expect(search(rig, { address: RARE.src })).toMatchObject({ starts: [5], rowsExamined: RUN_ROWS - 1 });
    writeHistory(rig, writer, RUN_ROWS - 2, RUN_ROWS + 99);
    expect(rig.query(RUNS)).toEqual([{ after_id: -1, last_id: HISTORY_US + (RUN_ROWS - 2) * STEP_US, row_count: RUN_ROWS }]);
    for (const filter of [{ address: RARE.src }, { address: RARE.dst }, { net: '203.0.113.0/24' }])
      expect(search(rig, filter)).toMatchObject({ starts: [5], rowsExamined: SEGMENT_ROWS + 100 });
    expect(search(rig, { address: '198.51.100.8' })).toMatchObject({ starts: [], rowsExamined: 100 });
    writer.abandon();
  });

  it('takes up the rows that a killed process has left, a short run together with what follows it', () => {
    const rig = historyRig();
    const first = rig.open();
    writeHistory(rig, first, 0, 5000);
    first.abandon();
    const second = historyRig(rig.path);
    const writer = second.open();
    doChores(writer);
    expect(rig.query(RUNS)).toEqual([{ after_id: -1, last_id: HISTORY_US + 4999 * STEP_US, row_count: 5000 }]);
    writeHistory(second, writer, 5000, 10_000);
    writer.abandon();
    const third = historyRig(rig.path).open();
    doChores(third);
    expect(rig.query(RUNS)).toEqual([{ after_id: -1, last_id: HISTORY_US + 9999 * STEP_US, row_count: 10_000 }]);
    expect(rig.value('SELECT count(DISTINCT run) FROM lookup')).toBe(1);
    expect(rig.value('SELECT count(*) FROM lookup_runs')).toBe(1);
    third.abandon();
  });

  it('tells what a batch that was rolled back would have told only once', () => {
    const rig = historyRig();
    const writer = rig.open();
    writeHistory(rig, writer, 0, 6000);
    rig.execute("CREATE TRIGGER full BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'full'); END");
    rig.emit({ ...RARE, emittedUs: HISTORY_US + 6000 * STEP_US });
    writer.step(NOW_MS + MINUTES_MS, true);
    expect(writer.failure).toContain('full');
    rig.execute('DROP TRIGGER full');
    while (!writer.isEmpty) writer.step(NOW_MS + 2 * MINUTES_MS, true);
    writeHistory(rig, writer, 6001, RUN_ROWS + 6001);
    doChores(writer, NOW_MS + 3 * MINUTES_MS);
    expect(rig.query(RUNS)).toMatchObject([{ row_count: 6000 }, { row_count: RUN_ROWS }]);
    expect(search(rig, { address: RARE.src })).toMatchObject({ starts: [5], rowsExamined: SEGMENT_ROWS + 1 });
    writer.abandon();
  });

  it('finds rows of an old capture that was read later, at once, and makes the run anew that they came into', () => {
    const rig = historyRig();
    const first = rig.open();
    writeHistory(rig, first, 0, 6000);
    first.abandon();
    const second = historyRig(rig.path).open();
    doChores(second);
    second.abandon();
    const late = historyRig(rig.path);
    const writer = late.open();
    late.emit({ ...RARE, emittedUs: HISTORY_US + 100 * STEP_US + 10 });
    writeAll(writer);
    expect(rig.query(RUNS)).toEqual([]);
    expect(search(rig, { address: RARE.src }).starts).toEqual([5]);
    doChores(writer, NOW_MS + MINUTES_MS);
    expect(rig.query(RUNS)).toEqual([{ after_id: -1, last_id: HISTORY_US + 5999 * STEP_US, row_count: 6001 }]);
    expect(search(rig, { address: RARE.src })).toMatchObject({ starts: [5], rowsExamined: SEGMENT_ROWS });
    writer.abandon();
  });

  it('forgets runs whose rows are deleted, and keeps one that has rows left', () => {
    const rig = historyRig();
    const first = rig.open();
    writeHistory(rig, first, 0, RUN_ROWS + 10_000);
    first.abandon();
    const second = historyRig(rig.path);
    const writer = second.open();
    doChores(writer);
    expect(rig.value('SELECT count(*) FROM lookup_runs')).toBe(2);
    rig.execute(`DELETE FROM flows WHERE id < ${HISTORY_US + 100 * STEP_US}`);
    doChores(writer, NOW_MS + MINUTES_MS);
    expect(rig.value('SELECT count(*) FROM lookup_runs')).toBe(2);
    rig.execute(`DELETE FROM flows WHERE id < ${HISTORY_US + RUN_ROWS * STEP_US}`);
    doChores(writer, NOW_MS + 2 * MINUTES_MS);
    expect(rig.query('SELECT DISTINCT run FROM lookup')).toEqual([{ run: 2 }]);
    expect(rig.query('SELECT DISTINCT run FROM lookup_blocks')).toEqual([{ run: 2 }]);
    expect(rig.query('SELECT run FROM lookup_runs')).toEqual([{ run: 2 }]);
    writer.abandon();
  });
});

describe('a page of flows', () => {
  /** A database with flows of a history, and a connection to it. */
  function stored(count: number) {
    const rig = historyRig();
    const writer = rig.open();
    writeHistory(rig, writer, 0, count);
    const db = new Database(rig.path);
    onTestFinished(() => {
      db.close();
      writer.abandon();
    });
    return { rig, writer, db };
  }

  it('goes on where the one before ended, whatever is added or deleted meanwhile', () => {
    const { rig, writer, db } = stored(400);
    const filter = { address: '192.168.1.10' };
    const all = searchFlows(db, filter, { limit: 1000 }).rows;
    const first = searchFlows(db, filter, { limit: 10 });
    writeHistory(rig, writer, 400, 450);
    db.prepare('DELETE FROM flows WHERE id = ?').run((first.rows.at(-1) as FlowRow).id);
    const second = searchFlows(db, filter, { limit: 10, cursor: first.next as string });
    expect([...first.rows, ...second.rows]).toEqual(all.slice(0, 20));
  });

  it('ends where it has read as many rows as it may, says how far it came, and goes on from there', () => {
    const { db } = stored(10_000);
    const ids: number[] = [];
    let pages = 0;
    let next: string | null | undefined;
    do {
      const { rows, ...rest } = searchFlows(db, { vlan: 42 }, { rowsExaminedMax: 100, ...(next && { cursor: next }) });
      ids.push(...rows.map((row) => row.id));
      next = rest.next;
      expect(rest.isTruncated).toBe(next !== null);
      if (rest.isTruncated) expect(rest.searchedToUs).toBeLessThanOrEqual(rows.at(-1)?.id ?? Number.POSITIVE_INFINITY);
      pages++;
    } while (next);
    expect(pages).toBe(3);
    expect(ids).toEqual(db.prepare('SELECT id FROM flow_view WHERE vlan_id = 42 ORDER BY id DESC').pluck().all());
  });

  it.each([
    [{ address: '1.2.3' }, {}, '1.2.3 is no IP address'],
    [{ net: '10.0.0.0' }, {}, '10.0.0.0 is no network'],
    [{ net: '10.0.0.0/33' }, {}, 'too long'],
    [{ port: 65_536 }, {}, 'port 65536'],
    [{ protocol: 256 }, {}, 'protocol 256'],
    [{ protocol: Number.NaN }, {}, 'protocol NaN'],
    [{ application: 'tsl' }, {}, 'tsl is no application'],
    [{ application: '' }, {}, 'is no application'],
    [{ endReason: 'fin' }, {}, 'fin is no end reason'],
    [{ name: '*.exa*mple.com' }, {}, 'is no name'],
    [{ vlan: 0 }, {}, 'vlan 0'],
    [{}, { limit: 1001 }, 'limit 1001'],
    [{}, { limit: 0 }, 'limit 0'],
    [{}, { cursor: "n1'; DROP TABLE flows" }, 'the cursor'],
    [{}, { cursor: 'o1' }, 'the cursor is of a search in the other order'],
  ])('refuses %j, %j', (filter, page, part) => {
    expect(() => searchFlows(stored(1).db, filter, page)).toThrow(
      expect.objectContaining({ code: 'FILTER_INVALID', message: expect.stringContaining(part) }),
    );
  });

  it('reads files of flowberry before look-ups', () => {
    const { db } = stored(400);
    const before = searchFlows(db, { vlan: 42 }).rows;
    db.exec('DROP TABLE lookup; DROP TABLE lookup_runs; DROP TABLE lookup_blocks');
    expect(searchFlows(db, { vlan: 42 }).rows).toEqual(before);
  });
});
