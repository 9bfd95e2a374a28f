import type { Database } from 'better-sqlite3';
import type { CheckResult } from '../check.js';
import { KINDS, type Kind } from './kinds.js';
import { LEVEL_NAMES } from './levels.js';
import { stateSqlOf } from './prunable-rollups.js';

/** Schema version since which there are rollups. */
export const ROLLUPS_SINCE = 6;

const SUMS = ['flows', 'packets', 'bytes'] as const;
type Sums = Readonly<Record<(typeof SUMS)[number], number>>;

interface State extends Sums {
  readonly flows_pruned: number;
  readonly packets_pruned: number;
  readonly bytes_pruned: number;
}

/**
 * Checks that rollups and rows tell the same: what was ever rolled up, with the flows that are not rolled up yet, is what the ledger says
 * was written; each table has what was written into it less what retention has deleted; and each coarser table has got what is folded in
 * the finer one. It holds whatever retention has deleted.
 */
export function checkRollups(db: Database): CheckResult[] {
  return [checkLedger(db), checkTables(db), checkFolding(db)];
}

function checkLedger(db: Database): CheckResult {
  const ledger = db
    .prepare<[], Sums>(
      `SELECT coalesce(sum(flows_written), 0) AS flows, coalesce(sum(packets_written), 0) AS packets,
         coalesce(sum(ip_bytes_written), 0) AS bytes FROM ledger`,
    )
    .get() as Sums;
  const tail = db
    .prepare<[], Sums>(
      `SELECT count(*) AS flows, coalesce(sum(src_packets + dst_packets), 0) AS packets, coalesce(sum(src_bytes + dst_bytes), 0) AS bytes
       FROM flows WHERE id > (SELECT folded_id FROM rollup_state WHERE table_name = 'flows')`,
    )
    .get() as Sums;
  const rolled = stateOf(db, 'rollup_direction_minute');
  const shed = stateOf(db, 'shed');
  const wrong = SUMS.filter((sum) => rolled[sum] - shed[sum] + tail[sum] !== ledger[sum]);
  const shown = wrong.length > 0 ? wrong : SUMS;
  const detail = shown
    .map((sum) => `${sum}: ${rolled[sum] - shed[sum]} rolled up and ${tail[sum]} not yet, ${ledger[sum]} in the ledger`)
    .join('; ');
  return { name: 'rollups and ledger agree', ok: wrong.length === 0, detail };
}

function checkTables(db: Database): CheckResult {
  const wrong = Object.values<Kind>(KINDS).flatMap((kind) =>
    LEVEL_NAMES.flatMap((level) => {
      const table = `rollup_${kind.name}_${level}`;
      const state = stateOf(db, table);
      const sums = sumsOf(db, kind, table, 'true');
      return SUMS.filter((sum) => sums[sum] !== state[sum] - state[`${sum}_pruned`]).map((sum) => `${sum} of ${table}`);
    }),
  );
  const detail = wrong.length === 0 ? '' : `differs: ${wrong.join(', ')}`;
  return { name: 'rollup tables have what was written into them', ok: wrong.length === 0, detail };
}

function checkFolding(db: Database): CheckResult {
  const wrong = Object.values<Kind>(KINDS).flatMap((kind) =>
    LEVEL_NAMES.slice(1).flatMap((level, index) => {
      const finer = `rollup_${kind.name}_${LEVEL_NAMES[index]}`;
      const written = stateOf(db, finer);
      const waiting = sumsOf(db, kind, finer, `id > (SELECT folded_id FROM rollup_state WHERE table_name = '${finer}')`);
      const folded = stateOf(db, `rollup_${kind.name}_${level}`);
      return SUMS.filter((sum) => folded[sum] + waiting[sum] !== written[sum]).map(
        (sum) => `${sum} of rollup_${kind.name}_${level}`,
      );
    }),
  );
  const detail = wrong.length === 0 ? '' : `differs: ${wrong.join(', ')}`;
  return { name: 'hours and days have what minutes have', ok: wrong.length === 0, detail };
}

const NO_STATE: State = { flows: 0, packets: 0, bytes: 0, flows_pruned: 0, packets_pruned: 0, bytes_pruned: 0 };

function stateOf(db: Database, table: string): State {
  return db.prepare<[string], State>('SELECT * FROM rollup_state WHERE table_name = ?').get(table) ?? NO_STATE;
}

function sumsOf(db: Database, kind: Kind, table: string, condition: string): Sums {
  const { flows, packets, bytes } = stateSqlOf(kind);
  return db
    .prepare<[], Sums>(
      `SELECT coalesce(sum(${flows}), 0) AS flows, coalesce(sum(${packets}), 0) AS packets, coalesce(sum(${bytes}), 0) AS bytes
       FROM ${table} WHERE ${condition}`,
    )
    .get() as Sums;
}
