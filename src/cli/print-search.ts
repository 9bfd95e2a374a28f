import type { Page } from '../store/reader/flow-search.js';
import { timeText } from './human.js';
import type { PeopleColumn } from './people-table.js';
import { printRows } from './print-page.js';

/** Prints one page of a search, and how to go on from there. */
export async function printSearch<R extends object>(
  format: 'table' | 'json' | 'csv',
  list: string,
  columns: readonly PeopleColumn<R>[],
  found: Page<R>,
  filter: { readonly sinceUs?: number },
): Promise<void> {
  await printRows(format, { list, rows: found.rows, facts: factsOf(found), columns, note: noteOf(found, filter) });
}

/** What JSON tells of a page beside its rows. */
function factsOf({ next, isTruncated, rowsExamined, searchedToUs }: Page<unknown>): Record<string, unknown> {
  return { next, truncated: isTruncated, rows_examined: rowsExamined, searched_to_us: searchedToUs };
}

/** What people are told of a page beside its rows. */
function noteOf(
  { rows, next, isTruncated, searchedToUs }: Page<unknown>,
  { sinceUs }: { readonly sinceUs?: number },
): string | null {
  if (next !== null) {
    const reason = isTruncated && searchedToUs !== null ? `searched as far as ${timeText(searchedToUs)}` : 'there are more';
    return `${reason}; go on with --cursor ${next}`;
  }
  return rows.length === 0 && sinceUs !== undefined
    ? `nothing found since ${timeText(sinceUs)}; --since all searches everything`
    : null;
}
