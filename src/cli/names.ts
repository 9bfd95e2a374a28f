import type { FlowFilter } from '../store/reader/flow-filter.js';
import { listNames, type NameInput, type NameRow } from '../store/reader/names.js';
import { bytesText, timeText } from './human.js';
import type { PeopleColumn } from './people-table.js';
import { printRows, withDatabase } from './print-page.js';

const COLUMNS: readonly PeopleColumn<NameRow>[] = [
  { title: 'name', text: ({ name }) => name, widthMin: 20 },
  { title: 'last seen', text: (row) => timeText(row.last_seen_us) },
  { title: 'flows', text: ({ flows }) => flows.toLocaleString('en-US'), isRight: true },
  { title: 'bytes', text: ({ bytes }) => bytesText(bytes), isRight: true },
  { title: 'clients', text: ({ clients }) => String(clients), isRight: true, spare: 2 },
  { title: 'addresses', text: ({ addresses }) => addresses.join(', '), widthMin: 15, spare: 1 },
];

/** `flowberry names`: names of servers to which there were flows. Throws `AppError`. */
export function runNames(path: string, filter: FlowFilter, input: NameInput, format: 'table' | 'json' | 'csv'): Promise<number> {
  return withDatabase(path, async (db) => {
    const { rows, nameCount, isTruncated, rowsExamined, searchedToUs } = listNames(db, filter, input);
    const facts = { names_found: nameCount, truncated: isTruncated, rows_examined: rowsExamined, searched_to_us: searchedToUs };
    const notes = [
      ...(nameCount > rows.length ? [`the last ${rows.length} of ${nameCount} names`] : []),
      ...(searchedToUs === null ? [] : [`counted back to ${timeText(searchedToUs)}; a shorter time or a filter tells more`]),
      ...(nameCount === 0 && filter.sinceUs !== undefined
        ? [`nothing found since ${timeText(filter.sinceUs)}; --since all searches everything`]
        : []),
    ];
    await printRows(format, { list: 'names', rows, facts, columns: COLUMNS, note: notes.join('; ') || null });
    return 0;
  });
}
