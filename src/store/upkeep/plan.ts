import type { Database } from 'better-sqlite3';
import type { Config } from '../../config.js';
import { ADDRESSES_MAX } from '../addresses.js';
import { openForReading } from '../open-database.js';
import { livePathOf } from '../ram/ram-paths.js';
import { TEXTS_MAX } from '../texts.js';
import { fileBytesMaxOf } from './file-room.js';
import { DAY_US } from './fold-ledger.js';
import { COUNTED_TABLES, DIMENSION_TABLES, RAW_TABLES, rawDaysKept, TIMED_TABLES } from './plan-tables.js';
import { bytesPerRow } from './row-bytes.js';

/** Flows, the newest, that tell how many other rows come with a flow. */
const SAMPLE_ROWS = 50_000;

/** Nobody looks further ahead. */
const DAYS_MAX = 36_500;

/** What is expected of the rows of one table. */
export interface PlannedRows {
  readonly table: string;
  readonly rowsPerDay: number;
  /** Indexes and unused room in pages included. */
  readonly bytesPerRow: number;
  /** By the options; Infinity is for ever. */
  readonly daysKept: number;
  /** The most rows that the table may have, whatever their age. */
  readonly rowsMax: number;
}

/** What a database will grow to if all goes on as it has. */
export interface Plan {
  readonly path: string;
  /** Days that the rates are taken from. */
  readonly daysSeen: number;
  readonly flowsPerSecond: number;
  readonly rows: readonly PlannedRows[];
  readonly bytesMax: number;
  readonly bytesUsed: number;
}

/** Reads the rates from the rows that are there. Throws what `openForReading` throws. Reads samples, not the whole file. */
export function planDatabase(config: Config): Plan {
  const db = openForReading(livePathOf(config));
  try {
    return planOf(db, config);
  } finally {
    db.close();
  }
}

/** Bytes after so many days, as the options have it: nothing beyond what is kept. */
export function bytesAfter(rows: readonly PlannedRows[], days: number): number {
  return rows.reduce(
    (sum, row) => sum + Math.min(row.rowsPerDay * Math.min(days, row.daysKept), row.rowsMax) * row.bytesPerRow,
    0,
  );
}

/** The day on which the limit is reached; null for never. */
export function daysUntil(rows: readonly PlannedRows[], bytes: number): number | null {
  if (bytesAfter(rows, DAYS_MAX) < bytes) return null;
  let [low, high] = [0, DAYS_MAX];
  while (high - low > 0.01) {
    const middle = (low + high) / 2;
    if (bytesAfter(rows, middle) < bytes) low = middle;
    else high = middle;
  }
  return high;
}

function planOf(db: Database, config: Config): Plan {
  const value = (sql: string, ...values: number[]): number =>
    (db
      .prepare(sql)
      .pluck()
      .get(...values) as number | null) ?? 0;
  const firstUs = value('SELECT min(id) FROM flows');
  const lastUs = value('SELECT max(id) FROM flows');
  // What the ledger has counted and was not deleted is there; counting the rows themselves would read the whole table.
  const hasPruned = value(`SELECT count(*) FROM sqlite_schema WHERE name = 'pruned'`) > 0;
  const pruned = hasPruned ? value(`SELECT sum(rows) FROM pruned WHERE kind = 'flows'`) : 0;
  const flows = value('SELECT sum(flows_written) FROM ledger') - pruned;
  const daysSeen = Math.max((lastUs - firstUs) / DAY_US, 1 / 86_400);
  const flowsPerDay = flows < 2 ? 0 : flows / daysSeen;
  const sampleUs = value('SELECT min(id) FROM (SELECT id FROM flows ORDER BY id DESC LIMIT ?)', SAMPLE_ROWS);
  const sampleFlows = Math.max(value('SELECT count(*) FROM flows WHERE id >= ?', sampleUs), 1);
  const raw = RAW_TABLES.filter((table) => hasTable(db, table)).map((table): PlannedRows => {
    const rows = value(`SELECT count(*) FROM ${table} WHERE id >= ?`, sampleUs);
    return row(db, table, (flowsPerDay * rows) / sampleFlows, rawDaysKept(config));
  });
  const timed = TIMED_TABLES.filter(({ table }) => hasTable(db, table)).map(({ table, timeSql, daysKept }): PlannedRows => {
    const newestUs = value(`SELECT max(${timeSql}) FROM ${table}`);
    const sinceUs = newestUs - DAY_US;
    const rows = value(`SELECT count(*) FROM ${table} WHERE ${timeSql} > ?`, sinceUs);
    const oldestUs = value(`SELECT min(${timeSql}) FROM ${table} WHERE ${timeSql} > ?`, sinceUs);
    // At least an hour, so that a start does not count for a day.
    return row(db, table, rows / Math.min(1, Math.max((newestUs - oldestUs) / DAY_US, 1 / 24)), daysKept(config));
  });
  const createdUs = Number(db.prepare(`SELECT value FROM meta WHERE key = 'created_us'`).pluck().get());
  const daysOpen = Math.max(daysSeen, (lastUs - createdUs) / DAY_US);
  const counted = tablesOf(db).flatMap((table): PlannedRows[] => {
    const known = COUNTED_TABLES.find(({ name }) => name.test(table));
    if (!known) return [];
    const daysKept = known.daysKept(config);
    const rows = value(`SELECT count(*) FROM "${table}"`);
    return [row(db, table, rows / Math.min(daysOpen, daysKept), daysKept)];
  });
  const dimensions = DIMENSION_TABLES.filter(({ table }) => hasTable(db, table)).map(({ table, index, idFirst }): PlannedRows => {
    const given = value(`SELECT max(id) FROM ${table}`) - idFirst;
    const planned = row(db, table, given / daysOpen, Number.POSITIVE_INFINITY);
    const rowsMax = table === 'texts' ? TEXTS_MAX : ADDRESSES_MAX;
    return { ...planned, rowsMax, bytesPerRow: planned.bytesPerRow + bytesPerRow(db, index) };
  });
  const pages = value('PRAGMA page_count') - value('PRAGMA freelist_count');
  return {
    path: config.dbPath,
    daysSeen,
    flowsPerSecond: flowsPerDay / 86_400,
    rows: [...raw, ...counted, ...timed, ...dimensions].filter(({ rowsPerDay }) => rowsPerDay > 0),
    bytesMax: fileBytesMaxOf(config.dbPath, config.retentionFileBytesMax),
    bytesUsed: pages * value('PRAGMA page_size'),
  };
}

function row(db: Database, table: string, rowsPerDay: number, daysKept: number): PlannedRows {
  return { table, rowsPerDay, daysKept, bytesPerRow: bytesPerRow(db, table), rowsMax: Number.POSITIVE_INFINITY };
}

function tablesOf(db: Database): string[] {
  return db.prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).pluck().all();
}

function hasTable(db: Database, table: string): boolean {
  return db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`).get(table) !== undefined;
}
