import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { z } from 'zod';
import { liveFilterSchema, passes } from '../../src/api/live/live-filter.js';
import { LiveMessage } from '../../src/api/live/live-message.js';
import { liveSource } from '../../src/api/live/live-source.js';
import { Monitor } from '../../src/api/monitor.js';
import type { Queries } from '../../src/api/query/queries.js';
import type { ReaderTask } from '../../src/api/query/reader-task.js';
import { Reader } from '../../src/api/reader/reader.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import { liveRows } from '../../src/store/reader/live-rows.js';
import { migrate } from '../../src/store/schema.js';
import { flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';

/** A database with alerts at these times, by their ids. */
function withAlerts(times: readonly number[]): Database.Database {
  const db = new Database(':memory:');
  migrate(db, 0);
  const insert = db.prepare('INSERT INTO alerts VALUES (?, 0, ?, ?, ?, ?, 1, NULL)');
  for (const [id, us] of times.entries()) insert.run(id + 1, 'subject', 'detail', us, us);
  return db;
}

const NOW_US = 100;

describe('rows that the live stream tells', () => {
  it('come page by page, each once, also those of one time', () => {
    const db = withAlerts([10, 30, 20, 20, 20, 40]);
    const told: unknown[] = [];
    let place = 5;
    for (;;) {
      const { rows, newest } = liveRows(db, 'alerts', place, 2, NOW_US);
      if (rows.length === 0) break;
      told.push(rows.map(({ last_us }) => last_us));
      place = newest;
    }
    expect(told).toEqual([
      [10, 20, 20, 20],
      [30, 40],
    ]);
    expect(place).toBe(40);
  });

  it('begin where the newest is', () => {
    expect(liveRows(withAlerts([10, 30, 20]), 'alerts', null, 2, NOW_US)).toEqual({ rows: [], newest: 30 });
    expect(liveRows(withAlerts([]), 'flows', null, 2, NOW_US)).toEqual({ rows: [], newest: 0 });
    expect(liveRows(withAlerts([]), 'devices', 7, 2, NOW_US)).toEqual({ rows: [], newest: 7 });
  });

  it('are none of the future, so that one of a clock that was wrong does not hide what comes', () => {
    const db = withAlerts([10, 20, 5_000]);
    expect(liveRows(db, 'alerts', null, 2, NOW_US).newest).toBe(20);
    db.prepare(`INSERT INTO alerts VALUES (9, 0, 'subject', 'detail', 30, 30, 1, NULL)`).run();
    const { rows, newest } = liveRows(db, 'alerts', 20, 2, NOW_US);
    expect(rows.map(({ last_us }) => last_us)).toEqual([30]);
    expect(newest).toBe(30);
  });
});

describe('the rows of a daemon', () => {
  const DAY_US = 86_400e6;
  const STARTED_US = NOW_MS * 1000;

  /** Where the feed of this run looks, ten seconds after its start; the queries run in this thread. */
  function sourceOf(rig: WriterRig) {
    const { config, memory } = rig;
    const reader = new Reader({ config, memory });
    onTestFinished(() => reader.close());
    const queries = { runPlain: async (task: ReaderTask) => reader.run(task) } as unknown as Queries;
    const session = { ...rig.session, startedUs: STARTED_US, startedMonotonicMs: 0 };
    return liveSource(new Monitor({ memory, session, config, nowMs: () => 10_000 }), queries);
  }

  it('are found behind one of the future', async () => {
    const rig = new WriterRig();
    const writer = rig.open();
    const store = (emittedUs: number, srcPort: number): void => {
      rig.emit(flow({ srcPort, startUs: emittedUs - 10, endUs: emittedUs - 5, emittedUs }));
      while (writer.step(NOW_MS, true));
    };
    store(STARTED_US, 1);
    rig.execute(`UPDATE flows SET id = id + ${DAY_US}`);
    const source = sourceOf(rig);
    const { newest } = await source.rowsAfter('flows', null);
    expect(newest).toBeLessThan(STARTED_US);
    store(STARTED_US + 5_000_000, 2);
    const found = await source.rowsAfter('flows', newest);
    expect(found.rows.map((row) => row['src_port'])).toEqual([2]);
    expect((await source.rowsAfter('flows', found.newest)).rows).toEqual([]);
    writer.abandon();
  });

  it('can be filtered: devices by any of their addresses, and by name', async () => {
    const rig = new WriterRig();
    const seen = {
      mac: 'b8:27:eb:12:34:56',
      name: 'B\\195\\156ro-Drucker.local',
      source: DeviceSource.Mdns,
      seenUs: STARTED_US,
      emittedUs: STARTED_US,
    };
    rig.emitDevice({ ...seen, ip: '192.168.1.10' });
    rig.emitDevice({ ...seen, ip: 'fe80::5', seenUs: STARTED_US + 1 });
    rig.store([]);
    const { rows } = await sourceOf(rig).rowsAfter('devices', 0);
    expect(rows).toHaveLength(1);
    const passing = (asked: z.input<typeof liveFilterSchema>): boolean => {
      const filter = liveFilterSchema.parse(asked);
      return rows.some((row) => passes(filter, LiveMessage.of('devices', 'device', row)));
    };
    for (const filter of [
      { address: '192.168.1.10' },
      { address: 'fe80::5' },
      { name: 'büro-drucker.local' },
      { name: 'BÜRO-Drucker.local' },
      { name: '*.Local' },
      { address: 'fe80::5', name: 'bÜro-drucker.local' },
    ])
      expect(passing(filter), JSON.stringify(filter)).toBe(true);
    for (const filter of [
      { address: '192.168.1.1' },
      { address: '192.168.1.10,fe80::5' },
      { name: 'büro-drucker' },
      { address: 'fe80::5', name: 'other.local' },
    ])
      expect(passing(filter), JSON.stringify(filter)).toBe(false);
  });
});
