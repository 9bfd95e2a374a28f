import { get } from '../api.js';
import { facts, fill, h, panel, table } from '../dom.js';
import { bytes, count, duration, moment } from '../format.js';
import { machineCharts } from './machine.js';

const REFRESH_MS = 5000;
/** A minute is the least that is stored of the machine, and of losses. */
const STORED_REFRESH_MS = 60_000;

const LOSS_NAMES = { nic: 'network card', kernel: 'buffer of the kernel', crash: 'threads that died' };

/** Whether flowberry itself is well: what it says of itself, and where every packet went. */
export function health({ main, signal, attempt }) {
  const state = h('div', { 'aria-busy': 'true' });
  const history = h('div', {});
  const machine = machineCharts(signal);
  fill(main, state, panel('The machine, 24 hours', machine.element), history);
  const load = async () => {
    const body = await get('/health', {}, signal);
    fill(state, ...(body.ledger ? sections(body) : [statusOf(body)]));
    if (body.host) machine.describe(body.host);
    state.setAttribute('aria-busy', 'false');
  };
  const loadHistory = async () => {
    const [completeness, { sessions }] = await Promise.all([
      get('/api/v1/completeness', { since: '7d', limit: 50 }, signal),
      get('/api/v1/sessions', { since: '30d', limit: 20 }, signal),
    ]);
    fill(history, panel('Losses and gaps in 7 days', ...lossTables(completeness)), panel('Runs', sessionTable(sessions)));
  };
  const loadStored = () => attempt(Promise.all([machine.load(), loadHistory()]));
  attempt(load());
  loadStored();
  const timers = [
    setInterval(() => document.hidden || attempt(load()), REFRESH_MS),
    setInterval(() => document.hidden || loadStored(), STORED_REFRESH_MS),
  ];
  return () => {
    for (const timer of timers) clearInterval(timer);
    machine.close();
  };
}

function statusOf({ status, reasons, notes = [] }) {
  const line = (entry, kind) => h('li', { class: kind }, entry.message ?? entry.code);
  return panel(
    'State',
    h('p', { class: 'status', 'data-state': status }, status === 'ok' ? 'All is well.' : `flowberry is ${status}.`),
    h(
      'ul',
      {},
      reasons.map((reason) => line(reason, reason.severity)),
      notes.map((note) => line(note, 'note')),
    ),
  );
}

function sections(body) {
  return [
    statusOf(body),
    columns(panel('Every packet', ledgerOf(body)), panel('Losses', lossesOf(body))),
    body.io ? panel('Written to the card', ioOf(body.io)) : null,
    columns(panel('Rings', ringTable(body.rings)), panel('Interfaces', linkTable(body.links))),
    panel('Threads', threadTable(body.threads)),
  ];
}

const columns = (...panels) => h('div', { class: 'columns' }, panels);

/** The equation that always holds, as a table that adds up. */
function ledgerOf({ ledger }) {
  const dropped = Object.entries(ledger.dropped);
  const row = (name, value, className = null) =>
    h('tr', { class: className }, h('th', { scope: 'row' }, name), h('td', { class: 'number' }, count(value)));
  return h(
    'table',
    { class: 'ledger' },
    h(
      'caption',
      {},
      ledger.balanced ? 'The ledger balances: every packet is in exactly one line.' : 'The ledger does not balance.',
    ),
    h(
      'tbody',
      {},
      row('received', ledger.received, 'total'),
      row('in flows', ledger.in_flows),
      dropped.map(([reason, packets]) => row(`no flow: ${reason.replaceAll('_', ' ')}`, packets)),
      row('under way', ledger.waiting),
    ),
  );
}

function lossesOf({ losses = [], gaps }) {
  const columns = [
    { head: 'By', cell: ({ where }) => LOSS_NAMES[where] ?? where.replace('-', ' of worker ') },
    { head: 'Since the start', isNumber: true, cell: ({ packets }) => count(packets) },
    { head: 'Last minute', isNumber: true, cell: (loss) => count(loss.last_minute_packets) },
  ];
  const gap =
    gaps.count === 0
      ? 'No gaps without capture.'
      : `${gaps.count} ${gaps.count === 1 ? 'gap' : 'gaps'} without capture, ${duration(gaps.total_ms * 1000)} in all.`;
  return [table('Packets lost', columns, losses), h('p', {}, gap)];
}

