import type { Database, Statement } from 'better-sqlite3';

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
  readonly sinceUs: number;
  readonly untilUs: number;
  readonly limit: number;
  /** Id of the last row of the page before. */
  readonly beforeId?: number | undefined;
  readonly clientIp?: string | undefined;
  /** A part of the name that was asked for. */
  readonly query?: string | undefined;
  readonly responseCode?: string | undefined;
}

/** Rows that are looked at in one step; between steps the clock is read. */
const STEP_ROWS = 5_000;
/** Where few rows fit, the page ends after so long with those that were found, and tells where to go on. */
const PAGE_MS_MAX = 250;

/** Reads `dns` from its end, in steps, so that a filter that fits nothing does not read the whole table in one go. */
export class DnsReader {
  private readonly step: Statement<[Record<string, unknown>], DnsRow>;
  private readonly stepEnd: Statement<[number, number, number], number | null>;

  constructor(db: Database) {
    this.step = db.prepare(
      `SELECT * FROM dns_view WHERE id < @endId AND id >= @firstId AND id >= @sinceUs AND seen_us >= @sinceUs AND seen_us < @untilUs
         AND (@clientIp IS NULL OR client_ip = @clientIp)
         AND (@responseCode IS NULL OR response_code = @responseCode)
         AND (@query IS NULL OR query LIKE @query ESCAPE '\\')
       ORDER BY id DESC LIMIT @limit`,
    );
    this.stepEnd = db
      .prepare<[number, number, number], number | null>(
        `SELECT min(id) FROM (SELECT id FROM dns WHERE id < ? AND id >= ? ORDER BY id DESC LIMIT ?)`,
      )
      .pluck();
  }

  /** One page, and the id to go on before; null at the end. */
  page(wanted: DnsWanted): { readonly rows: DnsRow[]; readonly nextBeforeId: number | null } {
    const { sinceUs, untilUs, limit, clientIp = null, responseCode = null } = wanted;
    const query = wanted.query === undefined ? null : `%${wanted.query.replaceAll(/[\\%_]/g, '\\$&')}%`;
    const rows: DnsRow[] = [];
    const startMs = performance.now();
    let endId = wanted.beforeId ?? Number.MAX_SAFE_INTEGER;
    for (;;) {
      const firstId = this.stepEnd.get(endId, sinceUs, STEP_ROWS) as number | null;
      if (firstId === null) return { rows, nextBeforeId: null };
      rows.push(
        ...this.step.all({ endId, firstId, sinceUs, untilUs, clientIp, responseCode, query, limit: limit - rows.length }),
      );
      const last = rows.at(-1);
      if (rows.length === limit && last) return { rows, nextBeforeId: last.id };
      endId = firstId;
      if (performance.now() - startMs > PAGE_MS_MAX) return { rows, nextBeforeId: endId };
    }
  }
}
