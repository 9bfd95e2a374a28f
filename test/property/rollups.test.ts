import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TcpState } from '../../src/ring/layout.js';
import { checkDatabase } from '../../src/store/check.js';
import { summary } from '../../src/store/reader/analytics/summary.js';
import { top } from '../../src/store/reader/analytics/top.js';
import { prunableRollups } from '../../src/store/rollup/prunable-rollups.js';
import type { Writer } from '../../src/store/writer.js';
import { type FlowSpec, flow, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { dns } from '../helpers/name-records.js';

const NOW_US = NOW_MS * 1000;
const HOUR_US = 3_600_000_000;
const DAY_MS = 86_400_000;

const count = fc.oneof(fc.nat(50), fc.integer({ min: 0, max: 2 ** 44 }));
const pair = fc.tuple(count, count);
const address = fc.constantFrom('192.168.1.1', '192.168.1.2', '10.0.0.3', '9.9.9.9', '1.1.1.1', '224.0.0.251');

/** What happens next: a flow, a transaction, or something that befalls the writer. */
type Event = { readonly spec: FlowSpec } | 'dns' | 'step' | 'minute' | 'hours' | 'kill' | 'refuse' | 'restart' | 'prune';

const spec: fc.Arbitrary<FlowSpec> = fc
  .record({
    src: address,
    dst: address,
    packets: pair,
    ipBytes: pair,
    wireBytes: pair,
    protocol: fc.constantFrom(6, 17),
    retransmits: fc.tuple(fc.nat(9), fc.nat(9)),
    rttUs: fc.tuple(fc.nat(2_000_000), fc.nat(2_000_000)),
    tcpState: fc.constantFrom(TcpState.Attempt, TcpState.Closed, TcpState.Rejected),
    tcpFlags: fc.constantFrom([2, 0] as const, [16, 16] as const),
    direction: fc.constantFrom<0 | 1>(0, 1),
    durationUs: fc.oneof(fc.nat(1e6), fc.nat(3 * HOUR_US)),
    ageUs: fc.nat(300e6),
    name: fc.constantFrom('a.example', 'b.example', ''),
    // Mostly later than what came before, sometimes an old capture.
    behindUs: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(40 * HOUR_US) }),
  })
  .map(({ durationUs, ageUs, behindUs, name, ...rest }) => {
    const emittedUs = NOW_US - behindUs;
    const endUs = emittedUs - ageUs;
    return flow({ ...rest, emittedUs, endUs, startUs: endUs - durationUs, details: name === '' ? {} : { sni: name } });
  });

const events: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    { weight: 16, arbitrary: spec.map((flowSpec) => ({ spec: flowSpec })) },
    { weight: 8, arbitrary: fc.constant<Event>('step') },
    ...(['dns', 'minute', 'minute', 'hours', 'kill', 'kill', 'refuse', 'restart', 'prune'] as const).map((event) => ({
      weight: 1,
      arbitrary: fc.constant<Event>(event),
    })),
  ),
  { minLength: 30, maxLength: 80 },
);

/** A writer, its clock, and what befalls both. */
class Scene {
  rig = new WriterRig({ options: { 'batch.rows-min': 1 } });
  nowMs = NOW_MS;
  readonly stored: FlowSpec[] = [];
  private writer: Writer = this.rig.open();

  run(event: Event): void {
    if (typeof event === 'object') {
      // The clock has moved on since the flow was made up.
      const lateUs = (this.nowMs - NOW_MS) * 1000;
      const { emittedUs, endUs, startUs } = event.spec;
      const moved = { ...event.spec, emittedUs: emittedUs + lateUs, endUs: endUs + lateUs, startUs: startUs + lateUs };
      this.rig.emit(moved);
      this.stored.push(moved);
      return;
    }
    switch (event) {
      case 'dns':
        this.rig.emitDns(dns({ seenUs: this.nowMs * 1000, emittedUs: this.nowMs * 1000 }));
        return;
      case 'step':
        this.step(10);
        return;
      case 'minute':
        this.step(60_000);
        return;
      case 'hours':
        for (let hour = 0; hour < 30; hour++) this.step(3_600_000);
        return;
      case 'kill':
        this.writer.abandon();
        this.writer = this.rig.open(this.nowMs);
        return;
      case 'restart': {
        this.end();
        this.rig = new WriterRig({ path: this.rig.path, options: { 'batch.rows-min': 1 } });
        this.writer = this.rig.open(this.nowMs);
        return;
      }
      case 'refuse':
        this.refuse();
        return;
      case 'prune':
        this.prune();
        return;
    }
  }

  /** Steps the writer until it has nothing to do. */
  step(forwardMs: number): void {
    this.nowMs += forwardMs;
    while (this.writer.step(this.nowMs, false));
  }

  end(): void {
    while (this.writer.step(this.nowMs, true));
    this.writer.close(this.nowMs);
  }

  /** Another process holds the database while the writer tries. */
  private refuse(): void {
    const other = new Database(this.rig.path);
    other.exec('BEGIN IMMEDIATE');
    this.nowMs += 10;
    this.writer.step(this.nowMs, false);
    other.exec('ROLLBACK');
    other.close();
    this.nowMs += 2_000;
  }

  private prune(): void {
    const db = new Database(this.rig.path);
    for (const prunable of prunableRollups(db)) db.transaction(() => prunable.prune(this.nowMs * 1000 - DAY_MS, 7)).immediate();
    db.close();
  }
}

const totalOf = (specs: readonly FlowSpec[], field: 'packets' | 'ipBytes' | 'wireBytes'): number =>
  specs.reduce((sum, one) => sum + one[field][0] + one[field][1], 0);

describe('rollups', () => {
  it('have every packet once, whatever befalls the writer', () => {
    fc.assert(
      fc.property(events, (list) => {
        const scene = new Scene();
        for (const event of list) scene.run(event);
        scene.end();
        const { rig, stored, nowMs } = scene;
        expect(checkDatabase(rig.path).checks.filter(({ ok }) => !ok)).toEqual([]);
        const db = new Database(rig.path, { readonly: true });
        const range = { fromUs: NOW_US - 60 * HOUR_US, toUs: nowMs * 1000 + HOUR_US };
        const { total } = summary(db, range);
        expect([total.flows, total.packetsOut + total.packetsIn, total.bytesOut + total.bytesIn]).toEqual([
          stored.length,
          totalOf(stored, 'packets'),
          totalOf(stored, 'ipBytes'),
        ]);
        expect(total.wireBytesOut + total.wireBytesIn).toBe(totalOf(stored, 'wireBytes'));
        for (const subject of ['names', 'applications'] as const) {
          const { rows } = top(db, { ...range, subject, limit: 1000 });
          expect(rows.reduce((sum, row) => sum + row.packetsOut + row.packetsIn, 0)).toBe(totalOf(stored, 'packets'));
        }
        db.close();
      }),
      { numRuns: 15 },
    );
  }, 120_000);
});
