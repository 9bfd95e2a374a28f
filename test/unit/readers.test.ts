import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DeviceSource } from '../../src/ring/name-records.js';
import { SEGMENT_ROWS } from '../../src/store/lookup/lookup-kind.js';
import { listDevices } from '../../src/store/reader/devices.js';
import { type DnsFilter, searchDns } from '../../src/store/reader/dns-search.js';
import { exportFlows } from '../../src/store/reader/export.js';
import { findFlow, searchFlows } from '../../src/store/reader/flow-search.js';
import { listNames } from '../../src/store/reader/names.js';
import { searchAll } from '../../src/store/reader/search.js';
import type { Writer } from '../../src/store/writer.js';
import { CLIENTS, doChores, HISTORY_US, historyRig, NAMES, STEP_US, writeAll, writeHistory } from '../helpers/flow-history.js';
import { flow, WriterRig } from '../helpers/flow-records.js';
import { type DeviceSpec, dns } from '../helpers/name-records.js';
import { plansThatScan } from '../helpers/query-plans.js';

const MAC = '02:00:00:00:00:01';
const OTHER_MAC = 'b8:27:eb:12:34:56';

/** A read-only connection, and the end of what was opened with it. */
function reading(rig: WriterRig, writer: Writer) {
  const db = new Database(rig.path, { readonly: true });
  onTestFinished(() => {
    db.close();
    writer.abandon();
  });
  return db;
}

describe('DNS transactions', () => {
  const DNS_COUNT = 6000;
  const RARE = 'rare.deep.below.example.org';

  /** A database whose transactions are all in a run, and a reader. */
  function stored() {
    const rig = new WriterRig();
    const writer = rig.open();
    for (let i = 0; i < DNS_COUNT; i++) {
      const seenUs = HISTORY_US + i * STEP_US;
      const query = i === 3000 ? RARE : NAMES[i % NAMES.length];
      const client = CLIENTS[i % 3] as string;
      rig.emitDns(
        dns({
          seenUs,
          ...(query && { query }),
          client,
          code: i % 50 === 0 ? 3 : i % 51 === 0 ? -1 : 0,
          latencyUs: i % 51 === 0 ? -1 : 9,
        }),
      );
      if (i % 200 === 0) writeAll(writer);
    }
    writeAll(writer);
    writer.abandon();
    const next = new WriterRig({ path: rig.path });
    const nextWriter = next.open();
    doChores(nextWriter);
    expect(rig.query('SELECT subject, row_count FROM lookup_runs')).toEqual([{ subject: 1, row_count: DNS_COUNT }]);
    return reading(rig, nextWriter);
  }

  it('are found by name, address, time and code, and little is read for what is rare', () => {
    const db = stored();
    const all = db.prepare<[], Record<string, string & number>>('SELECT * FROM dns_view ORDER BY id DESC').all();
    const cases: [DnsFilter, (row: Record<string, string & number>) => boolean][] = [
      [{ name: RARE.toUpperCase() }, (row) => row['query'] === RARE],
      [{ name: '*.below.example.org' }, (row) => row['query'] === RARE],
      [
        { name: '*.d7.example.net', address: CLIENTS[1] as string },
        (row) => /\.d7\.example\.net$/.test(row['query'] ?? '') && row['client_ip'] === CLIENTS[1],
      ],
      [{ code: 'nxdomain' }, (row) => row['response_code'] === 'NXDOMAIN'],
      [{ code: 'RCODE3', net: '10.0.0.0/8' }, (row) => row['response_code'] === 'NXDOMAIN' && row['client_ip'] === CLIENTS[2]],
      [{ code: 'none' }, (row) => row['response_code'] === null],
      [
        { sinceUs: HISTORY_US + 30e6, untilUs: HISTORY_US + 31e6 },
        (row) => (row['seen_us'] ?? 0) >= HISTORY_US + 30e6 && (row['seen_us'] ?? 0) < HISTORY_US + 31e6,
      ],
    ];
    for (const [filter, isWanted] of cases) {
      const { rows } = searchDns(db, filter, { limit: 1000 });
      expect(rows).toEqual(all.filter(isWanted));
      expect(rows.length).toBeGreaterThan(0);
    }
    expect(searchDns(db, { name: RARE }).rowsExamined).toBe(SEGMENT_ROWS);
    expect(searchDns(db, { name: '*.example.info' }).rowsExamined).toBe(0);
    expect(() => searchDns(db, { code: 'NOPE' })).toThrow(expect.objectContaining({ code: 'FILTER_INVALID' }));
    expect(plansThatScan(db)).toEqual([]);
  });
});

