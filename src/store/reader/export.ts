import type { Database } from 'better-sqlite3';
import { communityId } from '../community-id.js';
import type { Order } from './cursor.js';
import { type FlowFilter, planFlows } from './flow-filter.js';
import { searchIds } from './lookup-search.js';
import { inSnapshot, rows } from './statement.js';

/** Rows that are read at a time, on one state of the database; a writer goes on meanwhile. */
const ROWS_PER_PART = 500;
/** Rows that are looked at for them: more would keep other readers of the thread waiting for longer than 0.1 s. */
const ROWS_EXAMINED_MAX = 100_000;

export interface ExportInput {
  /** By the time at which the row was written. Oldest first where it is not given. */
  readonly order?: Order;
}

/** A value of an exported row. */
export type ExportValue = number | string | null;

export interface FlowExport {
  /** Those of `flow_view`, and `community_id`. */
  readonly columns: readonly string[];
  /** Parts with rows, their values in the order of the columns; a part may be empty while the search goes on. */
  readonly parts: Generator<ExportPart>;
}

interface ExportPart {
  readonly rows: readonly (readonly ExportValue[])[];
  /** How far it has come, as the ids of rows tell, µs since 1970; null at the end. */
  readonly reachedUs: number | null;
}

/**
 * All flows that are asked for, however many. Each part is of one state of the database; between the parts nothing is held, so that
 * a slow taker keeps no write-ahead log from being cleared, and rows that come behind it are exported too. Throws `FILTER_INVALID`.
 */
export function exportFlows(db: Database, filter: FlowFilter, { order = 'oldest' }: ExportInput = {}): FlowExport {
  const statement = rows<ExportValue[]>(db, 'SELECT * FROM flow_view WHERE id = ?');
  const columns = statement.columns().map(({ name }) => name);
  const id = communityIdOf(columns);
  const read = (rowId: number): ExportValue[] => {
    const row = statement.get(rowId) as ExportValue[];
    row.push(id(row));
    return row;
  };
  inSnapshot(db, () => planFlows(db, filter));
  const parts = function* (): Generator<ExportPart> {
    let afterId: number | null = null;
    do {
      const bounds = { order, afterId, limit: ROWS_PER_PART, rowsExaminedMax: ROWS_EXAMINED_MAX };
      const part = inSnapshot(db, () => {
        const found = searchIds(db, planFlows(db, filter), bounds);
        return { rows: found.ids.map(read), reachedUs: found.nextId };
      });
      afterId = part.reachedUs;
      yield part;
    } while (afterId !== null);
  };
  return { columns: [...columns, 'community_id'], parts: parts() };
}

/** Reads the Community ID out of a row with these columns. */
function communityIdOf(columns: readonly string[]): (row: readonly ExportValue[]) => string | null {
  const names = ['protocol', 'src_ip', 'src_port', 'dst_ip', 'dst_port', 'icmp_type', 'icmp_code'];
  const [protocol, src, srcPort, dst, dstPort, icmpType, icmpCode] = names.map((name) => columns.indexOf(name)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return (row) => {
    const isIcmp = row[icmpType] !== null;
    return communityId({
      protocol: row[protocol] as number,
      src: row[src] as string,
      srcPort: row[isIcmp ? icmpType : srcPort] as number,
      dst: row[dst] as string,
      dstPort: row[isIcmp ? icmpCode : dstPort] as number,
    });
  };
}
