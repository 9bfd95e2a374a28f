import { get } from '../api.js';
import { fill, h, table } from '../dom.js';
import { ago, moment } from '../format.js';

const COLUMNS = [
  {
    head: 'Name',
    cell: (device) => device.name ?? device.vendor ?? device.mac ?? device.addresses[0]?.value ?? '?',
    className: 'name',
  },
  { head: 'Vendor', cell: ({ vendor }) => vendor ?? '', className: 'long' },
  {
    head: 'Addresses',
    cell: ({ addresses }) =>
      addresses
        .slice(0, 3)
        .map(({ value }) => value)
        .join(', ') + (addresses.length > 3 ? ' …' : ''),
    className: 'address',
  },
  { head: 'Hardware address', cell: ({ mac }) => mac ?? '', className: 'long' },
  { head: 'First seen', cell: ({ first_seen_us: us }) => moment(us), className: 'long' },
  { head: 'Last seen', cell: ({ last_seen_us: us }) => ago(us), className: 'long' },
];

/** All devices, the one seen last first. */
export function devices({ main, signal, go, fail }) {
  const list = h('div', { 'aria-busy': 'true' });
  const more = h('button', { type: 'button', hidden: true, onclick: () => load() }, 'More');
  fill(main, list, more);
  let rows = [];
  let cursor = null;
  const load = async () => {
    try {
      const answer = await get('/api/v1/devices', { limit: 100, cursor }, signal);
      rows = [...rows, ...answer.devices];
      cursor = answer.next_cursor;
      const open = ({ mac, addresses, id }) => go(`#/devices/${encodeURIComponent(mac ?? addresses[0]?.value ?? id)}`);
      fill(
        list,
        table('Devices, the one seen last first', COLUMNS, rows, { onOpen: open, empty: 'No device has been seen yet.' }),
      );
      more.hidden = cursor === null;
    } catch (error) {
      fail(error);
    }
    list.setAttribute('aria-busy', 'false');
  };
  load();
}