describe('devices', () => {
  function stored() {
    const rig = new WriterRig();
    const writer = rig.open();
    const see = (given: Partial<DeviceSpec>, us: number) =>
      rig.emitDevice({ source: DeviceSource.Arp, emittedUs: us, seenUs: us, ...given });
    see({ mac: MAC, ip: '192.168.1.10' }, HISTORY_US);
    see({ mac: MAC, ip: '10.1.2.3', name: 'printer', source: DeviceSource.Dhcp }, HISTORY_US + 5);
    see({ mac: OTHER_MAC, ip: 'fd00::1:10', name: 'printer', source: DeviceSource.Mdns }, HISTORY_US + 9);
    see({ mac: '02:00:00:00:00:03', ip: '192.168.1.12' }, HISTORY_US + 9);
    writeAll(writer);
    return { rig, writer, db: reading(rig, writer) };
  }

  it('are listed with all that is known of them, the one seen last first, page by page', () => {
    const { db } = stored();
    const first = listDevices(db, { limit: 1 });
    const second = listDevices(db, { limit: 1, cursor: first.next as string });
    const third = listDevices(db, { limit: 5, cursor: second.next as string });
    expect([first, second, third].map(({ rows }) => rows.map(({ mac }) => mac))).toEqual([
      [OTHER_MAC],
      ['02:00:00:00:00:03'],
      [MAC],
    ]);
    expect(third.next).toBeNull();
    expect(third.rows[0]).toMatchObject({
      name: 'printer',
      addresses: [
        { value: '10.1.2.3', first_seen_us: HISTORY_US + 5, last_seen_us: HISTORY_US + 5 },
        { value: '192.168.1.10', first_seen_us: HISTORY_US, last_seen_us: HISTORY_US },
      ],
      names: [{ value: 'printer' }],
    });
  });

  it('are found by parts of what is known', () => {
    const { db } = stored();
    const macs = (search: string) => listDevices(db, { search }).rows.map(({ mac }) => mac);
    expect(macs('RASPBERRY')).toEqual([OTHER_MAC]);
    expect(macs('1:10')).toEqual([OTHER_MAC]);
    expect(macs('print')).toEqual([OTHER_MAC, MAC]);
    expect(() => listDevices(db, { cursor: 'x' })).toThrow(expect.objectContaining({ code: 'FILTER_INVALID' }));
    expect(plansThatScan(db)).toEqual([]);
  });

  it('are found by what people call them and note of them, capitals or not, and by the names behind', () => {
    const { writer, db } = stored();
    writer.noteDevice({ deviceId: 1, name: 'Übungsraum', note: 'Im Regal 50%' });
    const device = { id: 1, mac: MAC, name: 'Übungsraum', addresses: '10.1.2.3,192.168.1.10' };
    for (const text of ['Übungsraum', 'übungs', 'ÜBUNG', 'regal', 'L 50%']) {
      expect(searchAll(db, text, 10).devices, text).toEqual([device]);
      expect(listDevices(db, { search: text }).rows, text).toMatchObject([{ id: 1, name: 'Übungsraum' }]);
    }
    expect(searchAll(db, 'PRINTER', 10)).toMatchObject({ devices: [{ id: 2 }, { id: 1 }], names: ['printer'] });
    expect(searchAll(db, 'printer', 1).devices).toMatchObject([{ id: 2 }]);
    expect(listDevices(db, { search: 'printer' }).rows.map(({ id }) => id)).toEqual([2, 1]);
    for (const text of ['Übungsräume', 'regal_', '5%0']) expect(searchAll(db, text, 10).devices, text).toEqual([]);
  });

  it('stand for all of their addresses in a search for flows', () => {
    const { rig, writer, db } = stored();
    for (const src of ['192.168.1.10', '10.1.2.3', '192.168.1.12', '192.168.1.13'])
      rig.emit(flow({ src, emittedUs: HISTORY_US + 20 }));
    writeAll(writer);
    const sources = (device: string) => searchFlows(db, { device }, { order: 'oldest' }).rows.map((row) => row['src_ip']);
    expect(sources(MAC)).toEqual(['192.168.1.10', '10.1.2.3']);
    expect(sources('3')).toEqual(['192.168.1.12']);
    expect(() => sources('nobody')).toThrow(expect.objectContaining({ code: 'DEVICE_NOT_FOUND' }));
    expect(plansThatScan(db)).toEqual([]);
  });
});

