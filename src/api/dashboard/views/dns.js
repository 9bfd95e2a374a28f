import { get } from '../api.js';
import { chart, incompleteSpans } from '../chart.js';
import { facts, fill, h, panel, table } from '../dom.js';
import { count, duration, moment, percent } from '../format.js';
import { sortedTable } from '../sorted.js';
import { incompleteNote, rangeOf, rangeSwitch } from './range.js';

const nameOf = ({ device, ip }) => device.name ?? device.vendor ?? ip;
const share = (part) => (row) => (row.queries === 0 ? null : part(row) / row.queries);

const DEVICE_COLUMNS = [
  { head: 'Device', cell: (row) => nameOf(row) ?? '–', sort: nameOf, className: 'name' },
  { head: 'Address', cell: ({ ip }) => ip ?? '', sort: ({ ip }) => ip, className: 'address' },
  { head: 'Queries', isNumber: true, cell: (row) => count(row.queries), sort: (row) => row.queries },
  {
    head: 'No such name',
    isNumber: true,
    cell: (row) => percent(row.no_such_name, row.queries),
    sort: share((row) => row.no_such_name),
  },
  {
    head: 'Failed',
    isNumber: true,
    cell: (row) => percent(row.failed + row.unanswered, row.queries),
    sort: share((row) => row.failed + row.unanswered),
  },
  { head: 'Median', isNumber: true, cell: (row) => duration(row.p50_us), sort: (row) => row.p50_us },
];

const QUERY_COLUMNS = [
  { head: 'Time', cell: (row) => moment(row.seen_us) },
  { head: 'Client', cell: (row) => row.client_ip, className: 'address' },
  { head: 'Name', cell: (row) => row.query ?? '', className: 'address' },
  { head: 'Type', cell: (row) => row.query_type ?? '' },
  {
    head: 'Answer',
    cell: (row) => (row.answers.length > 0 ? row.answers.slice(0, 3).join(', ') : (row.response_code ?? 'none')),
    className: 'address',
  },
  { head: 'Latency', isNumber: true, cell: (row) => duration(row.latency_us) },
];

/** How names are asked for: how fast, how often in vain, by whom. */
export function dns({ main, query, signal, go, fail }) {
  const range = rangeOf(query, '24h');
  const text = query.get('q') ?? '';
  const latency = chart('From a query to its answer', [
    { label: 'median', format: duration },
    { label: '95th percentile', format: duration },
  ]);
  const failures = chart('In each step of time', [
    { label: 'all', format: count },
    { label: 'no such name', format: count },
    { label: 'failed', format: count },
  ]);
  const sums = h('div', {});
  const devices = sortedTable('Devices by their queries', DEVICE_COLUMNS, {
    order: ['Queries', true],
    empty: 'Nobody asked in this time.',
  });
  const list = h('div', { 'aria-busy': String(range.problem === null) });
  const more = h('button', { type: 'button', hidden: true, onclick: () => loadQueries().catch(fail) }, 'Older');
  const input = h('input', {
    type: 'search',
    value: text,
    placeholder: 'a name, or *.example.org',
    autocomplete: 'off',
    spellcheck: false,
  });
  const search = (event) => {
    event.preventDefault();
    go(`#/dns?q=${encodeURIComponent(input.value.trim())}&${range.query}`);
  };
  fill(
    main,
    rangeSwitch(range, (chosen) => go(`#/dns?q=${encodeURIComponent(text)}&${chosen}`)),
    sums,
    h('div', { class: 'columns' }, panel('Latency', latency.element), panel('Queries', failures.element)),
    panel('Who asks', devices.element),
    panel(
      'Queries',
      h('form', { class: 'search', role: 'search', onsubmit: search }, h('label', {}, 'Name ', input), h('button', {}, 'Search')),
      list,
      more,
    ),
  );
  const loadSums = async () => {
    const answer = await get('/api/v1/dns', { ...range.times, limit: 20 }, signal);
    const { total, points, step_us: stepUs } = answer;
    fill(
      sums,
      incompleteNote(answer),
      facts([
        ['Queries', count(total.queries)],
        ['Median', duration(total.p50_us)],
        ['95th percentile', duration(total.p95_us)],
        ['No such name', percent(total.no_such_name, total.queries)],
        ['Failed', percent(total.failed, total.queries)],
        ['Unanswered', percent(total.unanswered, total.queries)],
      ]),
    );
    const at = points.map(({ start_us: us }) => us / 1e6);
    const spans = stepUs === null ? [] : incompleteSpans(points, stepUs);
    const values = (read) => points.map(read);
    latency.set(at, [values((point) => point.p50_us), values((point) => point.p95_us)], spans);
    failures.set(at, [values((p) => p.queries), values((p) => p.no_such_name), values((p) => p.failed + p.unanswered)], spans);
    devices.set(answer.devices);
  };
  let rows = [];
  let cursor = null;
  const loadQueries = async () => {
    const answer = await get('/api/v1/dns/queries', { ...range.times, name: text, limit: 50, cursor }, signal);
    rows = [...rows, ...answer.queries];
    cursor = answer.next_cursor;
    fill(list, table('DNS transactions, the latest first', QUERY_COLUMNS, rows, { empty: 'No query matches.' }));
    list.setAttribute('aria-busy', 'false');
    more.hidden = cursor === null;
  };
  if (range.problem === null) Promise.all([loadSums(), loadQueries()]).catch(fail);
  return () => {
    latency.close();
    failures.close();
  };
}
