import type { Database } from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { Cell } from '../../src/ring/thread-block.js';
import { DAY_US, HOUR_US, LedgerFold } from '../../src/store/upkeep/fold-ledger.js';
import { GapPrunable, NicLossFold } from '../../src/store/upkeep/fold-losses.js';
import { flows, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { DAY_MS, databaseOf, failedChecks, HOUR_MS, pass } from '../helpers/upkeep.js';

const NOW_US = NOW_MS * 1000;
/** The start of the hour, and of the day, behind the time at which tests begin. */
const HOUR = NOW_US - (NOW_US % HOUR_US) + HOUR_US;
const DAY = NOW_US - (NOW_US % DAY_US) + DAY_US;
const MINUTE_US = 60_000_000;

const COUNTS = `count(*) AS rows, sum(frames_received) AS received, sum(packets_dropped) AS dropped,
  (SELECT sum(value) FROM ledger, json_each(drops) WHERE key = 'ring_full') AS ring_full,
  (SELECT sum(value) FROM ledger, json_each(drops) WHERE key = 'arp') AS arp`;

/** A ledger row of `minute`, all of whose packets were dropped. */
const ledgerRow = (session: number, us: number, drops: Record<string, number>): string => {
  const sum = Object.values(drops).reduce((total, count) => total + count, 0);
  return `INSERT INTO ledger (session_id, minute_us, frames_received, packets_in_flows, packets_dropped, kernel_packets, kernel_dropped,
    flows_emitted, flows_written, packets_written, ip_bytes_written, wire_bytes_written, drops, span_us)
    VALUES (${session}, ${us}, ${sum}, 0, ${sum}, 0, 0, 0, 0, 0, 0, 0, '${JSON.stringify(drops)}', 60000000);`;
};

/** Two sessions that are over, with rows for two hours each. */
function ledgerOf(): { rig: WriterRig; db: Database } {
  const rig = new WriterRig();
  const db = databaseOf(rig);
  for (const session of [2, 3]) {
    db.exec(
      `INSERT INTO sessions (id, key, mode, source, started_us, clean) VALUES (${session}, 's${session}', 'live', 'e', 0, 0)`,
    );
    for (let minute = 0; minute < 120; minute++)
      db.exec(ledgerRow(session, HOUR + minute * MINUTE_US, minute % 2 ? { arp: 1, ring_full: 2 } : { arp: 3 }));
  }
  return { rig, db };
}

describe('the ledger, as it grows old', () => {
  it('is joined to hours and then to days, and every sum stays', () => {
    const { rig, db } = ledgerOf();
    const before = db.prepare(`SELECT ${COUNTS} FROM ledger WHERE session_id > 1`).get() as object;
    const hours = new LedgerFold(db, HOUR_US);
    expect(hours.oldestUs()).toBe(HOUR + HOUR_US);
    expect(hours.prune(HOUR + HOUR_US + 30 * MINUTE_US, 10_000)).toBe(120);
    expect(
      db.prepare('SELECT session_id, minute_us, span_us, frames_received FROM ledger WHERE span_us = ?').all(HOUR_US),
    ).toEqual([2, 3].map((session_id) => ({ session_id, minute_us: HOUR, span_us: HOUR_US, frames_received: 180 })));
    expect(hours.prune(HOUR + 10 * HOUR_US, 10_000)).toBe(120);
    expect(hours.prune(HOUR + 10 * HOUR_US, 10_000)).toBe(0);
    expect(db.prepare(`SELECT ${COUNTS} FROM ledger WHERE session_id > 1`).get()).toEqual({ ...before, rows: 4 });
    const days = new LedgerFold(db, DAY_US);
    while (days.prune(HOUR + 40 * DAY_US, 60) > 0);
    expect(db.prepare(`SELECT ${COUNTS} FROM ledger WHERE session_id > 1`).get()).toEqual({ ...before, rows: 2 });
    expect(days.oldestUs()).toBeNull();
    db.close();
    expect(failedChecks(rig.path)).toEqual([]);
  });

  it('keeps the row with the ring positions of a session that runs, and takes it when it is over', () => {
    const { rig, db } = ledgerOf();
    db.exec(`UPDATE sessions SET clean = NULL WHERE id = 2;
      UPDATE ledger SET ring_positions = '[7]' WHERE minute_us = ${HOUR + 30 * MINUTE_US}`);
    const hours = new LedgerFold(db, HOUR_US);
    hours.prune(HOUR + 10 * HOUR_US, 10_000);
    expect(db.prepare('SELECT session_id, count(*) AS rows FROM ledger WHERE session_id > 1 GROUP BY 1').all()).toEqual([
      { session_id: 2, rows: 61 },
      { session_id: 3, rows: 2 },
    ]);
    db.exec('UPDATE sessions SET clean = 0');
    hours.prune(HOUR + 10 * HOUR_US, 10_000);
    expect(db.prepare('SELECT count(*) FROM ledger WHERE session_id = 2').pluck().get()).toBe(2);
    db.close();
    expect(failedChecks(rig.path)).toEqual([]);
  });

  it('stays small in a daemon that runs for longer than its hours are kept', () => {
    const days = 60;
    const rig = new WriterRig({
      options: { 'retention.flows-days': 2, 'retention.minutes-days': 4, 'retention.hours-days': 30 },
    });
    const writer = rig.open();
    for (let day = 0; day < days; day++) {
      const nowMs = NOW_MS + day * DAY_MS;
      for (let part = 0; part < 2; part++) {
        rig.emitAll(flows(1, { emittedUs: (nowMs + part * 12 * HOUR_MS) * 1000 }));
        pass(writer, nowMs + part * 12 * HOUR_MS, nowMs + (part + 1) * 12 * HOUR_MS - 1, 6 * HOUR_MS);
      }
    }
    while (writer.step(NOW_MS + days * DAY_MS, true));
    writer.close(NOW_MS + days * DAY_MS);
    expect(rig.value('SELECT sum(flows_written) FROM ledger')).toBe(2 * days);
    expect(rig.value('SELECT count(*) FROM ledger')).toBeLessThan(2 * days);
    expect(rig.value(`SELECT count(*) FROM ledger WHERE span_us = ${DAY_US}`)).toBeGreaterThan(20);
    expect(rig.value('SELECT count(*) FROM flows')).toBeLessThan(10);
    expect(failedChecks(rig.path)).toEqual([]);
  });
});

describe('losses, as they grow old', () => {
  it('of network cards are joined, and every sum stays', () => {
    const rig = new WriterRig();
    const db = databaseOf(rig);
    for (let minute = 0; minute < 120; minute++)
      for (const name of ['eth0', 'eth1'])
        db.exec(`INSERT INTO nic_losses VALUES (1, ${DAY + minute * MINUTE_US}, '${name}', ${minute + 1}, 60000000)`);
    const hours = new NicLossFold(db, HOUR_US);
    while (hours.prune(DAY + DAY_US, 10) > 0);
    const rows = 'SELECT interface, count(*) AS rows, sum(packets_lost) AS lost FROM nic_losses GROUP BY 1';
    expect(db.prepare(rows).all()).toEqual(['eth0', 'eth1'].map((name) => ({ interface: name, rows: 2, lost: 7260 })));
    const days = new NicLossFold(db, DAY_US);
    while (days.prune(DAY + 2 * DAY_US, 10) > 0);
    expect(db.prepare(rows).all()).toEqual(['eth0', 'eth1'].map((name) => ({ interface: name, rows: 1, lost: 7260 })));
    expect(days.oldestUs()).toBeNull();
    db.close();
  });

  it('of time leave the longest of each day, and those that last', () => {
    const rig = new WriterRig();
    const db = databaseOf(rig);
    const gap = (number: number, startUs: number, seconds: number | null): string =>
      `INSERT INTO gaps VALUES (1, ${number}, 'eth0', 'down', ${startUs}, ${seconds === null ? 'NULL' : startUs + seconds * 1e6});`;
    db.exec(
      [gap(1, DAY, 5), gap(2, DAY + 1e8, 50), gap(3, DAY + 2e8, 20), gap(4, DAY + 3e8, null), gap(5, DAY + DAY_US, 1)].join(''),
    );
    db.exec(gap(6, DAY + DAY_US + 1e8, 0));
    const gaps = new GapPrunable(db);
    expect(gaps.prune(DAY + 1e8, 100)).toBe(1);
    expect(gaps.prune(DAY + 10 * DAY_US, 100)).toBe(1);
    // The last one tells where the numbers of the session go on.
    expect(db.prepare('SELECT number FROM gaps ORDER BY number').pluck().all()).toEqual([2, 4, 5, 6]);
    db.close();
  });

  it('show in completeness_view for the hour that they are joined to', () => {
    const { rig, db } = ledgerOf();
    db.exec(`INSERT INTO nic_losses VALUES (2, ${HOUR + 5 * MINUTE_US}, 'eth0', 9, 60000000);
      INSERT INTO gaps VALUES (3, 1, 'eth0', 'down', ${HOUR + 70 * MINUTE_US}, ${HOUR + 71 * MINUTE_US});
      UPDATE ledger SET drops = '{}', packets_dropped = 0, frames_received = 0`);
    new LedgerFold(db, HOUR_US).prune(HOUR + 10 * HOUR_US, 10_000);
    new NicLossFold(db, HOUR_US).prune(HOUR + 10 * HOUR_US, 10_000);
    db.close();
    expect(
      rig.query(`SELECT session_id, (minute_us - ${HOUR}) / ${HOUR_US} AS hour, span_us, lost_by_nic, has_gap, complete
        FROM completeness_view WHERE session_id > 1 ORDER BY 1, 2`),
    ).toEqual([
      { session_id: 2, hour: 0, span_us: HOUR_US, lost_by_nic: 9, has_gap: 0, complete: 0 },
      { session_id: 2, hour: 1, span_us: HOUR_US, lost_by_nic: 0, has_gap: 0, complete: 1 },
      { session_id: 3, hour: 0, span_us: HOUR_US, lost_by_nic: 0, has_gap: 0, complete: 1 },
      { session_id: 3, hour: 1, span_us: HOUR_US, lost_by_nic: 0, has_gap: 1, complete: 0 },
    ]);
  });

  it('are counted on where a row was joined while the session went on', () => {
    const rig = new WriterRig({ options: { 'batch.rows-min': 1 } });
    const writer = rig.open();
    rig.count(rig.capture, Cell.KernelDropped, 5);
    pass(writer, NOW_MS, NOW_MS + 40 * DAY_MS, HOUR_MS);
    rig.emitAll(flows(2, { emittedUs: (NOW_MS + 40 * DAY_MS) * 1000 }));
    pass(writer, NOW_MS + 40 * DAY_MS, NOW_MS + 41 * DAY_MS, HOUR_MS);
    writer.abandon();
    const next = rig.open(NOW_MS + 41 * DAY_MS);
    while (next.step(NOW_MS + 41 * DAY_MS, true));
    next.close(NOW_MS + 41 * DAY_MS);
    expect(rig.query('SELECT sum(kernel_dropped) AS lost, sum(flows_written) AS flows FROM ledger')).toEqual([
      { lost: 5, flows: 2 },
    ]);
    expect(failedChecks(rig.path)).toEqual([]);
  });
});
