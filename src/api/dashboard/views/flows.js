import { download, get } from '../api.js';
import { fill, h, table } from '../dom.js';
import { parseFilter } from '../filter.js';
import { bytes, duration, endpoint, moment, protocol } from '../format.js';
import { showDetail } from './flow-detail.js';
import { incompleteNote, rangeOf, rangeSwitch } from './range.js';

const PAGE_ROWS = 100;
/** Live rows that are shown above the stored ones; the oldest go. */
const LIVE_ROWS_MAX = 50;

const COLUMNS = [
  { head: 'Time', cell: ({ start_us: us }) => moment(us) },
  { head: 'From', cell: (flow) => endpoint(flow.src_ip, flow.src_port), className: 'address' },
  { head: 'To', cell: (flow) => flow.server_name ?? endpoint(flow.dst_ip, flow.dst_port), className: 'address' },
  { head: 'Application', cell: (flow) => flow.application ?? protocol(flow.protocol) },
  { head: 'Sent', isNumber: true, cell: (flow) => bytes(flow.src_bytes) },
  { head: 'Received', isNumber: true, cell: (flow) => bytes(flow.dst_bytes) },
  { head: 'Round trip', isNumber: true, cell: (flow) => duration(roundTrip(flow)) },
  { head: 'End', cell: (flow) => (flow.tcp_state ?? flow.end_reason ?? '').replaceAll('_', ' ') },
];

function roundTrip({ rtt_client_us: client, rtt_server_us: server }) {
  return client === null && server === null ? null : (client ?? 0) + (server ?? 0);
}

/** Flows, the newest first, with a search. */
export function flows({ main, live, query, signal, go, fail }) {
  const range = rangeOf(query, '1h');
  const text = query.get('q') ?? '';
  const input = h('input', {
    type: 'search',
    name: 'q',
    value: text,
    placeholder: '192.168.1.20  tls  *.example.org  port:53',
    'aria-describedby': 'filter-help',
    autocomplete: 'off',
    spellcheck: false,
  });
  const submit = (event) => {
    event.preventDefault();
    go(`#/flows?q=${encodeURIComponent(input.value.trim())}&${range.query}`);
  };
  const problem = h('p', { class: 'notice', role: 'alert', hidden: true });
  const note = h('div', {});
  const arriving = h('div', { 'aria-live': 'off' });
  const list = h('div', { 'aria-busy': 'true' });
  const older = h('button', { type: 'button', hidden: true, onclick: () => loadMore() }, 'Older');
  const save = h('button', { type: 'button', hidden: true, onclick: () => saveAll() }, 'Download CSV');
  // What arrives now lies in no time that has an end.
  const isOpenEnded = range.toMs === null;
  const follow = isOpenEnded && h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => toggle() }, 'Follow live');
  fill(
    main,
    h(
      'form',
      { class: 'search', role: 'search', onsubmit: submit },
      h('label', {}, 'Search ', input),
      h('button', {}, 'Search'),
      follow,
    ),
    h(
      'p',
      { id: 'filter-help', class: 'minor' },
      'Address, network, port, protocol, application or name; ',
      ...['name:', 'port:', 'app:', 'device:', 'vlan:', 'bytes:'].flatMap((key) => [h('code', {}, key), ' ']),
      'say which.',
    ),
    h('p', {}, h('a', { href: '#/open' }, 'Open flows')),
    rangeSwitch(range, (chosen) => go(`#/flows?q=${encodeURIComponent(text)}&${chosen}`)),
    problem,
    note,
    arriving,
    list,
    h('p', {}, older, ' ', save),
  );

  let rows = [];
  let cursor = null;
  let filter = null;
  try {
    filter = parseFilter(text);
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
  const loadMore = async () => {
    older.disabled = true;
    try {
      const answer = await get('/api/v1/flows', { ...filter, ...range.times, limit: PAGE_ROWS, cursor }, signal);
      rows = [...rows, ...answer.flows];
      cursor = answer.next_cursor;
      if (answer.from_us !== undefined) fill(note, incompleteNote(answer));
      fill(list, table('Flows, the one that ended last first', COLUMNS, rows, { onOpen: showDetail, empty: 'No flow matches.' }));
      older.hidden = cursor === null;
      save.hidden = rows.length === 0;
    } catch (error) {
      fail(error);
    }
    older.disabled = false;
    list.setAttribute('aria-busy', 'false');
  };
  if (filter !== null && range.problem === null) loadMore();
  else list.setAttribute('aria-busy', 'false');
  const saveAll = async () => {
    save.disabled = true;
    try {
      await download('/api/v1/export', { ...filter, ...range.times, format: 'csv' }, 'flows.csv', signal);
    } catch (error) {
      fail(error);
    }
    save.disabled = false;
  };

  let stop = null;
  let fresh = [];
  const toggle = () => {
    if (stop) {
      stop();
      stop = null;
    } else {
      const off = live.on('flow', (flow) => {
        if (!matches(flow, filter ?? {})) return;
        fresh = [flow, ...fresh].slice(0, LIVE_ROWS_MAX);
        fill(arriving, table('Arriving', COLUMNS, fresh, { onOpen: showDetail }));
      });
      const unwant = live.want('flows');
      stop = () => {
        off();
        unwant();
      };
    }
    follow.setAttribute('aria-pressed', String(stop !== null));
  };
  return () => stop?.();
}

/** As far as the page can tell by itself; what it cannot, passes. */
function matches(flow, { ip, port, protocol: number, application, name }) {
  if (ip && flow.src_ip !== ip && flow.dst_ip !== ip) return false;
  if (port && flow.src_port !== Number(port) && flow.dst_port !== Number(port)) return false;
  if (number && flow.protocol !== number) return false;
  if (application && flow.application !== application) return false;
  if (!name) return true;
  return name.startsWith('*.') ? Boolean(flow.server_name?.endsWith(name.slice(1))) : flow.server_name === name;
}
