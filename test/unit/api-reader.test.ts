import { describe, expect, it, onTestFinished } from 'vitest';
import { completenessSchema } from '../../src/api/endpoint/page-schemas.js';
import type { ReaderAnswer } from '../../src/api/query/reader-task.js';
import { Reader } from '../../src/api/reader/reader.js';
import { DeviceSource } from '../../src/ring/name-records.js';
import { flow, flows, NOW_MS, WriterRig } from '../helpers/flow-records.js';
import { dns } from '../helpers/name-records.js';

const MINUTE_US = 60_000_000;
const HOUR_US = 60 * MINUTE_US;
const DAY_US = 24 * HOUR_US;
const NOW_US = NOW_MS * 1000;

type Ask = (query: string, parameters: object, sinceUs: number, untilUs: number) => ReaderAnswer;

/** Asks the file of this run, as a reader thread does. */
function readerOf(rig: WriterRig): Ask {
  const reader = new Reader({ config: rig.config, memory: rig.memory });
  onTestFinished(() => reader.close());
  return (query, parameters, sinceUs, untilUs) => reader.run({ query, parameters: { ...parameters }, sinceUs, untilUs });
}

function bodyOf(answer: ReaderAnswer) {
  if (!answer.ok) throw new Error(answer.detail);
  return JSON.parse(new TextDecoder().decode(answer.body));
}

/** A file with some flows. */
function stored(): WriterRig {
  const rig = new WriterRig();
  rig.store(flows(3));
  return rig;
}

describe('the end of what an answer is about', () => {
  const untilUs = NOW_US - 20 * MINUTE_US;
  const endOf = (ask: Ask, query: string, days: number, parameters: object = {}): number => {
    const answer = ask(query, parameters, untilUs - days * DAY_US, untilUs);
    return answer.ok ? answer.endUs : Number.NaN;
  };

  it('lies where whole hours and days end, if sums are widened to them', () => {
    const ask = readerOf(stored());
    const sums: [string, object][] = [
      ['summary', {}],
      ['top', { subject: 'names', order: 'bytes', limit: 10 }],
      ['series', {}],
      ['quality', { limit: 10 }],
      ['dns', { limit: 10 }],
    ];
    for (const [query, parameters] of sums) {
      expect(endOf(ask, query, 10, parameters), query).toBeGreaterThanOrEqual(Math.ceil(untilUs / HOUR_US) * HOUR_US);
      const dayEndUs = Math.ceil(untilUs / DAY_US) * DAY_US;
      expect(dayEndUs).toBeGreaterThan(NOW_US);
      expect(endOf(ask, query, 100, parameters), query).toBeGreaterThanOrEqual(dayEndUs);
    }
  });

  it('lies behind the last step', () => {
    const ask = readerOf(stored());
    for (const query of ['series', 'latency', 'dns', 'system'])
      expect(endOf(ask, query, 1, { step_s: 86_400, limit: 10 }), query).toBe(Math.ceil(untilUs / DAY_US) * DAY_US);
  });

  it('is that of the question for rows', () => {
    const ask = readerOf(stored());
    expect(endOf(ask, 'flows', 100, { order: 'newest', limit: 10 })).toBe(untilUs);
    expect(endOf(ask, 'export', 100, { order: 'oldest', format: 'ndjson' })).toBe(untilUs);
    expect(endOf(ask, 'ledger', 100)).toBe(untilUs);
  });

  it('is not there while a run or a gap goes on that the answer has', () => {
    const rig = stored();
    const startUs = untilUs - HOUR_US;
    const change = (sessions: string): void => rig.execute(`UPDATE sessions SET ${sessions}`);
    rig.execute(`INSERT INTO gaps VALUES ((SELECT id FROM sessions), 1, 'eth0', 'down', ${startUs}, NULL)`);
    const ask = readerOf(rig);
    const ends = (): number[] => ['sessions', 'completeness'].map((query) => endOf(ask, query, 1, { limit: 10 }));
    change(`started_us = ${startUs}, ended_us = NULL, clean = NULL`);
    expect(ends()).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    rig.execute(`UPDATE gaps SET end_us = ${NOW_US}`);
    expect(ends()).toEqual([Number.POSITIVE_INFINITY, untilUs]);
    rig.execute('UPDATE gaps SET end_us = NULL');
    // A run that was killed has no end, and gets none.
    for (const sessions of ['clean = 0', `clean = 1, ended_us = ${NOW_US}`]) {
      change(sessions);
      expect(ends()).toEqual([untilUs, untilUs]);
    }
  });

  it('is none where there is no time', () => {
    expect(readerOf(stored())('search', { q: 'x', limit: 10 }, 0, 0)).toMatchObject({ ok: true, endUs: 0 });
  });
});

