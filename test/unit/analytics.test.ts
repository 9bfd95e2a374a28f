import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TcpState } from '../../src/ring/layout.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import { deviceDetail } from '../../src/store/reader/analytics/device.js';
import { dns as dnsAnswer } from '../../src/store/reader/analytics/dns.js';
import { quality } from '../../src/store/reader/analytics/quality.js';
import { series } from '../../src/store/reader/analytics/series.js';
import { summary } from '../../src/store/reader/analytics/summary.js';
import { top } from '../../src/store/reader/analytics/top.js';
import { SCHEMA_VERSION } from '../../src/store/schema.js';
import { type FlowSpec, flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { type DnsSpec, dns } from '../helpers/name-records.js';

const NOW_US = NOW_MS * 1000;
const MINUTE_US = 60_000_000;
const HOUR = { fromUs: NOW_US - 60 * MINUTE_US, toUs: NOW_US };
const OUT = {
  src: '192.168.1.10',
  dst: '9.9.9.9',
  protocol: 6,
  dstPort: 443,
  packets: [10, 20],
  ipBytes: [1_000, 20_000],
} as const;
const MAC = '02:00:00:00:00:01';

/** A connection to the database of a session in which these were stored. */
function stored(
  specs: readonly Partial<FlowSpec>[],
  transactions: readonly Partial<DnsSpec>[] = [],
  local = 'private',
): Database.Database {
  const rig = new WriterRig({ options: { 'store.local-networks': local, 'ring.flow-bytes': 1_048_576 } });
  const writer = rig.open();
  const ends = { startUs: NOW_US - 5 * MINUTE_US, endUs: NOW_US - 5 * MINUTE_US + 1_000 };
  specs.forEach((spec, index) => {
    rig.emit(flow({ ...ends, emittedUs: NOW_US + index * 10, ...spec }));
  });
  transactions.forEach((transaction, index) => {
    rig.emitDns(dns({ seenUs: NOW_US - MINUTE_US, emittedUs: NOW_US + index * 10, ...transaction }));
  });
  for (const ip of ['192.168.1.10', '192.168.1.11'])
    rig.emitDevice({ emittedUs: NOW_US, seenUs: NOW_US, source: DeviceSource.Arp, mac: MAC, ip });
  while (writer.step(NOW_MS, true));
  writer.close(NOW_MS);
  const db = new Database(rig.path, { readonly: true });
  onTestFinished(() => {
    db.close();
  });
  return db;
}

describe('directions', () => {
  const both = { packets: [1, 2], ipBytes: [100, 200], wireBytes: [110, 220] } as const;
  it.each([
    ['outbound', { src: '10.0.0.1', dst: '8.8.8.8' }, [1, 2]],
    ['inbound', { src: '8.8.8.8', dst: '10.0.0.1' }, [2, 1]],
    ['internal', { src: '10.0.0.1', dst: '172.16.0.9' }, [1, 2]],
    ['internal', { src: 'fe80::1', dst: 'ff02::fb' }, [1, 2]],
    ['transit', { src: '100.64.0.1', dst: '8.8.8.8' }, [1, 2]],
  ] as const)('%s: %o', (direction, ends, [out, into]) => {
    const { directions, total } = summary(stored([{ ...both, ...ends }]), HOUR);
    expect(directions[direction]).toMatchObject({ flows: 1, packetsOut: out, packetsIn: into, bytesOut: out * 100 });
    expect(directions[direction]).toMatchObject({ wireBytesOut: out * 110, wireBytesIn: into * 110 });
    expect(total).toEqual(directions[direction]);
  });

  it('go by store.local-networks', () => {
    const specs = [{ src: '2001:db8:5::1', dst: '2001:db8:6::1' }];
    const { directions } = summary(stored(specs, [], 'private,2001:db8:5::/48'), HOUR);
    expect(directions.outbound.flows).toBe(1);
  });
});

describe('top', () => {
  const named = (sni: string, spec: Partial<FlowSpec>): Partial<FlowSpec> => ({ ...OUT, details: { sni }, ...spec });
  const db = () =>
    stored([
      named('a.example', {}),
      named('a.example', { src: '192.168.1.11' }),
      named('b.example', { src: '192.168.1.20', ipBytes: [90_000, 0], packets: [1, 0] }),
      { src: '192.168.1.20', dst: '192.168.1.10', ipBytes: [7, 8], packets: [1, 1] },
    ]);

  it('adds the addresses of a device up, and counts a flow between two devices for both', () => {
    const { rows, complete } = top(db(), { ...HOUR, subject: 'devices' });
    expect(complete).toBe(true);
    expect(rows.map(({ key, flows, bytesOut, bytesIn }) => [key, flows, bytesOut, bytesIn])).toEqual([
      ['192.168.1.20', 2, 90_007, 8],
      ['192.168.1.10', 3, 2_008, 40_007],
    ]);
    expect(rows[1]?.device).toMatchObject({ mac: MAC, addresses: ['192.168.1.10', '192.168.1.11'] });
  });

  it('sorts by what is asked for, and keeps to the limit', () => {
    const names = (order: 'bytes' | 'packets', limit: number) =>
      top(db(), { ...HOUR, subject: 'names', order, limit }).rows.map(({ key, bytesOut }) => [key, bytesOut]);
    expect(names('bytes', 2)).toEqual([
      ['b.example', 90_000],
      ['a.example', 2_000],
    ]);
    expect(names('packets', 3)).toEqual([
      ['a.example', 2_000],
      [null, 7],
      ['b.example', 90_000],
    ]);
  });

  it('lists peers, and the names and applications of one device', () => {
    const open = db();
    expect(top(open, { ...HOUR, subject: 'peers' }).rows).toMatchObject([{ key: '9.9.9.9', flows: 3 }]);
    expect(top(open, { ...HOUR, subject: 'names', device: MAC }).rows).toMatchObject([{ key: 'a.example', flows: 2 }]);
    const applications = top(open, { ...HOUR, subject: 'applications', device: '192.168.1.20' }).rows;
    expect(applications.reduce((sum, { flows }) => sum + flows, 0)).toBe(2);
  });

  it('has no more rows than the limit of a bucket, and loses nothing beyond it', () => {
    const many = Array.from({ length: 700 }, (_, index) => ({
      dst: `9.9.${index >> 8}.${index & 255}`,
      packets: [index, 0] as const,
    }));
    const { rows } = top(stored(many), { ...HOUR, subject: 'peers', limit: 1000 });
    expect(rows.length).toBe(501);
    expect(rows.filter(({ isRest }) => isRest)).toMatchObject([{ key: 'other', flows: 200 }]);
    expect(rows.reduce((sum, { packetsOut }) => sum + packetsOut, 0)).toBe((699 * 700) / 2);
  });
});

describe('series', () => {
  it('spreads a long flow evenly, to the packet, and has points without traffic', () => {
    const startUs = NOW_US - 5 * MINUTE_US + 30_000_000;
    const spec = { startUs, endUs: startUs + 2 * MINUTE_US, packets: [101, 0] as const, rttUs: [300, 700] as const };
    const { points, stepUs } = series(stored([spec]), { fromUs: NOW_US - 6 * MINUTE_US, toUs: NOW_US, stepS: 60 });
    expect(stepUs).toBe(MINUTE_US);
    expect(points.map(({ packetsOut }) => packetsOut)).toEqual([0, 25, 50, 26, 0, 0]);
    expect(points.map(({ flows, rttMeanUs }) => [flows, rttMeanUs]).slice(0, 3)).toEqual([
      [0, null],
      [1, 1000],
      [0, null],
    ]);
  });

  it('has all of a flow that lasted for hours, also where rows are looked for that are late', () => {
    const hours = 5;
    const db = stored([
      { ...OUT, packets: [300, 0], startUs: NOW_US - hours * 60 * MINUTE_US, endUs: NOW_US - 1 },
      { ...OUT, packets: [7, 0] },
    ]);
    const packets = (minutesBefore: number, minutes: number): number => {
      const fromUs = NOW_US - minutesBefore * MINUTE_US;
      return summary(db, { fromUs, toUs: fromUs + minutes * MINUTE_US }).directions.outbound.packetsOut;
    };
    expect(packets(300, 60)).toBe(60);
    expect(packets(180, 10)).toBe(10);
    expect(packets(60, 60)).toBe(67);
    expect(packets(300, 300)).toBe(307);
  });

  it('tells in which steps packets were lost', () => {
    const rig = new WriterRig();
    rig.store([flow()]);
    rig.execute(`UPDATE ledger SET kernel_dropped = 7, minute_us = ${NOW_US - 2 * MINUTE_US}`);
    const db = new Database(rig.path, { readonly: true });
    rig.execute(`UPDATE sessions SET started_us = ${NOW_US - 10 * MINUTE_US}`);
    const answer = series(db, { fromUs: NOW_US - 3 * MINUTE_US, toUs: NOW_US, stepS: 60 });
    expect(answer).toMatchObject({ complete: false, lostPackets: 7 });
    expect(answer.points.map(({ complete, lostPackets }) => [complete, lostPackets])).toEqual([
      [true, 0],
      [false, 7],
      [true, 0],
    ]);
    db.close();
  });

  it.each([
    { fromUs: 5, toUs: 5 },
    { fromUs: -1, toUs: 5 },
    { ...HOUR, stepS: 90 },
    { fromUs: 0, toUs: 90_000 * 1440 * 1e6, stepS: 60 },
    { ...HOUR, application: 'nonsense' },
  ])('refuses %o', (input) => {
    expect(() => series(stored([]), input)).toThrow(expect.objectContaining({ code: 'RANGE_INVALID' }));
  });
});

describe('quality', () => {
  it('tells failed connections, segments sent again and round trips, by device', () => {
    const syn = { ...OUT, tcpFlags: [2, 0] as const };
    const { total, devices } = quality(
      stored([
        { ...syn, tcpState: TcpState.Closed, rttUs: [1_000, 14_000], retransmits: [2, 1], packets: [10, 20] },
        { ...syn, tcpState: TcpState.Rejected, packets: [1, 1] },
        { ...syn, tcpState: TcpState.Attempt, packets: [3, 0] },
        { ...OUT, tcpState: TcpState.Midstream, packets: [0, 5] },
      ]),
      HOUR,
    );
    expect(total).toMatchObject({
      tcpAttempts: 3,
      tcpRejected: 1,
      tcpUnanswered: 1,
      retransmits: 3,
      rttCount: 1,
      rttMeanUs: 15_000,
    });
    expect(total.failureRatio).toBeCloseTo(2 / 3);
    expect(total.retransmitRatio).toBeCloseTo(3 / 40);
    expect(total.p50Us).toBe(15_000);
    expect(devices).toMatchObject([{ ip: '192.168.1.10', device: { mac: MAC }, tcpAttempts: 3 }]);
  });
});

describe('dns', () => {
  it('tells failures and latency, by code and device, and leaves mDNS out', () => {
    const db = stored(
      [OUT],
      [
        { client: '192.168.1.10', code: 0, latencyUs: 4_000 },
        { client: '192.168.1.10', code: 3, latencyUs: 6_000 },
        { client: '192.168.1.10', code: 2, latencyUs: 8_000 },
        { client: '192.168.1.10', code: -1, latencyUs: -1 },
        { client: '192.168.1.10', code: 0, latencyUs: 9, transport: 2 },
      ],
    );
    const { total, codes, devices, points } = dnsAnswer(db, { ...HOUR, stepS: 60 });
    expect(total).toMatchObject({ queries: 4, unanswered: 1, noSuchName: 1, failed: 1, latencyMeanUs: 6_000 });
    expect(new Set(codes.map(({ code }) => code))).toEqual(new Set([0, 2, 3, null]));
    expect(devices).toMatchObject([{ ip: '192.168.1.10', queries: 4, device: { mac: MAC } }]);
    expect(points.map(({ queries }) => queries).filter((queries) => queries > 0)).toEqual([4]);
    expect(deviceDetail(db, { ...HOUR, device: MAC })).toMatchObject({
      addresses: ['192.168.1.10', '192.168.1.11'],
      total: { flows: 1 },
      dns: { total: { queries: 4 } },
    });
    expect(deviceDetail(db, { ...HOUR, device: 'fd00::99' })).toBeNull();
  });
});

describe('the late part of a time', () => {
  it('takes rows in proportion, a tenth of them at least, and what finds none is in the rest', () => {
    // Of ten minutes much, of the ten before them a little: names that are told once each.
    const named = (count: number, minutesAgo: number, prefix: string) =>
      Array.from({ length: count }, (_, index) => {
        const us = NOW_US - minutesAgo * MINUTE_US;
        return { ...OUT, startUs: us, endUs: us, details: { sni: `${prefix}${index}.example` } };
      });
    const db = stored([...named(1_000, 5, 'now'), ...named(300, 15, 'late'), ...named(60, 25, 'long-ago')]);
    const rows = db
      .prepare(
        'SELECT (id >> 16) - age AS bucket, count(*) AS rows, sum(flows) AS flows FROM rollup_name_minute GROUP BY 1 ORDER BY 1',
      )
      .all();
    expect(rows).toMatchObject([
      { rows: 50 + 1, flows: 60 },
      { rows: 150 + 1, flows: 300 },
      { rows: 500 + 1, flows: 1_000 },
    ]);
  });
});

describe('a database of an older flowberry', () => {
  it('is said to be one, where it lacks what is asked about', () => {
    const db = stored([OUT]);
    const other = new Database(db.name);
    other.exec(`DELETE FROM rollup_state WHERE table_name = 'rollup_name_day'`);
    expect(() => top(db, { ...HOUR, subject: 'names' })).toThrow(expect.objectContaining({ code: 'DATABASE_INCONSISTENT' }));
    other.pragma(`user_version = ${SCHEMA_VERSION - 1}`);
    other.close();
    expect(() => top(db, { ...HOUR, subject: 'names' })).toThrow(
      expect.objectContaining({ code: 'DATABASE_OLDER', message: expect.stringContaining(db.name) }),
    );
  });
});

describe('questions about one device over weeks', () => {
  it('read its own sums by hour and by day, and not those of all others', () => {
    const db = stored([OUT]);
    const texts: string[] = [];
    const prepare = db.prepare.bind(db) as (sql: string) => Database.Statement<unknown[], { detail: string }>;
    db.prepare = ((sql: string) => {
      texts.push(sql);
      return prepare(sql);
    }) as typeof db.prepare;
    const range = { fromUs: NOW_US - 20 * 86_400e6 - 3_600e6, toUs: NOW_US, device: '192.168.1.10' };
    deviceDetail(db, range);
    series(db, { ...range, fromUs: NOW_US - 3 * 86_400e6 });
    const details = texts.flatMap((sql) =>
      prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...new Array(sql.match(/\?/g)?.length ?? 0).fill(1))
        .map(({ detail }) => detail)
        .filter((detail) => /rollup_\w+_(hour|day)/.test(detail)),
    );
    for (const kind of ['device', 'device_application', 'device_name', 'dns'])
      for (const level of ['hour', 'day'])
        expect(details).toContainEqual(expect.stringContaining(`USING INDEX rollup_${kind}_${level}_ip`));
    expect(details.filter((detail) => !detail.includes('_ip'))).toEqual([]);
  });
});
