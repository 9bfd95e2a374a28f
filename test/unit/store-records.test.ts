import { describe, expect, it } from 'vitest';
import { Ring } from '../../src/ring/layout.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import { Cell } from '../../src/ring/thread-block.js';
import { checkDatabase } from '../../src/store/check.js';
import type { Writer } from '../../src/store/writer.js';
import { flow, flows, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { type DeviceSpec, dns } from '../helpers/name-records.js';

const NOW_US = NOW_MS * 1000;
const COUNTS = `SELECT (SELECT count(*) FROM flows) AS flows, (SELECT count(*) FROM dns) AS dns,
  (SELECT count(*) FROM devices) AS devices, (SELECT count(*) FROM texts WHERE id > 0) AS texts`;
const NONE = { flows: 0, dns: 0, devices: 0, texts: 0 };

function sighting(given: Partial<DeviceSpec> = {}): DeviceSpec {
  const us = given.seenUs ?? NOW_US;
  return { emittedUs: us, seenUs: us, source: DeviceSource.Arp, mac: '02:00:00:00:00:01', ip: '192.168.1.10', ...given };
}

/** One record of each kind, which bring two texts. */
function emitOneOfEach(rig: WriterRig, us: number, index = 0): void {
  rig.emitDns(dns({ seenUs: us, query: `q${us}.example` }), index);
  rig.emitDevice(sighting({ seenUs: us + 1 }), index);
  rig.emit(flow({ emittedUs: us + 2, details: { sni: `s${us}.example` } }), index);
}

function finish(writer: Writer): void {
  while (writer.step(NOW_MS, true));
  writer.close(NOW_MS);
}

const failedOf = (rig: WriterRig): unknown[] => checkDatabase(rig.path).checks.filter((check) => !check.ok);

/** Where the rings were released to, so that a test can undo a release as the death of a thread would. */
function consumedOf(rig: WriterRig): number[] {
  return rig.memory.flowRings.map((ring) => Atomics.load(new Int32Array(ring), Ring.Consumed));
}

function setConsumed(rig: WriterRig, positions: readonly number[]): void {
  for (const [index, ring] of rig.memory.flowRings.entries())
    Atomics.store(new Int32Array(ring), Ring.Consumed, positions[index] as number);
}

describe('records of all kinds', () => {
  it('go round the end of the ring many times, in their order', () => {
    const rig = new WriterRig({ options: { 'ring.flow-bytes': 65_536 } });
    const writer = rig.open();
    for (let i = 0; i < 400; i++) {
      emitOneOfEach(rig, NOW_US + i * 10);
      if (i % 40 === 0) writer.step(NOW_MS, true);
    }
    finish(writer);
    expect(rig.query(COUNTS)).toEqual([{ flows: 400, dns: 400, devices: 1, texts: 800 }]);
    expect(
      rig.value(`SELECT count(*) FROM flow_view JOIN dns_view ON flow_view.id = dns_view.id + 2
      WHERE substr(server_name, 2) = substr(query, 2)`),
    ).toBe(400);
    expect(failedOf(rig)).toEqual([]);
  });

  it('are taken by time of emission over the rings of all workers', () => {
    const rig = new WriterRig({ workers: 2 });
    const writer = rig.open();
    rig.emitDevice(sighting({ seenUs: NOW_US + 10, name: 'c', source: DeviceSource.Mdns }), 0);
    rig.emitDns(dns({ seenUs: NOW_US + 30, query: 'e' }), 0);
    rig.emit(flow({ emittedUs: NOW_US, details: { sni: 'a' } }), 1);
    rig.emitDns(dns({ seenUs: NOW_US + 5, query: 'b' }), 1);
    rig.emit(flow({ emittedUs: NOW_US + 20, details: { sni: 'd' } }), 1);
    finish(writer);
    // Texts get their ids as they come.
    expect(rig.query('SELECT text FROM texts WHERE id > 0 ORDER BY id').map((row) => row['text'])).toEqual([
      'a',
      'b',
      'c',
      'd',
      'e',
    ]);
  });

  it('are all there is to wait for: one short record is enough, whatever its kind', () => {
    const rig = new WriterRig();
    const writer = rig.open();
    expect(writer.isEmpty).toBe(true);
    rig.emitDevice(sighting({ ip: undefined }));
    expect(writer.isEmpty).toBe(false);
    expect(() => writer.close(NOW_MS)).toThrow('closed while records wait');
  });

  it('are written when they are old enough, and without a flow among them', () => {
    const rig = new WriterRig({ options: { 'batch.age-ms-max': 5_000 } });
    const writer = rig.open();
    rig.emitDns(dns({ seenUs: NOW_US }));
    expect(writer.step(NOW_MS, false)).toBe(false);
    expect(writer.step(NOW_MS + 5_000, false)).toBe(true);
    expect(rig.writerBlock.cell(Cell.BatchesWritten)).toBe(1);
    expect(rig.writerBlock.cell(Cell.FlowsWritten)).toBe(0);
    expect(rig.query(COUNTS)).toEqual([{ flows: 0, dns: 1, devices: 0, texts: 1 }]);
    finish(writer);
  });

  it('count as rows of a batch', () => {
    const rig = new WriterRig({ options: { 'batch.rows-min': 50, 'batch.rows-max': 50 } });
    const writer = rig.open();
    for (let i = 0; i < 40; i++) emitOneOfEach(rig, NOW_US + i * 10);
    expect([1, 2, 3, 4].map(() => writer.step(NOW_MS, true))).toEqual([true, true, true, false]);
    expect(rig.writerBlock.cell(Cell.BatchesWritten)).toBe(3);
    writer.close(NOW_MS);
  });

  it('are not mixed up with flows where what is lost is counted', () => {
    const rig = new WriterRig({ workers: 2 });
    const writer = rig.open();
    rig.emitAll(flows(5), 0);
    rig.emitAll(flows(2), 1);
    for (let i = 0; i < 9; i++) rig.emitDns(dns({ seenUs: NOW_US }), 1);
    expect(writer.flowsUnwritten).toBe(7);
    writer.step(NOW_MS, true);
    expect(writer.flowsUnwritten).toBe(0);
    rig.emit(flow({ emittedUs: NOW_US + 1e6, details: { sni: 'x'.repeat(253), alpn: 'y'.repeat(253) } }), 1);
    expect(writer.flowsUnwritten).toBe(1);
    finish(writer);
  });

  it('that nobody knows are a defect', () => {
    const rig = new WriterRig();
    const writer = rig.open();
    rig.emit(flow());
    const words = new Int32Array(rig.memory.flowRings[0] as SharedArrayBuffer);
    words[Ring.DataBytes / 4 + 1] = 9;
    expect(() => writer.step(NOW_MS, true)).toThrow('record of kind 9');
    writer.abandon();
  });
});

describe('a transaction that fails', () => {
  it.each(['dns', 'devices', 'device_names', 'device_addresses', 'flow_tls', 'flow_http', 'texts', 'flows'])(
    'at %s leaves nothing behind, and everything is there once when it is repeated',
    (table) => {
      const rig = new WriterRig();
      const writer = rig.open();
      rig.execute(`CREATE TRIGGER refuse BEFORE INSERT ON ${table} BEGIN SELECT raise(ABORT, 'no room on the card'); END`);
      for (let i = 0; i < 35; i++) emitOneOfEach(rig, NOW_US + i * 10);
      rig.emitDevice(sighting({ seenUs: NOW_US + 1e6, name: 'n', source: DeviceSource.Dhcp }));
      rig.emit(flow({ emittedUs: NOW_US + 2e6, details: { alpn: 'h2', status: 200 } }));
      expect(writer.step(NOW_MS, true)).toBe(false);
      expect(rig.query(COUNTS)).toEqual([NONE]);
      const cells = [Cell.NameMisses, Cell.NameHits, Cell.NameAddresses, Cell.BatchesWritten];
      expect(cells.map((cell) => rig.writerBlock.cell(cell))).toEqual([0, 0, 0, 0]);
      rig.execute('DROP TRIGGER refuse');
      expect(writer.step(NOW_MS + 1_000, true)).toBe(true);
      finish(writer);
      expect(rig.query(COUNTS)).toEqual([{ flows: 36, dns: 35, devices: 1, texts: 72 }]);
      expect(rig.query('SELECT min(id) AS first, max(id) AS last FROM dns')).toEqual([{ first: NOW_US, last: NOW_US + 340 }]);
      expect(rig.query('SELECT name, addresses FROM device_view')).toEqual([{ name: 'n', addresses: '192.168.1.10' }]);
      expect(cells.map((cell) => rig.writerBlock.cell(cell))).toEqual([1, 0, 2, 1]);
      expect(failedOf(rig)).toEqual([]);
    },
  );

  it('leaves no name whose text was rolled back, and keeps those of before', () => {
    const rig = new WriterRig({ workers: 2 });
    const writer = rig.open();
    const answer = (query: string, address: string, us: number) => dns({ seenUs: us, query, answers: [{ address }] });
    rig.emitDns(answer('kept.example', '203.0.113.1', NOW_US), 0);
    writer.step(NOW_MS, true);
    rig.execute(`CREATE TRIGGER refuse BEFORE INSERT ON dns BEGIN SELECT raise(ABORT, 'no'); END`);
    rig.emitDns(answer('late.example', '203.0.113.2', NOW_US + 20), 0);
    expect(writer.step(NOW_MS, true)).toBe(false);
    rig.execute('DROP TRIGGER refuse');
    // This one comes first now, and gets the id that the other one had.
    rig.emitDns(answer('early.example', '203.0.113.3', NOW_US + 10), 1);
    const startUs = NOW_US + 100;
    for (const n of [1, 2, 3])
      rig.emit(flow({ dst: `203.0.113.${n}`, srcPort: n, startUs, endUs: startUs, emittedUs: startUs + n * 2 }), 1);
    writer.step(NOW_MS + 1_000, true);
    finish(writer);
    expect(rig.query('SELECT server_name, server_name_ambiguous FROM flow_view ORDER BY id')).toEqual(
      ['kept.example', 'late.example', 'early.example'].map((name) => ({ server_name: name, server_name_ambiguous: 0 })),
    );
  });
});

describe('a writer that takes over', () => {
  it('does not store again what was committed and not released, whatever its kind', () => {
    const rig = new WriterRig({ workers: 2 });
    const first = rig.open();
    for (let i = 0; i < 20; i++) emitOneOfEach(rig, NOW_US + i * 10, i % 2);
    const before = consumedOf(rig);
    first.step(NOW_MS, true);
    setConsumed(rig, before);
    first.abandon();
    const second = rig.open();
    expect(second.isEmpty).toBe(true);
    emitOneOfEach(rig, NOW_US + 1e6);
    finish(second);
    expect(rig.query(COUNTS)).toEqual([{ flows: 21, dns: 21, devices: 1, texts: 42 }]);
    expect(failedOf(rig)).toEqual([]);
  });

  it('does not store names again that no counter had counted', () => {
    const rig = new WriterRig();
    const first = rig.open();
    rig.emit(flow());
    first.step(NOW_MS, true);
    rig.emitDns(dns({ seenUs: NOW_US + 10 }));
    const before = consumedOf(rig);
    first.step(NOW_MS, true);
    setConsumed(rig, before);
    first.abandon();
    const second = rig.open();
    expect(second.isEmpty).toBe(true);
    finish(second);
    expect(rig.query(COUNTS)).toEqual([{ flows: 1, dns: 1, devices: 0, texts: 1 }]);
    expect(failedOf(rig)).toEqual([]);
  });

  it('stores what was taken and not committed, and has to hear names anew', () => {
    const rig = new WriterRig();
    const first = rig.open();
    const startUs = NOW_US + 100;
    const named = { dst: '203.0.113.7', dstPort: 443, startUs, endUs: startUs };
    rig.emitDns(dns({ seenUs: NOW_US }));
    rig.emit(flow({ ...named, emittedUs: startUs }));
    first.step(NOW_MS, true);
    rig.execute(`CREATE TRIGGER refuse BEFORE INSERT ON flows BEGIN SELECT raise(ABORT, 'no'); END`);
    rig.emit(flow({ ...named, emittedUs: startUs + 10 }));
    rig.emitDns(dns({ seenUs: NOW_US + 50, emittedUs: startUs + 20 }));
    rig.emit(flow({ ...named, emittedUs: startUs + 30 }));
    first.step(NOW_MS, true);
    first.abandon();
    rig.execute('DROP TRIGGER refuse');
    const second = rig.open();
    expect(rig.writerBlock.cell(Cell.NameAddresses)).toBe(0);
    finish(second);
    const names = rig.query('SELECT server_name FROM flow_view ORDER BY id').map((row) => row['server_name']);
    expect(names).toEqual(['www.example.org', null, 'www.example.org']);
    expect(rig.query(COUNTS)).toEqual([{ flows: 3, dns: 2, devices: 0, texts: 1 }]);
  });
});

describe('texts that find their table full', () => {
  it('are counted in the cell of the writer', () => {
    const rig = new WriterRig();
    rig.open().abandon();
    rig.execute(`INSERT INTO texts VALUES (1000000, 'the last one')`);
    const writer = rig.open();
    for (let i = 0; i < 3; i++) emitOneOfEach(rig, NOW_US + i * 10);
    finish(writer);
    expect(rig.query('SELECT DISTINCT query FROM dns_view UNION SELECT server_name FROM flow_view')).toEqual([
      { query: 'other' },
    ]);
    expect(rig.writerBlock.cell(Cell.TextsOverflowed)).toBe(6);
    expect(failedOf(rig)).toEqual([]);
  });
});
