import { get } from '../api.js';
import { chart, incompleteSpans, rates } from '../chart.js';
import { fill, h, panel } from '../dom.js';
import { bitRate, bytes, duration, percent, shortCount } from '../format.js';
import { incompleteNote, rangeOf, rangeSwitch } from './range.js';

/** Seconds of the chart of now. */
const NOW_S = 120;
const REFRESH_MS = 30_000;
/** In place of figures that the writer has not added up yet: it does so once flows have ended. */
const NO_SUMS = () => h('span', { class: 'minor' }, 'no sums yet');

/** A figure with its name; `set` changes it. */
function figure(name, href = null) {
  const value = h('dd', {}, '–');
  return {
    element: h('div', {}, h('dt', {}, href ? h('a', { href }, name) : name), value),
    set: (text) => value.replaceChildren(text),
  };
}

/** The first screen: what goes on now, who and what it is, and whether it goes well. */
export function overview({ main, live, query, signal, go, attempt }) {
  const range = rangeOf(query, '24h');
  const rate = figure('Now');
  const packets = figure('Packets/s');
  const active = figure('Open flows', '#/open');
  const lost = figure('Lost since start');
  const sum = figure(`Traffic, ${range.label}`);
  const flows = figure(`Flows, ${range.label}`);
  const now = chart('Traffic now', [{ label: 'bit/s', format: bitRate }], { isFilled: true, windowS: NOW_S });
  const traffic = chart('Traffic', [
    { label: 'sent', format: bitRate },
    { label: 'received', format: bitRate },
  ]);
  const latency = chart('TCP handshakes', [
    { label: 'median', format: duration },
    { label: '95th percentile', format: duration },
  ]);
  const retransmits = chart('Segments sent again', [{ label: 'of all packets', format: (value) => `${value.toFixed(2)} %` }]);
  const note = h('div', {});
  const tops = { devices: h('div', {}), names: h('div', {}), applications: h('div', {}) };
  fill(
    main,
    h(
      'dl',
      { class: 'figures' },
      [rate, packets, active, lost, sum, flows].map(({ element }) => element),
    ),
    panel('Now', now.element),
    rangeSwitch(range, (chosen) => go(`#/overview?${chosen}`)),
    note,
    panel('Over time', traffic.element),
    h(
      'div',
      { class: 'columns' },
      panel('Devices', tops.devices),
      panel('Names', tops.names),
      panel('Applications', tops.applications),
    ),
    h('div', { class: 'columns' }, panel('Latency', latency.element), panel('Retransmissions', retransmits.element)),
  );

  const times = [];
  const bitRates = [];
  const off = live.on('stats', (stats) => {
    const bits = stats.wire_bits_per_s;
    times.push(stats.at_us / 1e6);
    bitRates.push(bits);
    if (times.length > NOW_S) {
      times.shift();
      bitRates.shift();
    }
    now.set(times, [bitRates]);
    now.describe(`${bitRate(bits)}, ${shortCount(stats.packets_per_s)} packets per second.`);
    rate.set(bitRate(bits));
    packets.set(shortCount(stats.packets_per_s));
    active.set(shortCount(stats.flows_active));
    const { ring_full = 0, worker_crash = 0, capture_crash = 0 } = stats.packets_dropped;
    lost.set(shortCount(stats.packets_lost_by_kernel + ring_full + worker_crash + capture_crash));
  });
  const unwant = live.want('stats');

  // Names are the most to add up, and go last: one thread of the API answers one after the other.
  const load = () => attempt(Promise.all([loadSums(), loadSeries(), ...['devices', 'applications', 'names'].map(loadTop)]));
  const loadSums = async () => {
    const answer = await get('/api/v1/summary', range.times, signal);
    const { total } = answer;
    const isSummed = answer.reaches_us !== null;
    sum.set(isSummed ? bytes(total.bytes_out + total.bytes_in) : NO_SUMS());
    flows.set(isSummed ? shortCount(total.flows) : NO_SUMS());
    fill(note, incompleteNote(answer));
  };
  const loadSeries = async () => {
    const { points, step_us: stepUs, reaches_us: reachesUs } = await get('/api/v1/series', range.times, signal);
    const at = points.map(({ start_us: us }) => us / 1e6);
    const spans = incompleteSpans(points, stepUs);
    const bits = (name) => rates(points, name, stepUs, reachesUs).map((rate) => rate && rate * 8);
    traffic.set(at, [bits('bytes_out'), bits('bytes_in')], spans);
    const all = points.reduce((total, { bytes_out: out, bytes_in: into }) => [total[0] + out, total[1] + into], [0, 0]);
    if (reachesUs !== null) traffic.describe(`${bytes(all[0])} sent and ${bytes(all[1])} received by local devices.`);
    latency.set(at, [points.map(({ p50_us: us }) => us), points.map(({ p95_us: us }) => us)], spans);
    const share = (point) => {
      const packetCount = point.packets_out + point.packets_in;
      return packetCount === 0 ? null : (100 * point.retransmits) / packetCount;
    };
    retransmits.set(at, [points.map(share)], spans);
    const again = points.reduce((total, point) => total + point.retransmits, 0);
    const packetCount = points.reduce((total, point) => total + point.packets_out + point.packets_in, 0);
    if (packetCount > 0) retransmits.describe(`${shortCount(again)} segments, ${percent(again, packetCount)} of all packets.`);
  };
  const loadTop = async (subject) => {
    const { rows } = await get('/api/v1/top', { ...range.times, subject, limit: 10 }, signal);
    fill(tops[subject], bars(subject, rows, range.query));
  };
  if (range.problem === null) load();
  const timer = setInterval(() => document.hidden || range.problem !== null || load(), REFRESH_MS);
  return () => {
    clearInterval(timer);
    off();
    unwant();
    for (const each of [now, traffic, latency, retransmits]) each.close();
  };
}

/** Who a row is about, and where a click on it leads. */
function label(subject, row, time) {
  if (row.is_rest) return 'all others';
  if (row.key === null) return subject === 'names' ? 'without a name' : subject === 'applications' ? 'not recognised' : 'unknown';
  if (subject === 'devices') {
    const name = row.device?.name ?? row.device?.vendor;
    const link = h('a', { href: `#/devices/${encodeURIComponent(row.device?.mac ?? row.key)}?${time}` }, name ?? row.key);
    return name ? [link, h('span', { class: 'minor' }, row.key)] : link;
  }
  const filter = subject === 'names' ? `name:${row.key}` : `app:${row.key}`;
  return h('a', { href: `#/flows?q=${encodeURIComponent(filter)}&${time}` }, row.key);
}

/** A list with bars as long as the traffic is large. */
function bars(subject, rows, time) {
  if (rows.length === 0) return h('p', { class: 'empty' }, 'No sums yet: flows are added up when they have ended.');
  const total = (row) => row.bytes_out + row.bytes_in;
  const most = Math.max(...rows.map(total), 1);
  return h(
    'ol',
    { class: 'bars' },
    rows.map((row) =>
      h(
        'li',
        {},
        h('meter', { min: 0, max: most, value: total(row), 'aria-hidden': 'true' }),
        h('span', { class: 'what' }, label(subject, row, time)),
        h('span', { class: 'number' }, bytes(total(row))),
      ),
    ),
  );
}
