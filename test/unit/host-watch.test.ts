import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/api/metrics.js';
import { HostWatch, SAMPLE_INTERVAL_MS } from '../../src/host/host-watch.js';
import { Doorbell } from '../../src/ring/doorbell.js';
import { Host, HostField, HostMinute } from '../../src/ring/host-layout.js';
import { RecordKind } from '../../src/ring/layout.js';
import { RingProducer } from '../../src/ring/ring.js';
import { ApiPipeline } from '../helpers/api-pipeline.js';
import { FakeHost } from '../helpers/sampled-host.js';

const MIB = 2 ** 20;
const START_US = 1_700_000_000_000_000;
const MINUTE_US = 60e6;
/** The next full minute after the start. */
const FIRST_MINUTE_US = Math.ceil(START_US / MINUTE_US) * MINUTE_US;

/** A watch on a machine that is not there, with the pipeline whose memory it writes to. */
class WatchRig {
  readonly pipeline = new ApiPipeline().running();
  readonly log: string[] = [];
  readonly reduced: boolean[] = [];
  logLines = 0;
  private readonly startMs = this.pipeline.nowMs;
  readonly watch: HostWatch;

  constructor(readonly host = new FakeHost()) {
    this.watch = new HostWatch({
      memory: this.pipeline.memory,
      diskPath: this.host.root,
      memoryLimitBytes: 500 * MIB,
      nowMs: () => this.pipeline.nowMs,
      nowUs: () => START_US + (this.pipeline.nowMs - this.startMs) * 1000,
      log: (level, message) => this.log.push(`${level} ${message}`),
      logMeter: () => ({ lines: this.logLines, bytes: 800, heldBack: 3, lost: 2, writes: 5, isFailing: false }),
      reduceLog: (isReduced) => this.reduced.push(isReduced),
      roots: this.host.roots,
    });
  }

  /** Lets so many seconds pass, with a look every five. */
  pass(seconds: number): this {
    for (let passedMs = 0; passedMs < seconds * 1000; passedMs += SAMPLE_INTERVAL_MS) {
      this.pipeline.pass(SAMPLE_INTERVAL_MS);
      this.watch.look();
    }
    return this;
  }

  control(word: Host): number {
    return this.pipeline.host.control(word);
  }

  get health() {
    return this.pipeline.monitor.health();
  }
}

