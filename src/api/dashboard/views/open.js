import { get } from '../api.js';
import { fill, h, table } from '../dom.js';
import { bytes, count, duration, endpoint, moment, protocol } from '../format.js';
import { showDetail } from './flow-detail.js';

const REFRESH_MS = 5000;
const ROWS_MAX = 100;

/** Which of the open flows are shown, as the API takes it. */
const SORTS = [
  ['bytes', 'Most bytes'],
  ['newest', 'Newest'],
];

/** A link to the stored flows that the filter finds. */
const found = (filter, text) => h('a', { href: `#/flows?q=${encodeURIComponent(filter)}` }, text);

const COLUMNS = [
  { head: 'Since', cell: ({ start_us: us }) => moment(us) },
  { head: 'From', cell: (flow) => found(`ip:${flow.src_ip}`, endpoint(flow.src_ip, flow.src_port)), className: 'address' },
  {
    head: 'To',
    cell: ({ server_name: name, dst_ip: ip, dst_port: port }) =>
      name ? found(`name:${name}`, name) : found(`ip:${ip}`, endpoint(ip, port)),
    className: 'address',
  },
  { head: 'Application', cell: (flow) => flow.application ?? protocol(flow.protocol) },
  { head: 'Sent', isNumber: true, cell: (flow) => bytes(flow.src_bytes) },
  { head: 'Received', isNumber: true, cell: (flow) => bytes(flow.dst_bytes) },
  { head: 'Last packet', isNumber: true, cell: (flow) => `${duration(Math.max(0, Date.now() * 1000 - flow.end_us))} ago` },
];

/** The flows that are open now: those with the most bytes, or the newest. The API picks them, since there may be many thousands. */
export function open({ main, query, signal, go, attempt }) {
  const sort = query.get('sort') === 'newest' ? 'newest' : 'bytes';
  const list = h('div', { 'aria-busy': 'true' });
  fill(
    main,
    h('p', {}, h('a', { href: '#/flows' }, 'Stored flows')),
    h(
      'div',
      { class: 'switch', role: 'group', 'aria-label': 'Which' },
      SORTS.map(([value, label]) =>
        h('button', { type: 'button', 'aria-pressed': String(value === sort), onclick: () => go(`#/open?sort=${value}`) }, label),
      ),
    ),
    list,
    h('p', { class: 'minor' }, 'A long flow counts from its last segment on.'),
  );
  const load = async () => {
    const { open_flows: all, flows } = await get('/api/v1/active', { sort, limit: ROWS_MAX }, signal);
    const left = list.firstElementChild?.scrollLeft ?? 0;
    const caption = `${count(flows.length)} of ${count(all)} open flows, ${sort === 'bytes' ? 'those with the most bytes' : 'the newest'} first`;
    fill(list, table(caption, COLUMNS, flows, { onOpen: showDetail, empty: 'No flow is open.' }));
    list.firstElementChild.scrollLeft = left;
    list.setAttribute('aria-busy', 'false');
  };
  attempt(load());
  const timer = setInterval(() => document.hidden || attempt(load()), REFRESH_MS);
  return () => clearInterval(timer);
}
