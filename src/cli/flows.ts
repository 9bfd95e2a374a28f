import type { FlowFilter } from '../store/reader/flow-filter.js';
import { type FlowRow, type PageInput, searchFlows } from '../store/reader/flow-search.js';
import { protocolName } from '../store/reader/protocols.js';
import { bytesText, spanText, timeText } from './human.js';
import type { PeopleColumn } from './people-table.js';
import { withDatabase } from './print-page.js';
import { printSearch } from './print-search.js';

const number = (row: FlowRow, column: string): number => Number(row[column] ?? 0);
const text = (row: FlowRow, column: string): string => String(row[column] ?? '');

/** Address and port; ports are told apart from IPv6 groups by brackets. */
function side(row: FlowRow, name: 'src' | 'dst'): string {
  const ip = text(row, `${name}_ip`);
  const port = number(row, `${name}_port`);
  if (port === 0) return ip;
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

const COLUMNS: readonly PeopleColumn<FlowRow>[] = [
  { title: 'started', text: (row) => timeText(number(row, 'start_us')) },
  { title: 'lasted', text: (row) => spanText(number(row, 'end_us') - number(row, 'start_us')), isRight: true, spare: 2 },
  { title: 'from', text: (row) => side(row, 'src'), widthMin: 21 },
  { title: 'to', text: (row) => side(row, 'dst'), widthMin: 21 },
  { title: 'protocol', text: (row) => protocolName(number(row, 'protocol')), spare: 3 },
  { title: 'application', text: (row) => text(row, 'application'), spare: 4 },
  { title: 'server name', text: (row) => text(row, 'server_name'), widthMin: 16, spare: 1 },
  { title: 'sent', text: (row) => bytesText(number(row, 'src_bytes')), isRight: true },
  { title: 'received', text: (row) => bytesText(number(row, 'dst_bytes')), isRight: true },
  {
    title: 'round trip',
    text: (row) => (row['rtt_server_us'] === null ? '' : spanText(number(row, 'rtt_client_us') + number(row, 'rtt_server_us'))),
    isRight: true,
    spare: 5,
  },
  { title: 'end', text: (row) => text(row, 'end_reason'), spare: 6 },
];

/** `flowberry flows`: one page of flows. Throws `AppError`. */
export function runFlows(path: string, filter: FlowFilter, page: PageInput, format: 'table' | 'json' | 'csv'): Promise<number> {
  return withDatabase(path, async (db) => {
    await printSearch(format, 'flows', COLUMNS, searchFlows(db, filter, page), filter);
    return 0;
  });
}
