import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { TcpState } from '../../src/ring/layout.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import { Cell } from '../../src/ring/thread-block.js';
import { walBytes } from '../../src/store/upkeep/file-room.js';
import type { Writer } from '../../src/store/writer.js';
import { flow, flows, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { kept, REFUSE } from '../helpers/kept.js';
import { DAY_MS, failedChecks, HOUR_MS, pass, passUntil } from '../helpers/upkeep.js';

const NOW_US = NOW_MS * 1000;
const ONE_BY_ONE = { 'batch.rows-min': 1 };

/** A rig, and how its writer is told of other options than those of the start. */
function running(options: OptionValues = {}) {
  const rig = new WriterRig({ options: { ...ONE_BY_ONE, ...options } });
  const writer = rig.open();
  const reload = (changed: OptionValues, nowMs: number): void =>
    writer.reconfigure(configOf(rig, { ...options, ...changed }), nowMs);
  return { rig, writer, reload };
}

function configOf(rig: WriterRig, options: OptionValues) {
  const own = { 'db.path': rig.path, 'ring.flow-bytes': rig.config.ringFlowBytes, 'store.profile': 'ssd' };
  return resolveConfig({ ...ONE_BY_ONE, ...own, ...options });
}

/** All that the writer has to do now. */
function settle(writer: Writer, nowMs: number): void {
  while (writer.step(nowMs, false));
}

const flowCount = (rig: WriterRig): number => rig.value('SELECT count(*) FROM flows');
const alertsOf = (rig: WriterRig, kind: string): string[] =>
  rig.query<{ subject: string }>(`SELECT subject FROM alert_view WHERE kind = '${kind}'`).map(({ subject }) => subject);

describe('retention that is read again', () => {
  it('deletes at once what is too old by then, and no more', () => {
    const { rig, writer, reload } = running({ 'retention.flows-days': 7 });
    rig.emitAll(flows(5));
    pass(writer, NOW_MS, NOW_MS + 3 * DAY_MS, HOUR_MS / 2);
    const nowMs = NOW_MS + 3 * DAY_MS + 1;
    rig.emit(flow({ emittedUs: nowMs * 1000 }));
    settle(writer, nowMs);
    expect(flowCount(rig)).toBe(6);
    reload({ 'retention.flows-days': 4 }, nowMs);
    settle(writer, nowMs);
    expect(flowCount(rig)).toBe(6);
    reload({ 'retention.flows-days': 2 }, nowMs);
    settle(writer, nowMs);
    expect(flowCount(rig)).toBe(1);
    writer.close(nowMs);
    expect(failedChecks(rig.path)).toEqual([]);
  });

  it('deletes sums that are too old by then without waiting for the hour', () => {
    const { rig, writer, reload } = running({ 'retention.minutes-days': 30 });
    const nowMs = NOW_MS + 3 * DAY_MS;
    const halfwayMs = nowMs - DAY_MS / 2;
    rig.emitAll(flows(5));
    pass(writer, NOW_MS, halfwayMs, HOUR_MS / 2);
    // Minutes are joined to hours when there is a later one.
    rig.emit(flow({ startUs: halfwayMs * 1000, endUs: halfwayMs * 1000, emittedUs: halfwayMs * 1000 }));
    pass(writer, halfwayMs, nowMs, HOUR_MS / 2);
    expect(rig.value('SELECT count(*) FROM rollup_direction_minute')).toBe(2);
    reload({ 'retention.minutes-days': 1 }, nowMs);
    settle(writer, nowMs);
    expect(rig.value('SELECT count(*) FROM rollup_direction_minute')).toBe(1);
    writer.abandon();
  });

  it('keeps for longer what was too old before', () => {
    const { rig, writer, reload } = running({ 'retention.flows-days': 1 });
    rig.emitAll(flows(5));
    reload({ 'retention.flows-days': 0 }, NOW_MS);
    pass(writer, NOW_MS, NOW_MS + 3 * DAY_MS, HOUR_MS / 2);
    expect(flowCount(rig)).toBe(5);
    writer.abandon();
  });

  it('does not believe a clock that has leapt because of it', () => {
    const { rig, writer, reload } = running({ 'retention.flows-days': 7 });
    rig.emitAll(flows(5));
    settle(writer, NOW_MS);
    const nowMs = NOW_MS + 3650 * DAY_MS;
    reload({ 'retention.flows-days': 1 }, nowMs);
    settle(writer, nowMs);
    expect(flowCount(rig)).toBe(5);
    writer.abandon();
  });

  it('makes room at once for a smaller limit of the file, and stops when that is gone', () => {
    const { rig, writer } = running({ 'ring.flow-bytes': 16_777_216, 'batch.rows-max': 500 });
    rig.emitAll(flows(40_000));
    const nowMs = NOW_MS + 600_000;
    pass(writer, NOW_MS, nowMs);
    const bytesUsed = (): number =>
      (rig.value('PRAGMA page_count') - rig.value('PRAGMA freelist_count')) * rig.value('PRAGMA page_size');
    const bytesMax = 2_000_000;
    expect(bytesUsed()).toBeGreaterThan(bytesMax);
    // Options allow no limit that is so small.
    writer.reconfigure({ ...rig.config, retentionFileBytesMax: bytesMax }, nowMs);
    settle(writer, nowMs);
    expect(bytesUsed()).toBeLessThan(bytesMax);
    const left = flowCount(rig);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(40_000);
    writer.reconfigure(rig.config, nowMs);
    rig.emitAll(flows(20_000, { emittedUs: nowMs * 1000 }));
    settle(writer, nowMs);
    expect(flowCount(rig)).toBe(left + 20_000);
    writer.abandon();
  });

  it('keeps the log shorter for a smaller limit of the file', () => {
    const logBytes = (changed: OptionValues): number => {
      const { rig, writer, reload } = running({ 'ring.flow-bytes': 16_777_216, 'batch.rows-max': 500 });
      reload(changed, NOW_MS);
      rig.emitAll(flows(40_000));
      settle(writer, NOW_MS);
      const bytes = walBytes(rig.path);
      writer.abandon();
      return bytes;
    };
    const bytesMax = 16_777_216;
    expect(logBytes({})).toBeGreaterThan(bytesMax / 8);
    expect(logBytes({ 'retention.file-bytes-max': bytesMax })).toBeLessThan(bytesMax / 8);
  });
});

describe('maintenance that is read again', () => {
  it('has the file checked as often as it says then', async () => {
    const never = { 'maintenance.quick-check-days': 0, 'maintenance.full-check-days': 0 };
    const { rig, writer, reload } = running(never);
    rig.emitAll(flows(10));
    pass(writer, NOW_MS, NOW_MS + 10 * DAY_MS, DAY_MS / 2);
    expect(rig.writerBlock.cell(Cell.FileCheckedUs)).toBe(0);
    reload({ 'maintenance.quick-check-days': 7 }, NOW_MS + 10 * DAY_MS);
    const isDone = (): boolean => rig.writerBlock.cell(Cell.FileCheckedUs) > 0;
    const doneMs = await passUntil(writer, NOW_MS + 10 * DAY_MS, isDone, 60_000);
    expect(rig.query(`SELECT task, result FROM upkeep WHERE task LIKE '%check'`)).toEqual([
      { task: 'quick_check', result: 'ok' },
    ]);
    reload({ 'maintenance.quick-check-days': 0 }, doneMs);
    pass(writer, doneMs, doneMs + 30 * DAY_MS, DAY_MS / 2);
    expect(rig.writerBlock.cell(Cell.FileCheckedUs)).toBe(doneMs * 1000);
    writer.abandon();
  });

  it('has the log moved into the file as often as it says then', () => {
    const { rig, writer, reload } = running({ 'maintenance.checkpoint-s': 3600 });
    rig.emitAll(flows(10));
    pass(writer, NOW_MS, NOW_MS + 100_000, 10_000);
    const pagesMoved = (): number => {
      const db = new Database(rig.path);
      const [log] = db.pragma('wal_checkpoint(NOOP)') as [{ checkpointed: number }];
      db.close();
      return log.checkpointed;
    };
    const before = pagesMoved();
    reload({ 'maintenance.checkpoint-s': 10 }, NOW_MS + 100_000);
    pass(writer, NOW_MS + 110_000, NOW_MS + 120_000, 10_000);
    expect(walBytes(rig.path)).toBeGreaterThan(0);
    expect(pagesMoved()).toBeGreaterThan(before);
    writer.abandon();
  });
});

describe('alerts that are read again', () => {
  /** Ports of one host that another one tries without an answer. */
  function scan(rig: WriterRig, src: string, ports: number, startMs: number): void {
    for (let port = 1; port <= ports; port++) {
      const us = startMs * 1000 + port;
      rig.emit(flow({ src, dstPort: port, protocol: 6, tcpState: TcpState.Attempt, startUs: us, endUs: us, emittedUs: us }));
    }
  }

  it('know a scan by the new threshold', () => {
    const { rig, writer, reload } = running({ 'alerts.port-scan-targets': 100 });
    scan(rig, '192.168.1.2', 30, NOW_MS);
    settle(writer, NOW_MS + 1000);
    reload({ 'alerts.port-scan-targets': 20 }, NOW_MS + 1000);
    scan(rig, '192.168.1.3', 30, NOW_MS + 2000);
    scan(rig, '192.168.1.4', 10, NOW_MS + 3000);
    settle(writer, NOW_MS + 4000);
    expect(alertsOf(rig, 'port_scan')).toEqual(['192.168.1.3']);
    writer.abandon();
  });

  it('tell of a device as soon as nothing is learnt any more, until that is switched off', () => {
    const { rig, writer, reload } = running();
    const see = (last: number, atMs: number): void => {
      const mac = `02:00:00:00:00:0${last}`;
      rig.emitDevice({
        emittedUs: atMs * 1000,
        seenUs: atMs * 1000,
        source: DeviceSource.Mdns,
        mac,
        ip: `10.0.0.${last}`,
        name: 'a',
      });
      settle(writer, atMs);
    };
    see(1, NOW_MS + 1000);
    reload({ 'alerts.learning-hours': 0 }, NOW_MS + 1000);
    see(2, NOW_MS + 2000);
    reload({ 'alerts.new-device': false }, NOW_MS + 2000);
    see(3, NOW_MS + 3000);
    expect(alertsOf(rig, 'new_device')).toEqual(['02:00:00:00:00:02']);
    writer.abandon();
  });

  it('compare with the new quota at once', () => {
    const { rig, writer, reload } = running();
    rig.emit(flow({ ...TIMES, src: '192.168.1.2', ipBytes: [2_000_000, 0], wireBytes: [2_000_000, 0] }));
    pass(writer, NOW_MS + 1000, NOW_MS + 600_000, 60_000);
    expect(alertsOf(rig, 'quota')).toEqual([]);
    reload({ 'alerts.quota-mb-per-day': 1 }, NOW_MS + 600_000);
    settle(writer, NOW_MS + 600_001);
    expect(alertsOf(rig, 'quota')).toEqual(['192.168.1.2']);
    writer.abandon();
  });
});

const TIMES = { startUs: NOW_US, endUs: NOW_US, emittedUs: NOW_US };

describe('a writer that takes the place of one that failed', () => {
  it('goes by what was read last', () => {
    const writer = kept({ options: { ...ONE_BY_ONE, 'alerts.learning-hours': 0, 'alerts.new-device': false } });
    const { rig } = writer;
    writer.emit(1);
    writer.pass(1000);
    writer.writer.reconfigure(configOf(rig, { 'alerts.learning-hours': 0, 'alerts.new-device': true }), writer.nowMs);
    const before = writer.writer.current;
    rig.execute(REFUSE);
    writer.emit(1);
    writer.pass(10_000);
    rig.execute('DROP TRIGGER refuse');
    writer.pass(10_000);
    expect(writer.writer.current).not.toBe(before);
    const us = writer.nowMs * 1000;
    rig.emitDevice({ emittedUs: us, seenUs: us, source: DeviceSource.Mdns, mac: '02:00:00:00:00:01', ip: '10.0.0.1', name: 'a' });
    writer.pass(1000);
    expect(alertsOf(rig, 'new_device')).toEqual(['02:00:00:00:00:01']);
    writer.close();
  });
});
