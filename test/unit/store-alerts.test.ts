import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config.js';
import { allocateMemory } from '../../src/memory.js';
import type { PipelineMemory } from '../../src/messages.js';
import { Drop } from '../../src/ring/drop-reason.js';
import { createHostBlock, HostBlock } from '../../src/ring/host-block.js';
import { HostField, ThrottleBit } from '../../src/ring/host-layout.js';
import { Slot, TcpState } from '../../src/ring/layout.js';
import { Cell, ThreadBlock } from '../../src/ring/thread-block.js';
import { ADDRESS_ID_BASE } from '../../src/store/addresses.js';
import { ALERTS_MAX, ALERTS_PER_HOUR_MAX, AlertBook, acknowledgeAlert } from '../../src/store/alerts/alert-book.js';
import { AlertKind } from '../../src/store/alerts/alert-kind.js';
import { Alerts } from '../../src/store/alerts/alerts.js';
import { ConditionWatch } from '../../src/store/alerts/condition-watch.js';
import { siteOf } from '../../src/store/alerts/site.js';
import { migrate } from '../../src/store/schema.js';
import { OVERFLOW_ID } from '../../src/store/texts.js';
import { flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';

const CREATED_US = 1_700_000_000_000_000;
const S = 1e6;
const HOUR = 3600 * S;
const DAY = 24 * HOUR;

interface Row {
  readonly kind: string;
  readonly subject: string;
  readonly detail: string;
  readonly count: number;
  readonly acknowledged_us: number | null;
}

class Scene {
  readonly db = new Database(':memory:');
  readonly alerts: Alerts;

  constructor(options: Record<string, boolean | number> = {}, isLive = true) {
    migrate(this.db, CREATED_US);
    this.alerts = new Alerts(this.db, resolveConfig(options), isLive);
  }

  get rows(): Row[] {
    return this.db.prepare<[], Row>('SELECT * FROM alert_view ORDER BY id').all();
  }

  text(text: string): number {
    return this.db.prepare('INSERT INTO texts (text) VALUES (?)').run(text).lastInsertRowid as number;
  }

  /** A scan of ports of one host from 10.0.0.`from`. */
  scan(from: number, ports: number, startUs: number, gapUs = 1000): void {
    for (let port = 1; port <= ports; port++) this.alerts.unanswered(0x0a000000 + from, 0x0a0000fe, port, startUs + port * gapUs);
  }
}

describe('the book of alerts', () => {
  it('has the same alert once an hour, with a count', () => {
    const { db } = new Scene();
    const book = new AlertBook(db);
    for (let minute = 0; minute < 90; minute++)
      book.raise(AlertKind.CaptureLoss, 'kernel', 'Lost.', CREATED_US + minute * 60 * S);
    book.raise(AlertKind.CaptureLoss, 'ring', 'Lost.', CREATED_US);
    const rows = db.prepare<[], Row>('SELECT * FROM alert_view ORDER BY id').all();
    expect(rows.map(({ kind, subject, count }) => [kind, subject, count])).toEqual([
      ['capture_loss', 'kernel', 60],
      ['capture_loss', 'kernel', 30],
      ['capture_loss', 'ring', 1],
    ]);
  });

  it('counts on what an earlier run has told within the hour', () => {
    const { db } = new Scene();
    for (const minute of [0, 10, 20, 61])
      new AlertBook(db).raise(AlertKind.PortScan, '10.0.0.1', 'Scanned.', CREATED_US + minute * 60 * S);
    new AlertBook(db).raise(AlertKind.PortScan, '10.0.0.2', 'Scanned.', CREATED_US);
    const rows = db.prepare<[], Row>('SELECT * FROM alert_view ORDER BY id').all();
    expect(rows.map(({ subject, count }) => [subject, count])).toEqual([
      ['10.0.0.1', 3],
      ['10.0.0.1', 1],
      ['10.0.0.2', 1],
    ]);
  });

  it(`has at most ${ALERTS_PER_HOUR_MAX} new ones an hour, and counts the others`, () => {
    const { db } = new Scene();
    const book = new AlertBook(db);
    for (let index = 0; index < 150; index++) book.raise(AlertKind.NewDevice, `device ${index}`, 'New.', CREATED_US + index * S);
    expect(book.suppressed).toBe(50);
    book.raise(AlertKind.NewDevice, 'device 150', 'New.', CREATED_US + HOUR);
    expect(db.prepare('SELECT count(*) FROM alerts').pluck().get()).toBe(101);
  });

  it('is bounded: what was acknowledged goes first, then the oldest', () => {
    const { db } = new Scene();
    const fill = db.prepare(`INSERT INTO alerts (kind, subject, detail, first_us, last_us, count) VALUES (1, ?, '', 0, 0, 1)`);
    for (let index = 1; index <= ALERTS_MAX; index++) fill.run(String(index));
    for (let id = 5000; id < 5050; id++) expect(acknowledgeAlert(db, id, CREATED_US)).toBe(true);
    expect(acknowledgeAlert(db, 99_999, CREATED_US)).toBe(false);
    new AlertBook(db).raise(AlertKind.NewDevice, 'newest', 'New.', CREATED_US);
    const gone = (from: number, to: number): unknown =>
      db.prepare('SELECT count(*) FROM alerts WHERE id BETWEEN ? AND ?').pluck().get(from, to);
    expect([gone(5000, 5049), gone(1, 50), gone(51, 100), db.prepare('SELECT count(*) FROM alerts').pluck().get()]).toEqual([
      0, 0, 50, 9901,
    ]);
  });
});

describe('port scans', () => {
  it('are told once for a host that tries many targets within a minute', () => {
    const scene = new Scene();
    scene.scan(7, 50, CREATED_US + DAY);
    expect(scene.rows).toEqual([]);
    scene.scan(8, 300, CREATED_US + DAY);
    expect(scene.rows).toMatchObject([{ kind: 'port_scan', subject: '10.0.0.8' }]);
    expect(scene.rows[0]?.detail).toBe('10.0.0.8 tried about 100 ports or hosts within a minute and had no answer.');
  });

  it('are no slow knocking, and nothing in a replay', () => {
    const slow = new Scene();
    slow.scan(7, 300, CREATED_US + DAY, S);
    expect(slow.rows).toEqual([]);
    const replay = new Scene({}, false);
    replay.scan(7, 500, CREATED_US + DAY);
    const off = new Scene({ 'alerts.port-scan-targets': 0 });
    off.scan(7, 500, CREATED_US + DAY);
    expect([replay.rows, off.rows]).toEqual([[], []]);
  });

  it('are found among thousands of other sources, whatever those do', () => {
    const scene = new Scene();
    for (let port = 1; port <= 300; port++) {
      scene.alerts.unanswered(42, 2, port, CREATED_US + port * 1000);
      for (let other = 0; other < 20; other++)
        scene.alerts.unanswered(1000 + 20 * port + other, 2, port, CREATED_US + port * 1000);
    }
    expect(scene.rows).toMatchObject([{ kind: 'port_scan', subject: '0.0.0.42' }]);
  });
});

describe('new devices', () => {
  it('are told after the time of learning', () => {
    const scene = new Scene();
    scene.alerts.device('02:00:00:00:00:01', null, null, CREATED_US + DAY - 1);
    expect(scene.rows).toEqual([]);
    scene.alerts.device('02:00:00:00:00:02', null, 0x0a000001, CREATED_US + DAY);
    scene.alerts.device('dc:a6:32:00:00:01', 'Raspberry Pi Trading Ltd', null, CREATED_US + DAY);
    expect(scene.rows.map(({ detail }) => detail)).toEqual([
      'A new device with the address 10.0.0.1: 02:00:00:00:00:02, of no registered vendor.',
      'A new device: dc:a6:32:00:00:01, Raspberry Pi Trading Ltd.',
    ]);
  });

  it('can be left out', () => {
    const scene = new Scene({ 'alerts.new-device': false });
    scene.alerts.device('02:00:00:00:00:02', null, null, CREATED_US + DAY);
    expect(scene.rows).toEqual([]);
  });
});

describe('new destinations', () => {
  it('are sites that a device has never reached; what it reached while learning is none', () => {
    const scene = new Scene({ 'alerts.new-destination': true });
    const [mail, maps, other] = ['mail.example.org', 'maps.example.org', 'evil.example'].map((name) => scene.text(name));
    const reach = (src: number, name: number | undefined, us: number): void => scene.alerts.reached(src, name as number, us);
    reach(1, mail, CREATED_US);
    reach(1, maps, CREATED_US + DAY);
    reach(1, other, CREATED_US + DAY);
    reach(1, other, CREATED_US + 3 * DAY);
    reach(2, maps, CREATED_US + DAY);
    expect(scene.rows.map(({ detail }) => detail)).toEqual([
      '0.0.0.1 has reached evil.example for the first time.',
      '0.0.0.2 has reached example.org for the first time.',
    ]);
    const again = new Alerts(scene.db, resolveConfig({ 'alerts.new-destination': true }), true);
    again.reached(1, other as number, CREATED_US + 5 * DAY);
    expect(scene.rows).toHaveLength(2);
  });

  it.each([
    ['example.org', 'example.org'],
    ['a.b.example.org', 'example.org'],
    ['www.bbc.co.uk', 'bbc.co.uk'],
    ['x.y.com.au', 'y.com.au'],
    ['localhost', 'localhost'],
    ['a.co.example', 'co.example'],
  ])('%s belongs to %s', (name, site) => {
    expect(siteOf(name)).toBe(site);
  });
});

describe('flows with the entries that stand for all other addresses and names', () => {
  /** Flows of 10.0.0.1 to port after port, as rows have their `src` and `name`. */
  function flowsOf(src: number, name: number | null, state: TcpState): Row[] {
    const scene = new Scene({ 'alerts.new-destination': true });
    const words = new Int32Array(Slot.RecordBytes / 4);
    words[Slot.Protocol] = (4 << 20) | 6;
    words[Slot.AddressLo + 3] = 0x0a000001;
    words[Slot.TcpState] = state;
    const memory = { words, doubles: new Float64Array(words.buffer), bytes: Buffer.from(words.buffer) };
    for (let port = 1; port <= 200; port++)
      scene.alerts.flow(memory, 0, CREATED_US + DAY + port * 1000, src, 0x0a0000fe, port, name);
    return scene.rows;
  }

  it('raise nothing: nobody knows whose they are', () => {
    const known = 0x0a000001;
    expect(flowsOf(known, null, TcpState.Attempt).map(({ kind }) => kind)).toEqual(['port_scan']);
    expect(flowsOf(known, OVERFLOW_ID, TcpState.Attempt).map(({ kind }) => kind)).toEqual(['port_scan']);
    expect(flowsOf(ADDRESS_ID_BASE, null, TcpState.Attempt)).toEqual([]);
    expect(flowsOf(known, OVERFLOW_ID, TcpState.Established)).toEqual([]);
  });
});

describe('conditions', () => {
  function watched() {
    const scene = new Scene();
    const memory = allocateMemory(resolveConfig({}), 1, 'replay');
    const [capture, writer] = [new ThreadBlock(memory.capture), new ThreadBlock(memory.writer)];
    const watch = new ConditionWatch(scene.db, scene.alerts.book, memory, CREATED_US / 1000);
    return { scene, capture, writer, watch };
  }

  it('are told when a counter rises that should not, with by how much', () => {
    const { scene, capture, writer, watch } = watched();
    capture.cells[Cell.KernelDropped] = 5;
    capture.cells[Cell.Drops + Drop.RingFull] = 7;
    writer.cells[Cell.FlowsLost] = 3;
    watch.step(CREATED_US / 1000 + 10_000);
    capture.cells[Cell.KernelDropped] = 9;
    capture.cells[Cell.ClockSteps] = 1;
    capture.cells[Cell.ClockOffsetMs] = -3_600_000;
    watch.step(CREATED_US / 1000 + 90_000);
    watch.step(CREATED_US / 1000 + 100_000);
    expect(scene.rows.map(({ kind, subject, detail, count }) => [kind, subject, detail, count])).toEqual([
      ['capture_loss', 'kernel', 'The kernel dropped 5 packets: its buffer (capture.buffer-bytes) was full.', 2],
      ['capture_loss', 'rings', '7 packets were dropped: the ring of a parse worker was full.', 1],
      ['disk', 'rows', '3 flows are in no row: the database could not be written, or its file was lost.', 1],
      ['clock', 'wall clock', 'The wall clock was set; it is -3600 s from that of the run.', 1],
    ]);
  });

  it('are not told anew of what a dead writer had counted', () => {
    const { scene, capture, writer } = watched();
    capture.cells[Cell.KernelDropped] = 5;
    writer.cells[Cell.FlowsLost] = 3;
    const memory = {
      capture: capture.memory,
      writer: writer.memory,
      parse: [],
      host: createHostBlock(),
    } as unknown as PipelineMemory;
    new ConditionWatch(scene.db, scene.alerts.book, memory, 0).step(10_000);
    expect(scene.rows).toEqual([]);
  });
});

describe('a machine that is not well', () => {
  const MINUTE_MS = 60_000;
  type Told = readonly [subject: string, detail: string, count: number];

  /** A writer that goes round every ten seconds while main says how the machine is, and the alerts of the machine so far. */
  function watched() {
    const rig = new WriterRig();
    const host = new HostBlock(rig.memory.host);
    const writer = rig.open();
    let nowMs = NOW_MS;
    return {
      go(minutes: number, temperature: number, bits: number): void {
        host.fields[HostField.TemperatureC] = temperature;
        host.fields[HostField.ThrottleBits] = bits;
        const endMs = nowMs + minutes * MINUTE_MS;
        for (; nowMs < endMs; nowMs += 10_000) while (writer.step(nowMs, false));
      },
      told: (): Told[] =>
        rig
          .query<Row>(`SELECT * FROM alert_view WHERE kind = 'temperature' ORDER BY id`)
          .map(({ subject, detail, count }) => [subject, detail, count]),
    };
  }

  const HEAT = 'The CPU has 80.0 degrees Celsius; from 80 on it is slowed down.';

  it('is told from 80 degrees on, when throttled, and when the voltage is too low', () => {
    const { go, told } = watched();
    go(1, 79.9, (ThrottleBit.UnderVoltage << 16) | ThrottleBit.SoftLimit);
    expect(told()).toEqual([]);
    go(1, 80, 0);
    expect(told()).toEqual([['heat', HEAT, 1]]);
    go(1, 50, ThrottleBit.Throttled);
    go(1, 50, ThrottleBit.UnderVoltage);
    expect(told().slice(1)).toEqual([
      ['throttling', 'The firmware slows the CPU down, for heat or want of voltage.', 1],
      ['voltage', 'The supply voltage is too low: another power supply or a shorter cable is needed.', 1],
    ]);
  });

  it('is told every ten minutes while it lasts, and no more often when it comes and goes', () => {
    const { go, told } = watched();
    go(29, 80, 0);
    expect(told()).toEqual([['heat', HEAT, 3]]);
    const flickering = watched();
    for (let i = 0; i < 10; i++) {
      flickering.go(0.5, 80, 0);
      flickering.go(0.5, 60, 0);
    }
    expect(flickering.told()).toEqual([['heat', HEAT, 1]]);
  });

  it('is not told where the machine shows nothing', () => {
    const { go, told } = watched();
    go(1, Number.NaN, Number.NaN);
    expect(told()).toEqual([]);
  });
});

describe('quotas', () => {
  it('are told once a day of each device that has moved more', () => {
    const rig = new WriterRig({ options: { 'alerts.quota-mb-per-day': 1 } });
    const writer = rig.open();
    const dayMs = Math.floor(NOW_MS / 86_400_000) * 86_400_000;
    const sized = (src: string, bytes: number) =>
      flow({
        src,
        startUs: NOW_MS * 1000,
        endUs: NOW_MS * 1000,
        emittedUs: NOW_MS * 1000,
        ipBytes: [bytes, 0],
        wireBytes: [bytes, 0],
      });
    rig.emitAll([sized('192.168.1.2', 2_000_000), sized('192.168.1.3', 900_000)]);
    writer.step(NOW_MS + 1000, true);
    for (const afterMs of [60_000, 120_000, 400_000, 800_000, 1_600_000]) while (writer.step(NOW_MS + afterMs, false));
    const quotas = rig.query<Row>(`SELECT * FROM alert_view WHERE kind = 'quota'`);
    expect(quotas.map(({ subject, detail }) => [subject, detail])).toEqual([
      ['192.168.1.2', '192.168.1.2 has moved 2 MB today, more than alerts.quota-mb-per-day.'],
    ]);
    expect(NOW_MS + 1_600_000).toBeLessThan(dayMs + 86_400_000);
  });
});
