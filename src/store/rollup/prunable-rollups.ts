import type { Database, Statement } from 'better-sqlite3';
import type { Prunable } from '../prunable.js';
import { DNS_MEASURES, KINDS, type Kind } from './kinds.js';
import { ID_STEP, LEVEL_MINUTES, LEVEL_NAMES, Level, MINUTE_US } from './levels.js';

/** Times of writing whose days stay: the day before today, which the sums of the last hours may need, is written today. */
const DAYS_KEPT = 2;

interface Table {
  /** The first row that must stay. `newestId` is the last id in any table of the level. */
  readonly firstKept: (newestId: number) => number;
  readonly findNewest: Statement<[], number | null>;
  readonly findOldest: Statement<[], number | null>;
  readonly sumOldest: Statement<[idBelow: number, rowsMax: number], Sums>;
  readonly remove: Statement<[number]>;
  readonly addPruned: Statement<[number, number, number]>;
}

interface Sums {
  readonly last: number | null;
  readonly count: number;
  readonly flows: number;
  readonly packets: number;
  readonly bytes: number;
}

/**
 * What retention may delete of the rollups, by level: minutes that are folded into hours, hours that are folded into days, and days but
 * the last ones.
 */
export function prunableRollups(db: Database): readonly [minutes: Prunable, hours: Prunable, days: Prunable] {
  return [new PrunableLevel(db, Level.Minute), new PrunableLevel(db, Level.Hour), new PrunableLevel(db, Level.Day)];
}

class PrunableLevel implements Prunable {
  readonly name: string;
  private readonly tables: readonly Table[];
  private readonly unitUs: number;

  constructor(db: Database, level: Level) {
    this.name = `rollups by the ${LEVEL_NAMES[level]}`;
    this.unitUs = (LEVEL_MINUTES[level] as number) * MINUTE_US;
    this.tables = Object.values<Kind>(KINDS).map((kind) => tableOf(db, kind, level));
  }

  /**
   * By the time at which rows were written. A table that nothing was written into for long may have old rows that must stay, and those of
   * the others go all the same.
   */
  oldestUs(): number | null {
    const newestId = this.newestId;
    const ids = this.tables.flatMap(({ findOldest, firstKept }) => {
      const id = findOldest.get() ?? null;
      return id !== null && id < firstKept(newestId) ? [id] : [];
    });
    return ids.length === 0 ? null : (Math.floor(Math.min(...ids) / ID_STEP) + 1) * this.unitUs;
  }

  /** Rows that were written before `beforeUs`, of one table after the other. */
  prune(beforeUs: number, rowsMax: number): number {
    const idBelow = Math.floor(beforeUs / this.unitUs) * ID_STEP;
    const newestId = this.newestId;
    let pruned = 0;
    for (const { firstKept, sumOldest, remove, addPruned } of this.tables) {
      if (pruned >= rowsMax) break;
      const sums = sumOldest.get(Math.min(idBelow, firstKept(newestId)), rowsMax - pruned);
      if (!sums || sums.last === null) continue;
      remove.run(sums.last);
      addPruned.run(sums.flows, sums.packets, sums.bytes);
      pruned += sums.count;
    }
    return pruned;
  }

  private get newestId(): number {
    return Math.max(...this.tables.map(({ findNewest }) => findNewest.get() ?? -1));
  }
}

function tableOf(db: Database, kind: Kind, level: Level): Table {
  const table = `rollup_${kind.name}_${LEVEL_NAMES[level]}`;
  const { flows, packets, bytes } = stateSqlOf(kind);
  return {
    firstKept: level === Level.Day ? firstKeptDay(db, table, kind.rowsMax) : firstNotFolded(db, table),
    findNewest: db.prepare<[], number | null>(`SELECT max(id) FROM ${table}`).pluck(),
    findOldest: db.prepare<[], number | null>(`SELECT min(id) FROM ${table}`).pluck(),
    sumOldest: db.prepare<[number, number], Sums>(
      `SELECT max(id) AS last, count(*) AS count, coalesce(sum(flows), 0) AS flows, coalesce(sum(packets), 0) AS packets,
         coalesce(sum(bytes), 0) AS bytes
       FROM (SELECT id, ${flows} AS flows, ${packets} AS packets, ${bytes} AS bytes FROM ${table} WHERE id < ? ORDER BY id LIMIT ?)`,
    ),
    remove: db.prepare<[number]>(`DELETE FROM ${table} WHERE id <= ?`),
    addPruned: db.prepare<[number, number, number]>(
      `UPDATE rollup_state SET flows_pruned = flows_pruned + ?, packets_pruned = packets_pruned + ?, bytes_pruned = bytes_pruned + ?
       WHERE table_name = '${table}'`,
    ),
  };
}

/** What is not in the coarser level yet stays. */
function firstNotFolded(db: Database, table: string): Table['firstKept'] {
  const findFolded = db.prepare<[], number>(`SELECT folded_id FROM rollup_state WHERE table_name = '${table}'`).pluck();
  return () => (findFolded.get() as number) + 1;
}

/**
 * The last days stay; but no more rows than those have. After a run by a clock that was ahead, all rows bear the day of that run until
 * it has come.
 */
function firstKeptDay(db: Database, table: string, rowsPerDayMax: number): Table['firstKept'] {
  const findRecent = db.prepare<[number], number>(`SELECT id FROM ${table} ORDER BY id DESC LIMIT 1 OFFSET ?`).pluck();
  return (newestId) =>
    Math.max((Math.floor(newestId / ID_STEP) + 1 - DAYS_KEPT) * ID_STEP, findRecent.get(DAYS_KEPT * rowsPerDayMax - 1) ?? 0);
}

/** SQL for what `rollup_state` adds up, over the columns of a kind. */
export function stateSqlOf(kind: Kind): { readonly flows: string; readonly packets: string; readonly bytes: string } {
  return kind.measures === DNS_MEASURES
    ? { flows: 'queries', packets: '0', bytes: '0' }
    : { flows: 'flows', packets: 'packets_out + packets_in', bytes: 'bytes_out + bytes_in' };
}
