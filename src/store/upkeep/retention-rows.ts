import type { Database } from 'better-sqlite3';
import type { Config } from '../../config.js';
import type { Prunable } from '../prunable.js';
import type { AgingRows } from './aging-rows.js';
import { DAY_US, HOUR_US, LedgerFold } from './fold-ledger.js';
import { GapPrunable, NicLossFold } from './fold-losses.js';
import { DevicePrunable } from './prune-devices.js';
import { dnsRows, flowRows } from './prune-raw.js';
import type { RetentionRows } from './retention.js';

/** Days that rows are kept; 0 is for ever. */
export type RetentionDays = Pick<Config, 'retentionFlowsDays' | 'retentionMinutesDays' | 'retentionHoursDays'>;

/** What is deleted, when, and in which order where there is no room. Rollups by day are never deleted. */
export function retentionRows(
  db: Database,
  days: RetentionDays,
  { rolledUpToId, raw = [], minutes = [], hours = [] }: AgingRows,
  onDevicesRemoved?: () => void,
): RetentionRows {
  const rolledUpTo = (table: 'flows' | 'dns') => rolledUpToId && ((): number => rolledUpToId(table));
  const allRaw = [flowRows(db, rolledUpTo('flows')), dnsRows(db, rolledUpTo('dns')), ...raw];
  const aged = (rows: readonly Prunable[], daysMax: number, isMany = false) =>
    rows.map((prunable) => ({ rows: prunable, daysMax, isMany }));
  return {
    aged: [
      ...aged(allRaw, days.retentionFlowsDays, true),
      ...aged([...minutes, new LedgerFold(db, HOUR_US), new NicLossFold(db, HOUR_US)], days.retentionMinutesDays),
      ...aged(
        [
          ...hours,
          new LedgerFold(db, DAY_US),
          new NicLossFold(db, DAY_US),
          new GapPrunable(db),
          new DevicePrunable(db, onDevicesRemoved),
        ],
        days.retentionHoursDays,
      ),
    ],
    byRoom: [allRaw, minutes, hours],
  };
}
