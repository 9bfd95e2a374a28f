import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ENDPOINTS } from '../../src/api/endpoint/endpoints.js';
import { HostBlock } from '../../src/ring/host-block.js';
import { HostCell, HostField, HostMinute, ThrottleBit } from '../../src/ring/host-layout.js';
import { monotonicMs } from '../../src/ring/thread-block.js';
import { hostHistory } from '../../src/store/reader/host-history.js';
import type { Writer } from '../../src/store/writer.js';
import { get, HAS_BUILD, type ServedApi, serveRig } from '../helpers/api-store.js';
import { flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { plansThatScan } from '../helpers/query-plans.js';

const MINUTE_US = 60e6;
/** An even minute, so that steps of two minutes begin there. */
const FIRST_US = Math.floor((NOW_MS * 1000) / (2 * MINUTE_US)) * 2 * MINUTE_US;

interface MinuteSpec {
  readonly samples?: number;
  readonly bits?: number;
  /** Least, mean and greatest by gauge; the others are not known. */
  readonly gauges?: Readonly<Partial<Record<HostField, readonly [number, number, number]>>>;
  readonly writtenBytes?: number;
}

function minute(index: number, { samples = 12, bits, gauges = {}, writtenBytes }: MinuteSpec): Float64Array {
  const values = new Float64Array(HostMinute.Words).fill(Number.NaN);
  values[HostMinute.MinuteUs] = FIRST_US + index * MINUTE_US;
  values[HostMinute.Samples] = samples;
  if (bits !== undefined) values[HostMinute.ThrottleBits] = bits;
  for (const [gauge, spread] of Object.entries(gauges)) values.set(spread, HostMinute.Gauges + 3 * Number(gauge));
  const counter = HostField.DiskWrittenBytes - HostField.Gauges;
  if (writtenBytes !== undefined) values[HostMinute.Counters + counter] = writtenBytes;
  return values;
}

describe.skipIf(!HAS_BUILD)('/api/v1/system (needs npm run build)', () => {
  let directory: string;
  let served: ServedApi;
  let host: HostBlock;
  let writer: Writer;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'flowberry-system-'));
    const rig = new WriterRig({ path: join(directory, 'flowberry.db') });
    host = new HostBlock(rig.memory.host);
    const minutes: MinuteSpec[] = [
      {
        bits: ThrottleBit.UnderVoltage | (ThrottleBit.UnderVoltage << 16),
        gauges: {
          [HostField.CpuPercent]: [1, 10, 50],
          [HostField.TemperatureC]: [50.2, 51, 52],
          [HostField.DiskFreeBytes]: [100, 110, 120],
        },
        writtenBytes: 1000,
      },
      {
        samples: 4,
        bits: ThrottleBit.Throttled,
        gauges: { [HostField.CpuPercent]: [5, 30, 90.5], [HostField.DiskFreeBytes]: [90, 95, 99] },
        writtenBytes: 24,
      },
      {},
    ];
    for (const [index, spec] of minutes.entries()) host.pushMinute(minute(index, spec));
    writer = rig.open(NOW_MS);
    rig.emit(flow());
    writer.step(NOW_MS, true);
    served = await serveRig(rig);
  });
  afterAll(async () => {
    writer?.abandon();
    await served?.api.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const ask = async (query: string) => {
    const got = await get(served.port, `/api/v1/system?${query}`);
    return { ...got, body: JSON.parse(got.text) };
  };
  const PAST = `since=${FIRST_US + 1}&until=${FIRST_US + 5 * MINUTE_US}`;

  it('adds minutes up to steps: least, mean by samples, greatest, sums; what is not known is null', async () => {
    const { body, headers } = await ask(`${PAST}&step_s=120`);
    const [first, second, third] = body.points;
    expect(body).toMatchObject({
      from_us: FIRST_US,
      to_us: FIRST_US + 6 * MINUTE_US,
      reaches_us: FIRST_US + 3 * MINUTE_US,
      step_us: 2 * MINUTE_US,
      now: null,
    });
    expect(body.points).toHaveLength(3);
    expect(first).toMatchObject({
      start_us: FIRST_US,
      samples: 16,
      throttle_bits: ThrottleBit.UnderVoltage | ThrottleBit.Throttled,
      under_voltage: true,
      throttled: true,
      cpu_percent: { min: 1, mean: 15, max: 90.5 },
      temperature_c: { min: 50.2, mean: 51, max: 52 },
      disk_free_bytes: { min: 90, mean: 106, max: 120 },
      frequency_mhz: null,
      disk_written_bytes: 1024,
      network_sent_bytes: null,
    });
    expect(second).toMatchObject({ samples: 12, throttle_bits: null, under_voltage: null, throttled: null, cpu_percent: null });
    expect(third).toMatchObject({
      start_us: FIRST_US + 4 * MINUTE_US,
      samples: 0,
      temperature_c: null,
      disk_written_bytes: null,
    });
    const schema = ENDPOINTS.find(({ name }) => name === 'system')?.answer;
    expect(schema?.parse(body)).toEqual(body);
    expect(headers['etag']).toMatch(/^"/);
    const again = await get(served.port, `/api/v1/system?${PAST}&step_s=120`, {
      headers: { 'if-none-match': String(headers['etag']) },
    });
    expect(again.status).toBe(304);
  });

  it('shows the machine as it is now, where the time goes up to now', async () => {
    expect((await ask('since=1h')).body.now).toMatchObject({ sample_age_ms: null, cpu_percent: null });
    host.fields[HostField.TemperatureC] = 61.24;
    host.fields[HostField.ThrottleBits] = ThrottleBit.FrequencyCapped;
    host.cells[HostCell.SampledMs] = monotonicMs();
    const { body, headers } = await ask('since=2h');
    expect(body.now).toMatchObject({ temperature_c: 61.2, throttled: true, under_voltage: false });
    expect(body.now.sample_age_ms).toBeGreaterThanOrEqual(0);
    expect(headers['etag']).toMatch(/^W\//);
    expect((await ask('since=2h&until=30m')).body.now).toBeNull();
  });

  it('refuses steps that are none, and those that make too many points', async () => {
    for (const query of ['step_s=61', 'step_s=30', 'since=30d&step_s=60', 'since=1h&until=2h', 'device=1']) {
      const { status, body } = await ask(query);
      expect([status, body.status], query).toEqual([400, 400]);
    }
    const { body } = await ask('since=0');
    expect(body.points.length).toBeLessThanOrEqual(300);
  });
});

describe('the history of the machine', () => {
  const MINUTES = 90 * 1440;

  /** A quarter of a year, each minute with 8 GB of memory free and 4 TB of disk. */
  function quarter() {
    const rig = new WriterRig();
    rig.store([]);
    rig.execute(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${MINUTES - 1})
      INSERT INTO host_samples (minute_us, samples, cpu_permille_min, cpu_permille_mean, cpu_permille_max, disk_free_bytes_min,
        disk_free_bytes_mean, disk_free_bytes_max, network_received_bytes)
      SELECT ${FIRST_US} + i * ${MINUTE_US}, 12, i % 7, 100 + i % 3, 200 + i % 11, 4e12, 4e12, 4e12, 75e8 FROM n`);
    const db = new Database(rig.path, { readonly: true });
    onTestFinished(() => {
      db.close();
    });
    return db;
  }

  it('is read by time, however long it is, and its answers are bounded', () => {
    const db = quarter();
    const whole = hostHistory(db, { fromUs: FIRST_US, toUs: FIRST_US + MINUTES * MINUTE_US });
    expect(whole.points.length).toBeLessThanOrEqual(300);
    expect(whole.points.reduce((sum, { samples }) => sum + samples, 0)).toBe(12 * MINUTES);
    expect(whole.points[1]).toMatchObject({
      cpu_percent: { min: 0, mean: 10.1, max: 21 },
      disk_free_bytes: { min: 4e12, mean: 4e12, max: 4e12 },
    });
    const byMinute = hostHistory(db, { fromUs: FIRST_US + 1e6, toUs: FIRST_US + 1440 * MINUTE_US }, 60);
    expect(byMinute.points).toHaveLength(1440);
    expect(byMinute.points.every(({ samples }) => samples === 12)).toBe(true);
    expect(plansThatScan(db, ['host_samples'])).toEqual([]);
  });

  it('is empty where nothing was ever stored', () => {
    const rig = new WriterRig();
    rig.store([]);
    const db = new Database(rig.path, { readonly: true });
    onTestFinished(() => {
      db.close();
    });
    const { points, reachesUs } = hostHistory(db, { fromUs: FIRST_US, toUs: FIRST_US + MINUTE_US });
    expect([points.map(({ samples }) => samples), reachesUs]).toEqual([[0], null]);
  });
});
