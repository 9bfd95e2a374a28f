import type { Order } from '../../store/reader/cursor.js';
import { flowCommunityId } from '../../store/reader/flow-community-id.js';
import type { FlowFilter } from '../../store/reader/flow-filter.js';
import { type FlowRow, findFlow, searchFlows } from '../../store/reader/flow-search.js';
import { FLOW_COLUMNS } from '../endpoint/flow-schema.js';
import type { ExportPage } from '../query/reader-task.js';
import { csvLines } from './csv.js';
import { given } from './given.js';
import { rangeOf } from './list-queries.js';
import { type FlowParameters, NotFound, type Query, type QueryRange } from './query.js';

/** Rows of one page of an export; the reader is free for others between pages. */
const EXPORT_PAGE_ROWS = 1_000;

function filterOf(parameters: FlowParameters, { fromUs, toUs }: QueryRange): FlowFilter {
  const { ip, net, port, protocol, application, name, device, vlan_id, end_reason, bytes_min } = parameters;
  const wanted = {
    address: ip,
    net,
    port,
    protocol,
    application,
    name,
    device,
    interface: parameters.interface,
    vlan: vlan_id,
    endReason: end_reason,
    bytesMin: bytes_min,
  };
  return {
    ...given(wanted),
    sinceUs: fromUs,
    untilUs: toUs,
  };
}

const shown = (row: FlowRow) => ({ ...row, community_id: flowCommunityId(row) });

/** Queries over stored flows. */
export const FLOW_QUERIES: Readonly<Record<string, Query>> = {
  flows: ({ db }, parameters, range) => {
    const { limit, cursor, order } = parameters;
    const page = searchFlows(db, filterOf(parameters, range), {
      order: order as Order,
      limit,
      ...given({ cursor }),
    });
    return {
      ...rangeOf(db, range),
      flows: page.rows.map(shown),
      next_cursor: page.next,
      searched_to_us: page.searchedToUs,
    };
  },

  flow: ({ db }, { id }) => {
    const row = findFlow(db, id);
    if (row === null) throw new NotFound('There is no flow with this id; it may have aged out.');
    return shown(row);
  },

  /** One page: an `ExportPage` in the first line, then rows as they go out. */
  export: ({ db }, parameters, range) => {
    const { cursor, format } = parameters;
    const page = searchFlows(db, filterOf(parameters, range), {
      order: 'oldest',
      limit: EXPORT_PAGE_ROWS,
      ...given({ cursor }),
    });
    const rows = page.rows.map(shown);
    const lines =
      format === 'csv' ? csvLines(rows, FLOW_COLUMNS, cursor === undefined) : rows.map((row) => `${JSON.stringify(row)}\n`);
    const head: ExportPage = { next: page.next, ...(cursor === undefined && rangeOf(db, range)) };
    return `${JSON.stringify(head)}\n${lines.join('')}`;
  },
};