describe('the watch on the machine', () => {
  it('shows what it saw in /health and /metrics', async () => {
    const rig = new WatchRig();
    rig.host.network(5000, 7000).disk(2, 4);
    rig.pass(5);
    expect(rig.health).toMatchObject({
      status: 'ok',
      host: {
        sample_age_ms: 0,
        temperature_c: 45.5,
        frequency_mhz: 2400,
        throttled: false,
        under_voltage: false,
        throttle_bits: 0,
        resident_bytes: 120 * MIB,
        resident_bytes_max: 500 * MIB,
        io_pressure_percent: 7,
        network_received_bytes: 5000,
        network_sent_bytes: 7000,
        disk_read_bytes: 1024,
        disk_written_bytes: 2048,
        reduced_modes: [],
        log: { lines: 0, bytes: 800, held_back_lines: 3, lost_lines: 2, writes: 5 },
      },
    });
    const text = await new Metrics().render(rig.pipeline.monitor.metricInput());
    expect(text).toContain('\nflowberry_host_temperature_celsius 45.5\n');
    expect(text).toContain('\nflowberry_host_pressure_ratio{resource="io"} 0.07\n');
    expect(text).toContain('\nflowberry_reduced_mode{mode="memory_caches_cleared"} 0\n');
    expect(text).toContain('\nflowberry_log_bytes_total 800\n');
  });

  it('shows no metric of what the machine does not show', async () => {
    const rig = new WatchRig(new FakeHost().remove('sys/class/thermal')).pass(5);
    const text = await new Metrics().render(rig.pipeline.monitor.metricInput());
    expect(text).not.toMatch(/^flowberry_host_temperature_celsius /m);
    expect(rig.health.host.temperature_c).toBe(null);
  });

  it('sums minutes up: least, mean, greatest, growth, all bits', () => {
    const rig = new WatchRig();
    // To the last look before the minute.
    rig.pass(5).host.network(40, 4);
    rig.pass((FIRST_MINUTE_US - START_US) / 1e6 - 10);
    rig.host.network(100, 10);
    rig.pass(5);
    for (let i = 0; i < 12; i++) {
      rig.host
        .temperature(50 + i)
        .network(100 + 10 * (i + 1), 10)
        .throttle(i === 4 ? 1 : i === 7 ? 4 : 0);
      rig.pass(5);
    }
    const { host } = rig.pipeline;
    const minute = host.minute(host.minutesWaiting - 1);
    expect(minute[HostMinute.MinuteUs]).toBe(FIRST_MINUTE_US);
    expect(minute[HostMinute.Samples]).toBe(12);
    expect(minute[HostMinute.ThrottleBits]).toBe(5);
    const at = HostMinute.Gauges + 3 * HostField.TemperatureC;
    // The first sample of the minute was still at 45.5; the last one of the twelve belongs to the next.
    expect([...minute.subarray(at, at + 3)]).toEqual([45.5, (45.5 + 55 * 11) / 12, 60]);
    expect(minute[HostMinute.Counters + HostField.NetworkReceivedBytes - HostField.Gauges]).toBe(170);
  });

  it('keeps an hour of minutes while nobody stores them, then forgets the newest', () => {
    const rig = new WatchRig().pass(90 * 60);
    expect(rig.pipeline.host.minutesWaiting).toBe(HostMinute.CountMax);
    expect(rig.pipeline.host.minute(0)[HostMinute.MinuteUs]).toBe(FIRST_MINUTE_US - MINUTE_US);
    rig.pipeline.host.takeMinutes(10);
    rig.pass(60);
    expect(rig.pipeline.host.minutesWaiting).toBe(HostMinute.CountMax - 9);
  });

  it('notes a mean above 70 °C once five minutes are over, although no sample is hot', () => {
    const rig = new WatchRig();
    rig.host.temperature(71);
    rig.pass(295);
    expect(rig.health.notes).toEqual([]);
    rig.pass(5);
    expect(rig.health).toMatchObject({ status: 'ok', notes: [{ code: 'host_warm' }] });
    rig.host.temperature(60);
    rig.pass(60);
    expect(rig.health.notes).toEqual([]);
  });

  it('counts lines of the log by minute', () => {
    const rig = new WatchRig().pass(60);
    rig.logLines = 40;
    rig.pass(60);
    expect(rig.health.host.log.last_minute_lines).toBe(40);
    rig.pass(60);
    expect(rig.health.host.log.last_minute_lines).toBe(0);
  });

  it('has the threads do less while memory is short, says each step once, and undoes it', () => {
    const rig = new WatchRig();
    rig.host.residentMib(450);
    rig.pass(40);
    expect([rig.control(Host.AreCachesSmall), rig.control(Host.FlowTablePercent)]).toEqual([1, 100]);
    rig.pass(80);
    expect([rig.control(Host.FlowTablePercent), rig.control(Host.AreRollupsCoarser)]).toEqual([50, 1]);
    expect(rig.health).toMatchObject({ status: 'degraded', reasons: [{ code: 'reduced_mode' }] });
    rig.host.residentMib(100);
    rig.pass(1000);
    expect([rig.control(Host.AreCachesSmall), rig.control(Host.FlowTablePercent), rig.control(Host.AreRollupsCoarser)]).toEqual([
      0, 100, 0,
    ]);
    expect(rig.health).toMatchObject({
      status: 'ok',
      host: {
        reduced_modes: [],
        reduced_mode_counts: { memory_caches_cleared: 1, memory_flow_table_smaller: 1, memory_rollups_coarser: 1 },
      },
    });
    expect(rig.log).toHaveLength(6);
    expect(rig.log[0]).toBe('warn reduced mode begins: memory_caches_cleared: 450 of 500 MiB of memory are in use');
    expect(rig.log[5]).toBe('warn reduced mode ends: memory_caches_cleared: it is not needed any more');
  });

  it('goes by another limit of memory at once', () => {
    const rig = new WatchRig().pass(60);
    rig.watch.limitMemory(130 * MIB);
    rig.pass(40);
    expect(rig.health.host.reduced_modes).toEqual(['memory_caches_cleared']);
  });

  it('slows chores down for heat or load until neither is left', () => {
    const rig = new WatchRig();
    rig.host.temperature(85);
    rig.pass(10);
    expect(rig.control(Host.ChoreIntervalMs)).toBe(500);
    expect(rig.health.reasons.map(({ code }) => code)).toEqual(['host_hot']);
    expect(rig.health.host.reduced_modes).toEqual(['heat_chores_slowed']);
    rig.host.temperature(50);
    rig.pass(70);
    expect(rig.control(Host.ChoreIntervalMs)).toBe(0);
  });

  it('has parse workers leave payload unread while a ring fills', () => {
    const rig = new WatchRig();
    const ring = rig.pipeline.memory.frameRings[1] as SharedArrayBuffer;
    const producer = new RingProducer(ring, new Doorbell(rig.pipeline.memory.parse[1] as SharedArrayBuffer));
    while (producer.tryPush(RecordKind.Frame, 1000) >= 0);
    producer.publish();
    rig.pass(40);
    expect(rig.control(Host.IsPayloadUnread)).toBe(1);
    expect(rig.health.host.reduced_modes).toEqual(['load_chores_slowed', 'load_payload_unread']);
  });

  it('counts reloads, and leaves the log as it was when it stops', () => {
    const rig = new WatchRig();
    rig.watch.countReload(true);
    rig.watch.countReload(true);
    rig.watch.countReload(false);
    expect(rig.health.host).toMatchObject({ config_reloads: 2, config_reloads_refused: 1 });
    rig.watch.stop();
    expect(rig.reduced).toEqual([false]);
  });
});
