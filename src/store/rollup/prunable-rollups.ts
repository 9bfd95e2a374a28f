import type { Database, Statement } from 'better-sqlite3';
import type { Prunable } from '../prunable.js';
import { DNS_MEASURES, KINDS, type Kind } from './kinds.js';
import { ID_STEP, LEVEL_MINUTES, LEVEL_NAMES, Level, MINUTE_US } from './levels.js';

interface Table {
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

/** What retention may delete of the rollups: minutes that are folded into hours, and hours that are folded into days. Days stay. */
export function prunableRollups(db: Database): readonly Prunable[] {
  return [Level.Minute, Level.Hour].map((level) => new PrunableLevel(db, level));
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

  /** When the oldest row was written: no row that is left belongs to a later time. */
  oldestUs(): number | null {
    const ids = this.tables.map((table) => table.findOldest.get() ?? null).filter((id) => id !== null);
    return ids.length === 0 ? null : Math.floor(Math.min(...ids) / ID_STEP) * this.unitUs;
  }

  /** Rows that were written before `beforeUs`, of one table after the other. What is not folded yet stays. */
  prune(beforeUs: number, rowsMax: number): number {
    const idBelow = Math.floor(beforeUs / this.unitUs) * ID_STEP;
    let pruned = 0;
    for (const { sumOldest, remove, addPruned } of this.tables) {
      if (pruned >= rowsMax) break;
      const sums = sumOldest.get(idBelow, rowsMax - pruned);
      if (!sums || sums.last === null) continue;
      remove.run(sums.last);
      addPruned.run(sums.flows, sums.packets, sums.bytes);
      pruned += sums.count;
    }
    return pruned;
  }
}

function tableOf(db: Database, kind: Kind, level: Level): Table {
  const table = `rollup_${kind.name}_${LEVEL_NAMES[level]}`;
  const state = `rollup_state WHERE table_name = '${table}'`;
  const { flows, packets, bytes } = stateSqlOf(kind);
  return {
    findOldest: db.prepare<[], number | null>(`SELECT min(id) FROM ${table}`).pluck(),
    sumOldest: db.prepare<[number, number], Sums>(
      `SELECT max(id) AS last, count(*) AS count, coalesce(sum(flows), 0) AS flows, coalesce(sum(packets), 0) AS packets,
         coalesce(sum(bytes), 0) AS bytes
       FROM (SELECT id, ${flows} AS flows, ${packets} AS packets, ${bytes} AS bytes FROM ${table}
         WHERE id < ? AND id <= (SELECT folded_id FROM ${state}) ORDER BY id LIMIT ?)`,
    ),
    remove: db.prepare<[number]>(`DELETE FROM ${table} WHERE id <= ?`),
    addPruned: db.prepare<[number, number, number]>(
      `UPDATE rollup_state SET flows_pruned = flows_pruned + ?, packets_pruned = packets_pruned + ?, bytes_pruned = bytes_pruned + ?
       WHERE table_name = '${table}'`,
    ),
  };
}

/** SQL for what `rollup_state` adds up, over the columns of a kind. */
export function stateSqlOf(kind: Kind): { readonly flows: string; readonly packets: string; readonly bytes: string } {
  return kind.measures === DNS_MEASURES
    ? { flows: 'queries', packets: '0', bytes: '0' }
    : { flows: 'flows', packets: 'packets_out + packets_in', bytes: 'bytes_out + bytes_in' };
}
