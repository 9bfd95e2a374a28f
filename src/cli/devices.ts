import { type DeviceInput, type DeviceRow, listDevices } from '../store/reader/devices.js';
import { timeText } from './human.js';
import type { PeopleColumn } from './people-table.js';
import { printRows, withDatabase } from './print-page.js';

/** Addresses of a device that a table shows. */
const ADDRESSES_SHOWN = 3;

const COLUMNS: readonly PeopleColumn<DeviceRow>[] = [
  { title: 'id', text: ({ id }) => String(id), isRight: true, spare: 4 },
  { title: 'hardware address', text: ({ mac }) => mac ?? '' },
  { title: 'name', text: ({ name }) => name ?? '', widthMin: 12 },
  { title: 'vendor', text: ({ vendor }) => vendor ?? '', widthMin: 10, spare: 2 },
  {
    title: 'addresses',
    text: ({ addresses }) => {
      const shown = addresses.slice(0, ADDRESSES_SHOWN).map(({ value }) => value);
      const more = addresses.length - shown.length;
      return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
    },
    widthMin: 15,
  },
  { title: 'first seen', text: (row) => timeText(row.first_seen_us), spare: 3 },
  { title: 'last seen', text: (row) => timeText(row.last_seen_us), spare: 1 },
];

/** `flowberry devices`: what was seen on the network, the one seen last first. Throws `AppError`. */
export function runDevices(path: string, input: DeviceInput, format: 'table' | 'json' | 'csv'): Promise<number> {
  return withDatabase(path, async (db) => {
    const { rows, next } = listDevices(db, input);
    const note = next === null ? null : `there are more; go on with --cursor ${next}`;
    await printRows(format, { list: 'devices', rows, facts: { next }, columns: COLUMNS, note });
    return 0;
  });
}