describe('what is missing', () => {
  const ROWS = { order: 'newest', limit: 10 };
  const QUERIES: readonly (readonly [string, object])[] = [
    ['summary', {}],
    ['series', {}],
    ['flows', ROWS],
    ['dnsQueries', ROWS],
    ['ledger', {}],
    ['completeness', { limit: 10 }],
  ];
  const [sinceUs, untilUs] = [NOW_US - HOUR_US, NOW_US + HOUR_US];

  it('is told of flows that are in no row, since the database could not be written', () => {
    const rig = stored();
    rig.execute(`INSERT INTO unwritten SELECT id, ${NOW_US}, 2, 5, 300, 400 FROM sessions`);
    const ask = readerOf(rig);
    for (const [query, parameters] of QUERIES) {
      const told = { complete: false, lost_packets: 5 };
      expect(bodyOf(ask(query, parameters, sinceUs, untilUs)), query).toMatchObject(told);
      expect(bodyOf(ask(query, parameters, sinceUs - DAY_US, sinceUs)), query).toMatchObject({ complete: true, lost_packets: 0 });
    }
    const body = bodyOf(ask('completeness', { limit: 10 }, sinceUs, untilUs));
    expect(completenessSchema.parse(body)).toEqual(body);
    expect(body.minutes).toMatchObject([{ minute_us: NOW_US, lost_by_store: 5, lost_by_kernel: 0 }]);
  });

  it('is that of the whole minute in which the time begins or ends', () => {
    const rig = stored();
    rig.execute(`UPDATE ledger SET kernel_dropped = 7 WHERE minute_us = ${NOW_US}`);
    const ask = readerOf(rig);
    const received = bodyOf(ask('ledger', {}, NOW_US, NOW_US + MINUTE_US)).received_packets;
    expect(received).toBeGreaterThan(0);
    for (const [fromUs, toUs] of [
      [NOW_US + 30_000_000, untilUs],
      [sinceUs, NOW_US + 1],
      [NOW_US + 10_000_000, NOW_US + 20_000_000],
    ] as const) {
      for (const [query, parameters] of QUERIES)
        expect(bodyOf(ask(query, parameters, fromUs, toUs)), query).toMatchObject({ complete: false, lost_packets: 7 });
      expect(bodyOf(ask('ledger', {}, fromUs, toUs))).toMatchObject({ received_packets: received, kernel_dropped_packets: 7 });
      expect(bodyOf(ask('completeness', { limit: 10 }, fromUs, toUs)).minutes).toHaveLength(1);
    }
    for (const [query, parameters] of QUERIES)
      expect(bodyOf(ask(query, parameters, NOW_US + MINUTE_US, untilUs)), query).toMatchObject({ complete: true });
  });
});

