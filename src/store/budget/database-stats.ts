import { statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { openForReading } from '../open-database.js';
import { enduranceYears } from '../reader/endurance.js';
import { SHED_SINCE } from './shed-columns.js';

/** What was written on one day, UTC. */
interface DayWritten {
  readonly dayUs: number;
  readonly processBytes: number;
  readonly deviceBytes: number;
  readonly flows: number;
  readonly seconds: number;
}

/** Room that a table or index takes. */
interface TableRoom {
  readonly name: string;
  readonly bytes: number;
  readonly rows: number;
}

export interface DatabaseStats {
  readonly path: string;
  readonly schemaVersion: number;
  readonly fileBytes: number;
  /** Write-ahead log; 0 where there is none. */
  readonly walBytes: number;
  readonly pageBytes: number;
  /** Room in the file that is not used. */
  readonly freeBytes: number;
  /** By the ledger: rows of flows written, and flows that were counted and left out. */
  readonly flowsWritten: number;
  readonly flowsShed: number;
  /** Of the rows that are there, µs since 1970; null without rows. */
  readonly oldestUs: number | null;
  readonly newestUs: number | null;
  /** The last days, the newest first. */
  readonly days: readonly DayWritten[];
  readonly total: Omit<DayWritten, 'dayUs'>;
  /** Null where too little is known. */
  readonly years: number | null;
  /** The largest first; null unless it was asked for, since it reads the whole file. */
  readonly tables: readonly TableRoom[] | null;
}

const DAYS_SHOWN = 14;

/**
 * Looks at a database and at what was written to keep it. `cardTbw` is what the card takes, TB. Read-only, beside a writer. Throws what
 * `openForReading` throws.
 */
export function databaseStats(path: string, cardTbw: number, hasTables: boolean): DatabaseStats {
  const db = openForReading(path);
  try {
    const pragma = (name: string): number => db.pragma(name, { simple: true }) as number;
    const schemaVersion = pragma('user_version');
    const pageBytes = pragma('page_size');
    const isCounted = schemaVersion >= SHED_SINCE;
    const shed = isCounted ? 'coalesce(sum(flows_shed), 0)' : '0';
    const ledger = db
      .prepare<[], { written: number; shed: number }>(
        `SELECT coalesce(sum(flows_written), 0) AS written, ${shed} AS shed FROM ledger`,
      )
      .get() as { written: number; shed: number };
    const ends = db
      .prepare<[], { oldest: number | null; newest: number | null }>(
        'SELECT (SELECT min(id) FROM flows) AS oldest, (SELECT max(id) FROM flows) AS newest',
      )
      .get() as { oldest: number | null; newest: number | null };
    const total = isCounted ? readTotal(db) : NOTHING;
    return {
      path,
      schemaVersion,
      fileBytes: statSync(path).size,
      walBytes: statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
      pageBytes,
      freeBytes: pragma('freelist_count') * pageBytes,
      flowsWritten: ledger.written,
      flowsShed: ledger.shed,
      oldestUs: ends.oldest,
      newestUs: ends.newest,
      days: isCounted ? db.prepare<[number], DayWritten>(`${DAYS_SQL} ORDER BY day_us DESC LIMIT ?`).all(DAYS_SHOWN) : [],
      total,
      years: enduranceYears(cardTbw, total.processBytes, total.seconds),
      tables: hasTables ? db.prepare<[], TableRoom>(TABLES_SQL).all() : null,
    };
  } finally {
    db.close();
  }
}

const NOTHING = { processBytes: 0, deviceBytes: 0, flows: 0, seconds: 0 };

const DAYS_SQL =
  'SELECT day_us AS dayUs, process_bytes AS processBytes, device_bytes AS deviceBytes, flows, seconds FROM bytes_written';

const TABLES_SQL = `SELECT name, sum(pgsize) AS bytes, sum(CASE WHEN pagetype = 'leaf' THEN ncell ELSE 0 END) AS rows
  FROM dbstat GROUP BY name ORDER BY 2 DESC, 1`;

function readTotal(db: Database): DatabaseStats['total'] {
  return db
    .prepare<[], DatabaseStats['total']>(
      `SELECT coalesce(sum(process_bytes), 0) AS processBytes, coalesce(sum(device_bytes), 0) AS deviceBytes,
         coalesce(sum(flows), 0) AS flows, coalesce(sum(seconds), 0) AS seconds FROM bytes_written`,
    )
    .get() as DatabaseStats['total'];
}
