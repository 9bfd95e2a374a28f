import type { Database } from 'better-sqlite3';
import type { Config } from '../../config.js';
import { HOST_SAMPLES_DAYS, PrunableHostSamples } from '../host-samples/prunable-host-samples.js';
import type { Prunable } from '../prunable.js';
import type { AgingRows } from './aging-rows.js';
import { DAY_US, HOUR_US, LedgerFold } from './fold-ledger.js';
import { GapPrunable, NicLossFold } from './fold-losses.js';
import { DevicePrunable, UnseenDevices } from './prune-devices.js';
import { dnsRows, flowRows } from './prune-raw.js';
import type { RetentionRows } from './retention.js';

/** Days that rows are kept; 0 is for ever. */
export type RetentionDays = Pick<Config, 'retentionFlowsDays' | 'retentionMinutesDays' | 'retentionHoursDays'>;

/**
 * What is deleted, when, and in which order where there is no room: what tells of single flows, what tells of minutes, of hours, and last
 * of days. Rollups by day have no age.
 */
export function retentionRows(
  db: Database,
  days: RetentionDays,
  { rolledUpToId, raw = [], minutes = [], hours = [], days: daily = [] }: AgingRows,
  onDevicesRemoved?: () => void,
): RetentionRows {
  const rolledUpTo = (table: 'flows' | 'dns') => rolledUpToId && ((): number => rolledUpToId(table));
  const allRaw = [flowRows(db, rolledUpTo('flows')), dnsRows(db, rolledUpTo('dns')), ...raw];
  const aged = (rows: readonly Prunable[], daysMax: number, isMany = false) =>
    rows.map((prunable) => ({ rows: prunable, daysMax, isMany }));
  const ledgerMinutes = new LedgerFold(db, HOUR_US);
  const ledgerHours = new LedgerFold(db, DAY_US);
  const hostSamples = new PrunableHostSamples(db);
  const devices = new DevicePrunable(db, onDevicesRemoved);
  return {
    aged: [
      ...aged(allRaw, days.retentionFlowsDays, true),
      ...aged([...minutes, ledgerMinutes, new NicLossFold(db, HOUR_US)], days.retentionMinutesDays),
      ...aged([hostSamples], HOST_SAMPLES_DAYS),
      ...aged([...hours, ledgerHours, new NicLossFold(db, DAY_US), new GapPrunable(db), devices], days.retentionHoursDays),
    ],
    byRoom: [allRaw, [...minutes, ledgerMinutes, hostSamples], [...hours, ledgerHours], [...daily, new UnseenDevices(devices)]],
  };
}