describe('the pages of a list', () => {
  const COUNT = 4;

  function filled(): WriterRig {
    const rig = new WriterRig();
    for (let index = 0; index < COUNT; index++) {
      const [emittedUs, ip] = [NOW_US + index * 1000, `192.168.1.${index}`];
      rig.emitDevice({ emittedUs, seenUs: emittedUs, source: DeviceSource.Arp, mac: `02:00:00:00:00:0${index}`, ip });
      rig.emitDns(dns({ seenUs: emittedUs }));
      rig.emit(flow({ emittedUs }));
    }
    rig.store([]);
    for (let us = 1; us <= COUNT; us++)
      rig.execute(`INSERT INTO alerts (kind, subject, detail, first_us, last_us, count) VALUES (1, 'x', 'x', ${us}, ${us}, 1)`);
    return rig;
  }

  it.each(['alerts', 'devices', 'flows', 'dnsQueries'])('of %s end with the last row, also of a full page', (query) => {
    const ask = readerOf(filled());
    const page = (limit: number, cursor: string | null) => {
      const parameters = { limit, order: 'newest', ...(cursor !== null && { cursor }) };
      const { next_cursor: next, ...lists } = bodyOf(ask(query, parameters, NOW_US - HOUR_US, NOW_US + HOUR_US));
      return { next, ids: (Object.values(lists).find(Array.isArray) as { id: number }[]).map(({ id }) => id) };
    };
    const all = page(COUNT, null);
    expect(all.next).toBeNull();
    const first = page(COUNT / 2, null);
    const second = page(COUNT / 2, first.next);
    expect(second.next).toBeNull();
    expect([...first.ids, ...second.ids]).toEqual(all.ids);
    expect(new Set(all.ids).size).toBe(COUNT);
  });
});

describe('a gap', () => {
  const [startUs, endUs] = [NOW_US - HOUR_US, NOW_US - HOUR_US / 2];
  /** What is told of a time from so many minutes after the gap's start on, and of the gaps in it. */
  const told = (rig: WriterRig, minutes: number) => {
    const fromUs = startUs + minutes * MINUTE_US;
    const { complete, gaps } = bodyOf(readerOf(rig)('completeness', { limit: 10 }, fromUs, fromUs + MINUTE_US));
    return { complete, ends: gaps.map((gap: { end_us: number | null }) => gap.end_us) };
  };

  it('makes incomplete what lies in it while it lasts, although nothing else is counted then, and afterwards', () => {
    const rig = stored();
    rig.execute(`UPDATE sessions SET started_us = ${startUs - HOUR_US}, ended_us = NULL, clean = NULL;
      UPDATE ledger SET minute_us = ${startUs - MINUTE_US};
      INSERT INTO gaps VALUES ((SELECT id FROM sessions), 1, 'eth0', 'down', ${startUs}, NULL)`);
    expect([-2, 5, 60].map((minutes) => told(rig, minutes))).toEqual([
      { complete: true, ends: [] },
      { complete: false, ends: [null] },
      { complete: false, ends: [null] },
    ]);
    rig.execute(`UPDATE gaps SET end_us = ${endUs}`);
    expect([5, 60].map((minutes) => told(rig, minutes))).toEqual([
      { complete: false, ends: [endUs] },
      { complete: true, ends: [] },
    ]);
  });

  it.each([
    ['ended', `clean = 1, ended_us = ${endUs}`],
    ['was killed, with its ledger', 'clean = 0, ended_us = NULL'],
  ])('that lasted to the end of its session ended when that %s', (_, session) => {
    const rig = stored();
    rig.execute(`UPDATE sessions SET started_us = ${startUs - HOUR_US}, ${session};
      UPDATE ledger SET minute_us = ${endUs - MINUTE_US};
      INSERT INTO gaps VALUES ((SELECT id FROM sessions), 1, 'eth0', 'down', ${startUs}, NULL)`);
    expect(told(rig, 5)).toEqual({ complete: false, ends: [endUs] });
    expect(told(rig, 60)).toEqual({ complete: true, ends: [] });
  });
});

describe('what a reader refuses', () => {
  it('peers of one device, since they are added up for all together', () => {
    const ask = readerOf(stored());
    const parameters = { subject: 'peers', order: 'bytes', limit: 10 };
    expect(ask('top', parameters, NOW_US - HOUR_US, NOW_US)).toMatchObject({ ok: true });
    expect(ask('top', { ...parameters, device: flow().src }, NOW_US - HOUR_US, NOW_US)).toMatchObject({
      ok: false,
      status: 400,
      detail: expect.stringMatching(/^peers .*\.$/),
    });
  });
});
