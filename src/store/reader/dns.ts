import type { Database } from 'better-sqlite3';
import { likeText } from './search.js';
import { inSnapshot, objects, values } from './statement.js';

/** A row of `dns_view`. */
export interface DnsRow {
  readonly id: number;
  readonly seen_us: number;
  readonly client_ip: string;
  readonly client_port: number;
  readonly server_ip: string;
  readonly server_port: number;
  readonly transport: string | null;
  readonly query: string | null;
  readonly query_type: string | null;
  readonly response_code: string | null;
  readonly latency_us: number | null;
  readonly answer_count: number;
  readonly answers: string | null;
}

/** Which DNS transactions are wanted, the latest first. */
export interface DnsWanted {
  readonly fromUs: number;
  readonly toUs: number;
  readonly limit: number;
  /** Where the page before says to go on. */
  readonly beforeId: number | null;
  readonly clientIp?: string | undefined;
  /** A part of the name that was asked for. */
  readonly query?: string | undefined;
  readonly responseCode?: string | undefined;
}

/** Rows that are looked at in one step; between steps the clock is read. */
const STEP_ROWS = 5_000;
/** Where few rows fit, the page ends after so long with those that were found, and tells where to go on. */
const PAGE_MS_MAX = 250;

const STEP_SQL = `SELECT * FROM dns_view WHERE id < ? AND id >= ? AND seen_us >= ? AND seen_us < ?
  AND (? IS NULL OR client_ip = ?) AND (? IS NULL OR response_code = ?) AND (? IS NULL OR query LIKE ? ESCAPE '\\')
  ORDER BY id DESC LIMIT ?`;
const STEP_FIRST_SQL = 'SELECT min(id) FROM (SELECT id FROM dns WHERE id < ? AND id >= ? ORDER BY id DESC LIMIT ?)';

/**
 * One page, and the id to go on before; null at the end. Reads the table from its end in steps, so that a filter that fits nothing does
 * not read all of it in one go. An id is never before the time of its row.
 */
export function dnsPage(db: Database, wanted: DnsWanted): { readonly rows: DnsRow[]; readonly nextBeforeId: number | null } {
  const { fromUs, toUs, limit, beforeId, clientIp = null, responseCode = null } = wanted;
  const query = wanted.query === undefined ? null : `%${likeText(wanted.query.toLowerCase())}%`;
  const filters = [clientIp, clientIp, responseCode, responseCode, query, query];
  const startMs = performance.now();
  return inSnapshot(db, () => {
    const rows: DnsRow[] = [];
    let endId = beforeId ?? Number.MAX_SAFE_INTEGER;
    for (;;) {
      const firstId = values<number | null>(db, STEP_FIRST_SQL).get(endId, fromUs, STEP_ROWS) ?? null;
      if (firstId === null) return { rows, nextBeforeId: null };
      const step = objects<DnsRow>(db, STEP_SQL);
      rows.push(...step.all(endId, firstId, fromUs, toUs, ...filters, limit - rows.length));
      const last = rows.at(-1);
      if (rows.length === limit && last) return { rows, nextBeforeId: last.id };
      endId = firstId;
      if (performance.now() - startMs > PAGE_MS_MAX) return { rows, nextBeforeId: endId };
    }
  });
}
