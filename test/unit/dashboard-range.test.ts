import { describe, expect, it } from 'vitest';

/** As far as views use it; the module is plain JavaScript, as browsers run it. */
interface PageRange {
  readonly span: string | null;
  readonly times: { readonly since: string; readonly until: string | null };
  readonly query: string;
  readonly problem: { readonly end: 'from' | 'to'; readonly text: string } | null;
}
const { rangeOf } = (await import(new URL('../../src/api/dashboard/views/range.js', import.meta.url).href)) as {
  rangeOf(query: URLSearchParams, fallback: string, nowMs?: number): PageRange;
};

const NOW = '2026-03-29T12:30Z';
const range = (query: string): PageRange => rangeOf(new URLSearchParams(query), '24h', Date.parse(NOW));

describe('the time of a view', () => {
  it.each([
    ['', '24h'],
    ['q=tls&since=7d', '7d'],
    ['since=1h&until=', '1h'],
  ])('"%s" is a span up to now', (query, span) => {
    expect(range(query)).toMatchObject({ span, times: { since: span, until: null }, query: `since=${span}`, problem: null });
  });

  it.each([
    ['since=2026-03-28T00:00Z&until=2026-03-29T00:00Z', { since: '2026-03-28T00:00Z', until: '2026-03-29T00:00Z' }],
    ['since=1970-01-01T00:00Z', { since: '1970-01-01T00:00Z', until: null }],
    [`since=2026-03-29T12:29Z&until=${NOW}`, { since: '2026-03-29T12:29Z', until: NOW }],
  ])('"%s" is a free one', (query, times) => {
    const found = range(query);
    expect(found).toMatchObject({ span: null, times, problem: null });
    expect(range(found.query)).toEqual(found);
  });

  it.each([
    ['since=2h', 'from', 'Give a date and a time, 1970 or later.'],
    ['since=2026-02-30T00:00Z', 'from', 'Give a date and a time, 1970 or later.'],
    ['since=1969-12-31T23:59Z', 'from', 'Give a date and a time, 1970 or later.'],
    ['since=2026-03-29T12:31Z', 'from', 'This is in the future.'],
    ['since=2026-03-28T00:00Z&until=yesterday', 'to', 'Give a date and a time, or leave it empty.'],
    ['since=2026-03-28T00:00Z&until=2026-03-29T12:31Z', 'to', 'This is in the future. Leave it empty for now.'],
    ['since=2026-03-28T00:01Z&until=2026-03-28T00:00Z', 'to', 'This is not later than From.'],
    ['since=2026-03-28T00:00Z&until=2026-03-28T00:00Z', 'to', 'This is not later than From.'],
    ['since=24h&until=2026-03-28T00:00Z', 'from', 'Give a date and a time, 1970 or later.'],
  ])('"%s" is none, and beside %s stands why', (query, end, text) => expect(range(query).problem).toEqual({ end, text }));
});
