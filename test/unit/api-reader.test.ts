import { describe, expect, it, onTestFinished } from 'vitest';
import { completenessSchema } from '../../src/api/endpoint/page-schemas.js';
import type { ReaderAnswer } from '../../src/api/query/reader-task.js';
import { Reader } from '../../src/api/reader/reader.js';
import { flow, flows, NOW_MS, WriterRig } from '../helpers/flow-records.js';

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
