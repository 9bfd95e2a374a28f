import { type DnsFilter, type DnsRow, NO_ANSWER, searchDns } from '../store/reader/dns-search.js';
import type { PageInput } from '../store/reader/flow-search.js';
import { spanText, timeText } from './human.js';
import type { PeopleColumn } from './people-table.js';
import { withDatabase } from './print-page.js';
import { printSearch } from './print-search.js';

const text = (row: DnsRow, column: string): string => String(row[column] ?? '');

const COLUMNS: readonly PeopleColumn<DnsRow>[] = [
  { title: 'seen', text: (row) => timeText(Number(row['seen_us'])) },
  { title: 'client', text: (row) => text(row, 'client_ip'), widthMin: 15 },
  { title: 'server', text: (row) => text(row, 'server_ip'), widthMin: 12, spare: 2 },
  { title: 'by', text: (row) => text(row, 'transport'), spare: 3 },
  { title: 'query', text: (row) => text(row, 'query'), widthMin: 20 },
  { title: 'type', text: (row) => text(row, 'query_type') },
  { title: 'code', text: (row) => String(row['response_code'] ?? NO_ANSWER) },
  { title: 'took', text: (row) => (row['latency_us'] === null ? '' : spanText(Number(row['latency_us']))), isRight: true },
  { title: 'answers', text: (row) => text(row, 'answers'), widthMin: 15, spare: 1 },
];

/** `flowberry dns`: one page of DNS transactions. Throws `AppError`. */
export function runDns(path: string, filter: DnsFilter, page: PageInput, format: 'table' | 'json' | 'csv'): Promise<number> {
  return withDatabase(path, async (db) => {
    await printSearch(format, 'dns', COLUMNS, searchDns(db, filter, page), filter);
    return 0;
  });
}
