import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { HostBlock } from '../../src/ring/host-block.js';
import { Host, HostField, HostMinute } from '../../src/ring/host-layout.js';
import { HostOrders } from '../../src/store/host-samples/host-orders.js';
import { flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { DAY_MS, HOUR_MS, pass } from '../helpers/upkeep.js';

const MINUTE_US = 60e6;
const FIRST_US = Math.floor((NOW_MS * 1000) / MINUTE_US) * MINUTE_US;

/** A minute with all values known: gauges 1.04, 2.04, … as least, twice that as mean, thrice as greatest; counters 100, 101, … */
function minute(minuteUs: number): Float64Array {
  const values = new Float64Array(HostMinute.Words);
  values[HostMinute.MinuteUs] = minuteUs;
  values[HostMinute.Samples] = 12;
  values[HostMinute.ThrottleBits] = 5;
  for (let gauge = 0; gauge < HostField.Gauges; gauge++)
    for (let i = 0; i < 3; i++) values[HostMinute.Gauges + 3 * gauge + i] = (gauge + 1.04) * (i + 1);
  for (let counter = 0; counter < HostField.Counters; counter++) values[HostMinute.Counters + counter] = 100 + counter;
  return values;
}

function rigWith(minutes: number): { rig: WriterRig; host: HostBlock } {
  const rig = new WriterRig();
  const host = new HostBlock(rig.memory.host);
  for (let i = 0; i < minutes; i++) host.pushMinute(minute(FIRST_US + i * MINUTE_US));
  return { rig, host };
}

describe('minutes of the machine', () => {
  it('are stored with a batch, each value in its column', () => {
    const { rig, host } = rigWith(2);
    const writer = rig.open();
    rig.emit(flow());
    writer.step(NOW_MS, true);
    expect(host.minutesWaiting).toBe(0);
    expect(rig.query('SELECT minute_us, samples, throttle_bits FROM host_samples')).toEqual([
      { minute_us: FIRST_US, samples: 12, throttle_bits: 5 },
      { minute_us: FIRST_US + MINUTE_US, samples: 12, throttle_bits: 5 },
    ]);
    expect(rig.query('SELECT * FROM host_samples')[0]).toMatchObject({
      cpu_permille_min: 10,
      cpu_permille_mean: 21,
      cpu_permille_max: 31,
      process_cpu_permille_min: 20,
      frequency_mhz_mean: 6,
      temperature_mc_min: 4040,
      temperature_mc_max: 12_120,
      memory_available_bytes_min: 5,
      resident_bytes_min: 6,
      cpu_pressure_permille_min: 70,
      memory_pressure_permille_min: 80,
      io_pressure_permille_min: 90,
      disk_free_bytes_max: 30,
      disk_read_bytes: 100,
      disk_written_bytes: 101,
      network_received_bytes: 102,
      network_sent_bytes: 103,
    });
    writer.abandon();
  });

  it('wait for a batch, and are worth a transaction of their own once there are fifteen', () => {
    const { rig, host } = rigWith(14);
    const writer = rig.open();
    writer.step(NOW_MS + 60_000, false);
    expect(host.minutesWaiting).toBe(14);
    host.pushMinute(minute(FIRST_US + 14 * MINUTE_US));
    writer.step(NOW_MS + 120_000, false);
    expect(host.minutesWaiting).toBe(0);
    expect(rig.value('SELECT count(*) FROM host_samples')).toBe(15);
    writer.abandon();
  });

  it('are stored at the end, and what is not known is NULL', () => {
    const { rig, host } = rigWith(0);
    const unknown = minute(FIRST_US);
    unknown.fill(Number.NaN, HostMinute.ThrottleBits);
    host.pushMinute(unknown);
    rig.store([]);
    expect(rig.query('SELECT throttle_bits, cpu_permille_mean, network_sent_bytes FROM host_samples')).toEqual([
      { throttle_bits: null, cpu_permille_mean: null, network_sent_bytes: null },
    ]);
  });

  it('are neither lost nor doubled when the database refuses, or the writer dies before it could say so', () => {
    const { rig, host } = rigWith(3);
    const writer = rig.open();
    rig.execute("CREATE TRIGGER refuse BEFORE INSERT ON host_samples BEGIN SELECT RAISE(FAIL, 'no'); END");
    rig.emit(flow());
    writer.step(NOW_MS, true);
    expect([host.minutesWaiting, rig.value('SELECT count(*) FROM flows')]).toEqual([3, 0]);
    rig.execute('DROP TRIGGER refuse');
    writer.step(NOW_MS + 10_000, true);
    expect([host.minutesWaiting, rig.value('SELECT count(*) FROM host_samples')]).toEqual([0, 3]);
    writer.abandon();
    host.setControl(Host.MinutesTaken, 0);
    rig.store([flow()]);
    expect(rig.value('SELECT count(*) FROM host_samples')).toBe(3);
  });

  it('are forgotten after ninety days', () => {
    const { rig, host } = rigWith(1);
    rig.emit(flow());
    const writer = rig.open();
    const endMs = NOW_MS + 91 * DAY_MS;
    pass(writer, NOW_MS, endMs - DAY_MS / 2, DAY_MS / 2);
    expect(rig.value('SELECT count(*) FROM host_samples')).toBe(1);
    host.pushMinute(minute(endMs * 1000));
    rig.emit(flow());
    pass(writer, endMs, endMs + 2 * HOUR_MS, HOUR_MS);
    expect(rig.query('SELECT minute_us FROM host_samples')).toEqual([{ minute_us: endMs * 1000 }]);
    writer.abandon();
  });

  it('are not forgotten by a clock that has leapt ahead', () => {
    const { rig, host } = rigWith(1);
    rig.store([flow()]);
    const aheadMs = NOW_MS + 3650 * DAY_MS;
    host.pushMinute(minute(aheadMs * 1000));
    const writer = rig.open(aheadMs);
    rig.emit(flow({ emittedUs: aheadMs * 1000 }));
    pass(writer, aheadMs, aheadMs + 5 * HOUR_MS, HOUR_MS / 2);
    expect(rig.value('SELECT count(*) FROM host_samples')).toBe(2);
    writer.abandon();
  });
});

describe('orders to the writer', () => {
  it('space chores out, whatever the clock does', () => {
    const { rig, host } = rigWith(0);
    rig.store([]);
    const db = new Database(rig.path);
    const orders = new HostOrders(rig.memory.host, db);
    db.close();
    const mayChore = (...times: number[]): boolean[] => times.map((ms) => orders.mayChore(NOW_MS + ms));
    orders.chored(NOW_MS);
    expect(mayChore(0, 1)).toEqual([true, true]);
    host.setControl(Host.ChoreIntervalMs, 500);
    expect(mayChore(0, 499, 500, -1)).toEqual([false, false, true, true]);
  });

  it('have a long flow take one row of the sums by minute, not one for each minute, and write them as soon', () => {
    const { rig, host } = rigWith(0);
    const writer = rig.open();
    const pass = (minute: number, src: string): void => {
      const nowMs = NOW_MS + minute * 60_000;
      const us = nowMs * 1000 - 2 * MINUTE_US;
      rig.emit(flow({ src, packets: [100, 100], startUs: us, endUs: us + MINUTE_US + 1e6, emittedUs: nowMs * 1000 }));
      for (const ms of [0, 60_000]) writer.step(nowMs + ms, true);
    };
    const rows = (ip: string): unknown => rig.value(`SELECT count(*) FROM device_minute_view WHERE ip = '${ip}'`);
    pass(0, '192.168.1.10');
    expect(rows('192.168.1.10')).toBe(2);
    host.setControl(Host.AreRollupsCoarser, 1);
    pass(1, '192.168.1.11');
    pass(2, '192.168.1.12');
    expect(rows('192.168.1.12')).toBe(1);
    host.setControl(Host.AreRollupsCoarser, 0);
    pass(3, '192.168.1.13');
    pass(12, '192.168.1.14');
    expect(rows('192.168.1.14')).toBe(2);
    writer.close(NOW_MS + 20 * 60_000);
  });

  it('give the page cache back while memory is short', () => {
    const { rig, host } = rigWith(0);
    const writer = rig.open();
    const cache = (): unknown =>
      (writer as unknown as { database: { db: { pragma(sql: string): unknown } } }).database.db.pragma('cache_size');
    const before = cache();
    host.setControl(Host.AreCachesSmall, 1);
    writer.step(NOW_MS, false);
    expect(cache()).toEqual([{ cache_size: -2048 }]);
    host.setControl(Host.AreCachesSmall, 0);
    writer.step(NOW_MS, false);
    expect(cache()).toEqual(before);
    writer.abandon();
  });
});
