import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { liveRows } from '../../src/store/reader/live-rows.js';
import { migrate } from '../../src/store/schema.js';

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
