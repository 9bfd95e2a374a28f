import { get, patch } from '../api.js';
import { chart, incompleteSpans, rates } from '../chart.js';
import { facts, fill, h, panel } from '../dom.js';
import { ago, bitRate, bytes, count, duration, moment, percent } from '../format.js';
import { sortedTable } from '../sorted.js';
import { incompleteNote, rangeOf, rangeSwitch } from './range.js';

/** What found no row of its own stands last, whatever the others are sorted by. */
const unlessRest = (member) => (row) => (row.is_rest ? null : row[member]);
const SUM_COLUMNS = (head) => [
  { head, cell: (row) => (row.is_rest ? 'all others' : (row.key ?? '–')), sort: unlessRest('key'), className: 'name' },
  { head: 'Flows', isNumber: true, cell: ({ flows }) => count(flows), sort: unlessRest('flows') },
  { head: 'Sent', isNumber: true, cell: (row) => bytes(row.bytes_out), sort: unlessRest('bytes_out') },
  { head: 'Received', isNumber: true, cell: (row) => bytes(row.bytes_in), sort: unlessRest('bytes_in') },
];

/** Sums with the most traffic first. */
function sums(caption, head, rows) {
  const list = sortedTable(caption, SUM_COLUMNS(head), { empty: 'None in this time.' });
  list.set(rows);
  return list.element;
}

/** One device: what it is, what it did, and what people say of it. */
export function device({ main, path, query, signal, go, fail }) {
  const [key] = path;
  const range = rangeOf(query, '24h');
  const identity = h('div', {});
  const detail = h('div', { 'aria-busy': String(range.problem === null) });
  const traffic = chart('Traffic', [
    { label: 'sent', format: bitRate },
    { label: 'received', format: bitRate },
  ]);
  fill(
    main,
    h('p', {}, h('a', { href: '#/devices' }, 'All devices')),
    identity,
    rangeSwitch(range, (chosen) => go(`#/devices/${encodeURIComponent(key)}?${chosen}`)),
    panel('Over time', traffic.element),
    detail,
  );
  const loadDetail = async () => {
    const answer = await get('/api/v1/device', { device: key, ...range.times, limit: 20 }, signal);
    const { total, dns } = answer;
    fill(
      detail,
      incompleteNote(answer),
      panel(
        'In sum',
        facts([
          ['Sent', bytes(total.bytes_out)],
          ['Received', bytes(total.bytes_in)],
          ['Flows', count(total.flows)],
          ['TCP handshake, median', duration(total.p50_us)],
          ['TCP handshake, 95th percentile', duration(total.p95_us)],
          ['Connections that failed', percent(total.tcp_rejected + total.tcp_unanswered, total.tcp_attempts)],
          ['Segments sent again', percent(total.retransmits, total.packets_out + total.packets_in)],
          ['DNS queries', count(dns.total.queries)],
          ['DNS latency, median', duration(dns.total.p50_us)],
        ]),
      ),
      h(
        'div',
        { class: 'columns' },
        panel('Names', sums('Names of servers', 'Name', answer.names)),
        panel('Applications', sums('Applications', 'Application', answer.applications)),
      ),
      h(
        'p',
        {},
        h(
          'a',
          {
            href: `#/flows?q=${encodeURIComponent(answer.device.mac ? `device:${answer.device.mac}` : `ip:${key}`)}&${range.query}`,
          },
          'Its flows',
        ),
      ),
    );
    detail.setAttribute('aria-busy', 'false');
  };
  const loadSeries = async () => {
    const {
      points,
      step_us: stepUs,
      reaches_us: reachesUs,
    } = await get('/api/v1/series', { ...range.times, device: key }, signal);
    const bits = (name) => rates(points, name, stepUs, reachesUs).map((rate) => rate && rate * 8);
    traffic.set(
      points.map(({ start_us: us }) => us / 1e6),
      [bits('bytes_out'), bits('bytes_in')],
      incompleteSpans(points, stepUs),
    );
  };
  const loadIdentity = async () => {
    const { mac } = (await get('/api/v1/device', { device: key, ...range.times, limit: 20 }, signal)).device;
    // A search finds whatever contains the text: 192.168.1.1 is a part of 192.168.1.10.
    const { devices } = mac === null ? { devices: [] } : await get('/api/v1/search', { q: mac, limit: 100 }, signal);
    const known = devices.find((each) => each.mac === mac);
    if (known === undefined) return fill(identity, h('h2', {}, key));
    const found = await get(`/api/v1/devices/${known.id}`, {}, signal);
    fill(
      identity,
      identityOf(found),
      noteForm(found, () => loadIdentity().catch(fail), fail),
    );
  };
  if (range.problem === null) Promise.all([loadIdentity(), loadDetail(), loadSeries()]).catch(fail);
  return () => traffic.close();
}

function identityOf({ name, vendor, mac, addresses, first_seen_us: first, last_seen_us: last, note }) {
  return [
    h('h2', {}, name ?? vendor ?? mac ?? addresses[0]?.value ?? '?'),
    note && h('p', { class: 'note' }, note),
    facts([
      ['Vendor', vendor ?? 'not registered'],
      ['Hardware address', mac ?? 'not seen'],
      ['Addresses', addresses.map(({ value }) => value).join(', ')],
      ['First seen', moment(first)],
      ['Last seen', ago(last)],
    ]),
  ];
}

/** Lets people give a device a name and a note. */
function noteForm({ id, name, note }, onSaved, fail) {
  const nameInput = h('input', { value: name ?? '', maxLength: 64, autocomplete: 'off' });
  const noteInput = h('input', { value: note ?? '', maxLength: 500, autocomplete: 'off' });
  const save = async (event) => {
    event.preventDefault();
    try {
      // A name that the device gives itself is not what a person calls it, unless the person says so.
      const changed = {
        ...(nameInput.value !== (name ?? '') && { name: nameInput.value }),
        ...(noteInput.value !== (note ?? '') && { note: noteInput.value }),
      };
      if (Object.keys(changed).length > 0) await patch(`/api/v1/devices/${id}`, changed);
      onSaved();
    } catch (error) {
      fail(error);
    }
  };
  return h(
    'details',
    {},
    h('summary', {}, 'Name and note'),
    h(
      'form',
      { class: 'note-form', onsubmit: save },
      h('label', {}, 'Name ', nameInput),
      h('label', {}, 'Note ', noteInput),
      h('button', {}, 'Save'),
    ),
  );
}
