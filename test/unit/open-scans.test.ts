import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { type OptionValues, resolveConfig } from '../../src/config.js';
import { AlertBook } from '../../src/store/alerts/alert-book.js';
import { OpenScans } from '../../src/store/alerts/open-scans.js';
import { migrate } from '../../src/store/schema.js';
import { tcpFrame } from '../helpers/frames.js';
import { ParseRig } from '../helpers/parse-rig.js';

const START_MS = 1_700_000_000_000;
const TARGETS = 100;

/** Flows as a parse worker holds them, and who looks for scans among them. */
class Scene {
  readonly rig = new ParseRig({ 'flow.active-max': 4096 });
  private readonly db = new Database(':memory:');
  private readonly scans: OpenScans;

  constructor(options: OptionValues = {}) {
    migrate(this.db, START_MS * 1000);
    this.scans = new OpenScans(this.db, new AlertBook(this.db), this.rig.memory.flowTables, resolveConfig(options), START_MS);
  }

  /** One connection a millisecond to so many ports of `dst`; of these, so many are accepted. */
  connect(src: string, dst: string, ports: number, atS: number, accepted = 0): this {
    for (let port = 1; port <= ports; port++) {
      const us = START_MS * 1000 + atS * 1e6 + port * 1000;
      this.rig.feed(tcpFrame({ src, srcPort: 40_000, dst, dstPort: port, flags: 'S' }), us);
      if (port > accepted) continue;
      this.rig.feed(tcpFrame({ src: dst, srcPort: port, dst: src, dstPort: 40_000, flags: 'S.' }), us + 100);
      this.rig.feed(tcpFrame({ src, srcPort: 40_000, dst, dstPort: port, flags: '.' }), us + 200);
    }
    return this;
  }

  /** Alerts after a look at this time. */
  lookAt(s: number): unknown[] {
    this.scans.step(START_MS + s * 1000);
    return this.db.prepare('SELECT kind, subject, detail, count FROM alert_view ORDER BY id').all();
  }
}

describe('a scan that nobody answers', () => {
  it('is told of while its flows are open', () => {
    const scene = new Scene().connect('10.0.0.9', '10.0.0.1', 2 * TARGETS, 0);
    expect(scene.lookAt(2)).toEqual([]);
    const detail = '10.0.0.9 tried about 100 ports or hosts within a minute and had no answer.';
    const told = [{ kind: 'port_scan', subject: '10.0.0.9', detail, count: 1 }];
    expect(scene.lookAt(10)).toEqual(told);
    expect(scene.lookAt(20)).toEqual(told);
  });

  it('is one that counts hosts too, and those of IPv6', () => {
    const scene = new Scene();
    for (let host = 1; host <= 2 * TARGETS; host++) scene.connect('2001:db8::9', `2001:db8:1::${host.toString(16)}`, 1, 0);
    expect(scene.lookAt(10)).toMatchObject([{ subject: '2001:db8::9' }]);
  });

  it('is none where hosts answer, where it is too few, or long ago', () => {
    expect(new Scene().connect('10.0.0.9', '10.0.0.1', 2 * TARGETS, 0, 2 * TARGETS).lookAt(10)).toEqual([]);
    expect(new Scene().connect('10.0.0.9', '10.0.0.1', TARGETS / 2, 0).lookAt(10)).toEqual([]);
    const old = new Scene()
      .connect('10.0.0.9', '10.0.0.1', (3 * TARGETS) / 4, 0)
      .connect('10.0.0.9', '10.0.0.2', TARGETS / 2, 70);
    expect(old.lookAt(80)).toEqual([]);
  });

  it('is each host alone, and told again after a minute if it goes on', () => {
    const scene = new Scene();
    for (let host = 1; host <= 9; host++) scene.connect(`10.0.1.${host}`, '10.0.0.1', TARGETS / 4, 0);
    scene.connect('10.0.0.9', '10.0.0.1', 2 * TARGETS, 0).connect('10.0.0.8', '10.0.0.2', 2 * TARGETS, 0);
    expect(scene.lookAt(10)).toMatchObject([{ count: 1 }, { count: 1 }]);
    scene.connect('10.0.0.9', '10.0.0.3', 2 * TARGETS, 60);
    expect(scene.lookAt(75)).toMatchObject([
      { subject: '10.0.0.9', count: 2 },
      { subject: '10.0.0.8', count: 1 },
    ]);
  });

  it('is not looked for with a threshold of 0, which can change', () => {
    const config = resolveConfig({ 'alerts.port-scan-targets': 0 });
    const rig = new ParseRig();
    const db = new Database(':memory:');
    migrate(db, 0);
    const scans = new OpenScans(db, new AlertBook(db), rig.memory.flowTables, config, START_MS);
    expect(scans.dueMs).toBe(Number.POSITIVE_INFINITY);
    scans.reconfigure(resolveConfig({}));
    expect(scans.dueMs).toBeLessThan(START_MS);
    scans.reconfigure(config);
    expect(scans.dueMs).toBe(Number.POSITIVE_INFINITY);
  });
});
