import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.js';
import { cursorId, cursorText, type Order } from './cursor.js';
import { type FlowFilter, planFlows } from './flow-filter.js';
import { type Found, type SearchPlan, searchIds } from './lookup-search.js';
import { inSnapshot, objects } from './statement.js';

/** Rows of a page where no number is given, and at most. */
const PAGE_ROWS = 100;
const PAGE_ROWS_MAX = 1000;
/** Rows that one search reads at most: about 0.1 s. It then ends with what it has found, and a cursor to go on with. */
export const ROWS_EXAMINED_MAX = 200_000;

/** Which page of an answer. */
export interface PageInput {
  /** 1 to `PAGE_ROWS_MAX`. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
  /** By the time at which the row was written. Newest first where it is not given. */
  readonly order?: Order;
  /** `ROWS_EXAMINED_MAX` where it is not given. */
  readonly rowsExaminedMax?: number;
}

export interface Page<R> {
  readonly rows: readonly R[];
  /** Cursor of the next page; null behind the last row. */
  readonly next: string | null;
  /** The search ended before it had rows enough, since it had read as many as it may: go on with `next`. */
  readonly isTruncated: boolean;
  readonly rowsExamined: number;
  /** How far it has searched, µs since 1970; null: to the end. */
  readonly searchedToUs: number | null;
}

/** A row of `flow_view`, by its columns. */
export type FlowRow = Readonly<Record<string, number | string | null>> & { readonly id: number };

/** One page of flows. Throws `FILTER_INVALID`. */
export function searchFlows(db: Database, filter: FlowFilter, page: PageInput = {}): Page<FlowRow> {
  return inSnapshot(db, () => pageOf(db, planFlows(db, filter), page, (id) => findFlow(db, id)));
}

/** One flow; null for one that is not there. */
export function findFlow(db: Database, id: number): FlowRow | null {
  return objects<FlowRow>(db, 'SELECT * FROM flow_view WHERE id = ?').get(id) ?? null;
}

/** The page of a search, each row read by `find`. On one state of the database, the caller sees to that. */
export function pageOf<R>(db: Database, plan: SearchPlan, page: PageInput, find: (id: number) => R | null): Page<R> {
  const { order = 'newest', limit = PAGE_ROWS, cursor, rowsExaminedMax = ROWS_EXAMINED_MAX } = page;
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_ROWS_MAX)
    throw new AppError('FILTER_INVALID', `limit ${limit} is not from 1 to ${PAGE_ROWS_MAX}`);
  const afterId = cursor === undefined ? null : cursorId(order, cursor);
  const found: Found = searchIds(db, plan, { order, afterId, limit, rowsExaminedMax });
  return {
    rows: found.ids.flatMap((id) => find(id) ?? []),
    next: found.nextId === null ? null : cursorText(order, found.nextId),
    isTruncated: found.isTruncated,
    rowsExamined: found.rowsExamined,
    searchedToUs: found.nextId,
  };
}
