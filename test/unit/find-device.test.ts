import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ENDPOINTS } from '../../src/api/endpoint/endpoints.js';
import { openApiDocument } from '../../src/api/endpoint/openapi.js';
import type { ReaderAnswer } from '../../src/api/query/reader-task.js';
import { Reader } from '../../src/api/reader/reader.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import { addressKey } from '../../src/store/reader/address-filter.js';
import { deviceInfo, ownerOf } from '../../src/store/reader/analytics/devices.js';
import { DEVICE_HELP } from '../../src/store/reader/device-help.js';
import { listDevices } from '../../src/store/reader/devices.js';
import { findDevice } from '../../src/store/reader/find-device.js';
import { searchFlows } from '../../src/store/reader/flow-search.js';
import { liveRows } from '../../src/store/reader/live-rows.js';
import { searchAll } from '../../src/store/reader/search.js';
import { flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { type DeviceSpec, dns } from '../helpers/name-records.js';

const NOW_US = NOW_MS * 1000;
const HOUR_US = 3_600e6;
const PRINTER = 'b8:27:eb:12:34:56';
const LAMP = '02:00:00:00:00:02';
const [FIRST_IP, SECOND_IP, LAMP_IP, STRANGER] = ['192.168.1.10', 'fd00::10', '192.168.1.12', '192.168.1.13'];

interface Parameter {
  readonly name: string;
  readonly description?: string;
}

/** A printer with two addresses, a lamp, flows and DNS queries of both, and of an address of which no more is known. */
function stored(): WriterRig {
  const rig = new WriterRig();
  const writer = rig.open();
  const see = (given: Partial<DeviceSpec>): void =>
    rig.emitDevice({ source: DeviceSource.Mdns, emittedUs: NOW_US, seenUs: NOW_US, ...given });
  see({ mac: PRINTER, ip: FIRST_IP, name: 'printer' });
  see({ mac: PRINTER, ip: SECOND_IP, name: 'office' });
  see({ mac: LAMP, ip: LAMP_IP, name: 'lamp' });
  [FIRST_IP, SECOND_IP, LAMP_IP, STRANGER].forEach((src, index) => {
    const ends = { startUs: NOW_US - 2, endUs: NOW_US - 1, emittedUs: NOW_US + index * 10 };
    rig.emit(
      flow({
        ...ends,
        src,
        dst: src.includes(':') ? '2001:db8::1' : '9.9.9.9',
        protocol: 6,
        packets: [10 ** index, 0],
        retransmits: [10 ** index, 0],
      }),
    );
    rig.emitDns(
      dns({
        seenUs: NOW_US - 1,
        emittedUs: NOW_US + index * 10,
        client: src,
        server: src.includes(':') ? 'fd00::1' : '192.168.1.1',
      }),
    );
  });
  while (writer.step(NOW_MS, true));
  writer.noteDevice({ deviceId: 1, name: 'Büro' });
  writer.close(NOW_MS);
  return rig;
}

const QUERIES: readonly (readonly [string, object])[] = [
  ['flows', { order: 'newest', limit: 10 }],
  ['export', { order: 'oldest', format: 'csv' }],
  ['dnsQueries', { order: 'newest', limit: 10 }],
  ['top', { subject: 'devices', order: 'bytes', limit: 10 }],
  ['names', { order: 'bytes', limit: 10 }],
  ['applications', { order: 'bytes', limit: 10 }],
  ['series', {}],
  ['latency', {}],
  ['dns', { limit: 10 }],
  ['deviceDetail', { limit: 10 }],
];

function askerOf(rig: WriterRig): (query: string, parameters: object, device: string) => ReaderAnswer {
  const reader = new Reader({ config: rig.config, memory: rig.memory });
  onTestFinished(() => reader.close());
  return (query, parameters, device) =>
    reader.run({ query, parameters: { ...parameters, device }, sinceUs: NOW_US - HOUR_US, untilUs: NOW_US + HOUR_US });
}

function textOf(answer: ReaderAnswer): string {
  if (!answer.ok) throw new Error(answer.detail);
  return new TextDecoder().decode(answer.body);
}

describe('a device', () => {
  it('is meant by the same texts wherever one is asked for, with all of its addresses', () => {
    const rig = stored();
    const ask = askerOf(rig);
    const names = [
      '1',
      PRINTER,
      PRINTER.toUpperCase().replaceAll(':', '-'),
      FIRST_IP,
      'fd00:0::10',
      'Büro',
      'BÜRO',
      'Printer',
      'office',
    ];
    expect(new Set(QUERIES.map(([query]) => query))).toEqual(
      new Set(ENDPOINTS.filter(({ parameters }) => 'device' in parameters.shape).map(({ name }) => name)),
    );
    for (const [query, parameters] of QUERIES) {
      const [first, ...others] = names.map((name) => textOf(ask(query, parameters, name)));
      for (const [index, other] of others.entries()) expect(other, `${query} ${names[index + 1]}`).toBe(first);
      expect(first, query).not.toBe(textOf(ask(query, parameters, LAMP)));
      expect(first, query).not.toBe(textOf(ask(query, parameters, STRANGER)));
    }
    const packets = ({ rows }: { rows: { packets_out: number }[] }) => rows.map((row) => row.packets_out);
    expect(packets(JSON.parse(textOf(ask('top', { subject: 'devices', order: 'bytes', limit: 10 }, '1'))))).toEqual([11]);
  });

  it('is an address alone where no device is known to have that', () => {
    const ask = askerOf(stored());
    const { flows } = JSON.parse(textOf(ask('flows', { order: 'newest', limit: 10 }, STRANGER)));
    expect(flows).toMatchObject([{ src_ip: STRANGER }]);
    expect(JSON.parse(textOf(ask('deviceDetail', { limit: 10 }, STRANGER)))).toMatchObject({
      device: { mac: null, name: null },
      addresses: [STRANGER],
    });
    for (const unseen of ['fd00::99', '02:00:00:00:00:99'])
      expect(JSON.parse(textOf(ask('flows', { order: 'newest', limit: 10 }, unseen))).flows, unseen).toEqual([]);
  });

  it.each(['99', 'nobody', "x' OR 1"])('that is not there is not found: %s', (device) => {
    const ask = askerOf(stored());
    for (const [query, parameters] of QUERIES)
      expect(ask(query, parameters, device), query).toEqual({
        ok: false,
        status: 404,
        detail: `there is no device "${device}".`,
      });
  });

  it('has the name that people gave it, before any that has told that name', () => {
    const rig = stored();
    const db = new Database(rig.path);
    onTestFinished(() => void db.close());
    const give = (mac: string, name: string) =>
      db.prepare('INSERT OR REPLACE INTO device_notes VALUES (?, ?, NULL)').run(mac, name);
    give(LAMP, 'Printer');
    expect(findDevice(db, 'printer').id).toBe(2);
    expect(findDevice(db, 'lamp').id).toBe(2);
    // An id, an address of hardware and an IP address are what they look like.
    give(LAMP, '1');
    expect(findDevice(db, '1').id).toBe(1);
    give(LAMP, FIRST_IP);
    expect(findDevice(db, FIRST_IP).id).toBe(1);
  });

  it('is not guessed where several have the name: their ids are told', () => {
    const rig = stored();
    const ask = askerOf(rig);
    rig.execute(`INSERT INTO device_names SELECT 2, name, source, 0, 0 FROM device_names WHERE device_id = 1`);
    const told = { ok: false, status: 400, detail: '2 devices have the name "office"; give an id instead: 1, 2.' };
    for (const [query, parameters] of QUERIES) expect(ask(query, parameters, 'office'), query).toEqual(told);
    expect(ask('flows', { order: 'newest', limit: 10 }, 'büro').ok).toBe(true);
    rig.execute(`INSERT INTO device_notes VALUES ('${LAMP}', 'büro', NULL)`);
    expect(ask('flows', { order: 'newest', limit: 10 }, 'Büro')).toMatchObject({
      status: 400,
      detail: expect.stringMatching(/^2 devices/),
    });
  });

  it('is found in a file of before people could name devices', () => {
    const db = new Database(stored().path);
    onTestFinished(() => void db.close());
    db.exec('DROP VIEW device_view; DROP TABLE device_notes');
    expect(searchFlows(db, { device: 'printer' }).rows).toHaveLength(2);
  });

  it('reads names in other letters than those of ASCII, as people write them', () => {
    const rig = new WriterRig();
    const writer = rig.open();
    const names = ['k\\195\\188che', 'office\\032tv', 'b\\195\\156ro', 'bad\\246'];
    names.forEach((name, index) => {
      const mac = `02:00:00:00:01:0${index}`;
      rig.emitDevice({ source: DeviceSource.Mdns, emittedUs: NOW_US, seenUs: NOW_US, mac, ip: `192.168.1.2${index}`, name });
    });
    while (writer.step(NOW_MS, true));
    writer.close(NOW_MS);
    const db = new Database(rig.config.dbPath, { readonly: true });
    onTestFinished(() => void db.close());
    const idsOf = (search: string): number[] => listDevices(db, { search }).rows.map(({ id }) => id);
    expect(listDevices(db).rows.map(({ name }) => name)).toEqual(['küche', 'office tv', 'bÜro', 'bad\\246']);
    expect(listDevices(db).rows[0]?.names[0]?.value).toBe('küche');
    for (const [text, id] of [
      ['Küche', 1],
      ['k\\195\\188che', 1],
      ['Office TV', 2],
      ['büro', 3],
      ['bad\\246', 4],
    ] as const) {
      expect(findDevice(db, text).id, text).toBe(id);
      expect(idsOf(text), text).toEqual([id]);
    }
    expect(searchAll(db, 'KÜCHE', 5).devices.map(({ name }) => name)).toEqual(['küche']);
    expect(deviceInfo(db, 1).name).toBe('küche');
    expect(ownerOf(db, addressKey(db, '192.168.1.20') as number)?.name).toBe('küche');
    expect(liveRows(db, 'devices', 0, 10, NOW_US).rows[0]).toMatchObject({ name: 'küche' });
    expect(() => findDevice(db, 'kuche')).toThrow(/there is no device/);
  });
});

describe('the documents', () => {
  it('tell the same of a device everywhere', () => {
    const { paths } = openApiDocument(ENDPOINTS, '1') as { paths: Record<string, Record<string, { parameters: Parameter[] }>> };
    const parameters = Object.values(paths).flatMap((methods) =>
      Object.values(methods).flatMap((operation) => operation.parameters),
    );
    const told = parameters.filter(({ name }) => name === 'device').map(({ description }) => description);
    expect(told).toEqual(QUERIES.map(() => `The ${DEVICE_HELP}.`));
  });
});