/** What the kernel does not tell is null, as in memory or on an overlay; and what takes a while to be known. */
function ioOf({ profile, last_minute_bytes: minute, last_hour: hour, device, endurance, budget, ...io }) {
  const told = (value, show = bytes) => (value === null ? 'not known yet' : show(value));
  const limits = `${bytes(budget.soft_bytes_per_minute)} aimed at, ${bytes(budget.hard_bytes_per_minute)} at most`;
  return facts([
    ['last minute', told(minute)],
    [
      'a minute, in the last hour',
      told(hour.mean_bytes_per_minute, (mean) => `${bytes(mean)}, at most ${bytes(hour.max_bytes_per_minute)}`),
    ],
    ['today', told(io.today_bytes)],
    ['in all', told(io.total_bytes)],
    ['for each flow', told(io.bytes_per_flow)],
    ['whole disk today, by everybody', told(device.today_bytes)],
    [`a card of ${endurance.card_tbw} TB lasts`, told(endurance.years, (years) => `${years.toFixed(1)} years`)],
    [`limits a minute (${profile})`, limits],
    ['savings', budget.step.replaceAll('_', ' ')],
    ['flows left out', count(budget.shed_flows)],
  ]);
}

function ringTable(rings) {
  const fill = ({ used_percent: used }) =>
    h('meter', { min: 0, max: 100, high: 50, optimum: 0, value: used, title: `${used} %` });
  return table(
    'Rings between the threads',
    [
      { head: 'Ring', cell: ({ name }) => name },
      { head: 'Used', cell: (ring) => [fill(ring), ` ${ring.used_percent} %`] },
      { head: 'Size', isNumber: true, cell: (ring) => bytes(ring.capacity_bytes) },
    ],
    rings,
  );
}

function threadTable(threads) {
  return table(
    'Threads',
    [
      { head: 'Thread', cell: ({ name }) => name },
      { head: 'State', cell: ({ state }) => state },
      {
        head: 'Sign of life',
        isNumber: true,
        cell: (thread) => (thread.heartbeat_age_ms === null ? '–' : `${thread.heartbeat_age_ms} ms ago`),
      },
      { head: 'Replaced', isNumber: true, cell: ({ restarts }) => count(restarts) },
    ],
    threads,
  );
}

function linkTable(links) {
  return table(
    'Interfaces',
    [
      { head: 'Interface', cell: ({ name }) => name },
      { head: 'State', cell: ({ state }) => state },
      { head: 'Not captured since', cell: (link) => (link.gap_start_us === null ? '' : moment(link.gap_start_us)) },
    ],
    links,
    { empty: 'Files are read.' },
  );
}

function lossTables({ minutes, gaps }) {
  return [
    table(
      'Minutes in which packets were lost',
      [
        { head: 'Minute', cell: (row) => moment(row.minute_us) },
        { head: 'Received', isNumber: true, cell: (row) => count(row.packets_received) },
        { head: 'Card', isNumber: true, cell: (row) => count(row.lost_by_nic) },
        { head: 'Kernel', isNumber: true, cell: (row) => count(row.lost_by_kernel) },
        { head: 'Rings', isNumber: true, cell: (row) => count(row.lost_by_ring) },
        { head: 'Crashes', isNumber: true, cell: (row) => count(row.lost_by_crash) },
        { head: 'Disk', isNumber: true, cell: (row) => count(row.lost_by_store) },
      ],
      minutes,
      { empty: 'No packet was lost.' },
    ),
    table(
      'Gaps without capture',
      [
        { head: 'Interface', cell: (gap) => gap.interface },
        { head: 'Reason', cell: (gap) => gap.reason.replaceAll('_', ' ') },
        { head: 'From', cell: (gap) => moment(gap.start_us) },
        { head: 'To', cell: (gap) => (gap.end_us === null ? 'it lasts' : moment(gap.end_us)) },
      ],
      gaps,
      { empty: 'No gap without capture.' },
    ),
  ];
}

function sessionTable(sessions) {
  const end = ({ clean, ended_us: us }) => (clean === null ? 'it runs' : clean ? moment(us) : 'killed, or the power failed');
  return table(
    'Runs, the latest first',
    [
      { head: 'From', cell: (session) => moment(session.started_us) },
      { head: 'To', cell: end },
      { head: 'Source', cell: ({ mode, source }) => `${mode} ${source}`, className: 'text' },
    ],
    sessions,
  );
}
