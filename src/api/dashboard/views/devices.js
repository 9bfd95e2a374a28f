import { get } from '../api.js';
import { fill, h } from '../dom.js';
import { ago, moment } from '../format.js';
import { sortedTable } from '../sorted.js';

const nameOf = (device) => device.name ?? device.vendor ?? device.mac ?? device.addresses[0]?.value ?? '?';

const COLUMNS = [
  {
    head: 'Name',
    cell: nameOf,
    sort: nameOf,
    className: 'name',
  },
  { head: 'Vendor', cell: ({ vendor }) => vendor ?? '', sort: ({ vendor }) => vendor, className: 'long' },
  {
    head: 'Addresses',
    cell: ({ addresses }) =>
      addresses
        .slice(0, 3)
        .map(({ value }) => value)
        .join(', ') + (addresses.length > 3 ? ' …' : ''),
    sort: ({ addresses }) => addresses[0]?.value ?? null,
    className: 'address',
  },
  { head: 'Hardware address', cell: ({ mac }) => mac ?? '', sort: ({ mac }) => mac, className: 'long' },
  { head: 'First seen', cell: ({ first_seen_us: us }) => moment(us), sort: (device) => device.first_seen_us, className: 'long' },
  { head: 'Last seen', cell: ({ last_seen_us: us }) => ago(us), sort: (device) => device.last_seen_us, className: 'long' },
];

/** All devices, the one seen last first. They can be sorted once all of them are there. */
export function devices({ main, signal, go, fail }) {
  const open = ({ mac, addresses, id }) => go(`#/devices/${encodeURIComponent(mac ?? addresses[0]?.value ?? id)}`);
  const found = sortedTable('Devices that were seen', COLUMNS, {
    order: ['Last seen', true],
    onOpen: open,
    empty: 'No device has been seen yet.',
  });
  const list = h('div', { 'aria-busy': 'true' }, found.element);
  const more = h('button', { type: 'button', hidden: true, onclick: () => load() }, 'More');
  fill(main, list, more);
  let rows = [];
  let cursor = null;
  const load = async () => {
    try {
      const answer = await get('/api/v1/devices', { limit: 100, cursor }, signal);
      rows = [...rows, ...answer.devices];
      cursor = answer.next_cursor;
      found.set(rows, { isAll: cursor === null });
      more.hidden = cursor === null;
    } catch (error) {
      fail(error);
    }
    list.setAttribute('aria-busy', 'false');
  };
  load();
}