describe('names', () => {
  it('are counted over the flows that are asked for', () => {
    const rig = historyRig();
    const writer = rig.open();
    writeHistory(rig, writer, 0, 3000);
    const db = reading(rig, writer);
    const sql = `SELECT server_name AS name, count(*) AS flows, sum(src_bytes + dst_bytes) AS bytes, count(DISTINCT src_ip) AS clients,
      min(end_us) AS first_seen_us, max(end_us) AS last_seen_us FROM flow_view
      WHERE server_name LIKE '%.d7.example.net' GROUP BY server_name ORDER BY last_seen_us DESC`;
    const wanted = db.prepare<[], Record<string, unknown>>(sql).all();
    const found = listNames(db, { name: '*.d7.example.net' }, { limit: 3 });
    expect(wanted.length).toBeGreaterThan(3);
    expect(found).toMatchObject({ nameCount: wanted.length, isTruncated: false, searchedToUs: null });
    expect(found.rows).toEqual(wanted.slice(0, 3).map((row) => ({ ...row, addresses: expect.any(Array) })));
    const [first] = found.rows;
    const addresses = db.prepare('SELECT DISTINCT dst_ip FROM flow_view WHERE server_name = ?').pluck();
    for (const address of first?.addresses ?? []) expect(addresses.all(first?.name)).toContain(address);
    expect(listNames(db, {}, { rowsExaminedMax: 1 })).toMatchObject({ rowsExamined: 3000 });
    expect(plansThatScan(db)).toEqual([]);
  });
});

describe('an export', () => {
  it('has every flow that is asked for, with its Community ID, the oldest first', () => {
    const rig = historyRig();
    const writer = rig.open();
    writeHistory(rig, writer, 0, 2500);
    const db = reading(rig, writer);
    const { columns, parts } = exportFlows(db, { address: CLIENTS[0] as string });
    const rows = [...parts].flatMap((part) => part.rows);
    const all = db
      .prepare<[string, string], unknown[]>('SELECT * FROM flow_view WHERE src_ip = ? OR dst_ip = ? ORDER BY id')
      .raw()
      .all(CLIENTS[0] as string, CLIENTS[0] as string);
    expect(all.length).toBeGreaterThan(1000);
    expect(rows.map((row) => row.slice(0, -1))).toEqual(all);
    expect(columns.at(-1)).toBe('community_id');
    expect(rows.every((row) => /^1:.{28}$/.test(String(row.at(-1))))).toBe(true);
    expect(() => exportFlows(db, { port: -1 })).toThrow(expect.objectContaining({ code: 'FILTER_INVALID' }));
  });

  it('holds nothing of the database between its parts, and has what is written meanwhile', () => {
    const rig = historyRig();
    const writer = rig.open();
    writeHistory(rig, writer, 0, 600);
    const db = reading(rig, writer);
    const { parts } = exportFlows(db, {});
    const first = parts.next().value;
    expect(db.inTransaction).toBe(false);
    writeHistory(rig, writer, 600, 700);
    expect([...(first?.rows ?? []), ...[...parts].flatMap((part) => part.rows)]).toHaveLength(700);
  });
});

describe('one flow', () => {
  it('is found by its id', () => {
    const rig = historyRig();
    const writer = rig.open();
    writeHistory(rig, writer, 0, 1);
    const db = reading(rig, writer);
    expect(findFlow(db, HISTORY_US)).toMatchObject({ id: HISTORY_US, interface: 'wlan0' });
    expect(findFlow(db, 7)).toBeNull();
  });
});
