import type { Database } from 'better-sqlite3';
import { findDevice } from '../find-device.js';
import { type Answer, LIMIT_MAX, type Range } from './answer.js';
import { Completeness } from './completeness.js';
import { Coverage, checkLimit, reachesUs } from './coverage.js';
import { type DeviceInfo, deviceInfo, ipTextOf } from './devices.js';
import { type DnsAnswer, dns } from './dns.js';
import { atOneMoment } from './moment.js';
import { QUALITY_COLUMNS, type Quality, qualityOfRows } from './quality.js';
import { sumSql } from './sums.js';
import { type TopRow, top } from './top.js';

export interface DeviceInput extends Range {
  /** As `findDevice` takes it. */
  readonly device: string;
  /** Names and applications at most, 1 to `LIMIT_MAX`; 10 if not given. */
  readonly limit?: number;
}

export interface DeviceAnswer extends Answer {
  readonly device: DeviceInfo;
  readonly addresses: readonly string[];
  readonly total: Quality;
  readonly applications: readonly TopRow[];
  /** Servers of the flows that the device began, or that came to it from outside. */
  readonly names: readonly TopRow[];
  readonly dns: Pick<DnsAnswer, 'total' | 'codes'>;
}

const LIMIT_DEFAULT = 10;

/**
 * What one device did in a range; `series` of it tells when. Null for one without an address that is known. Throws `RANGE_INVALID` and what
 * `findDevice` throws.
 */
export function deviceDetail(db: Database, input: DeviceInput): DeviceAnswer | null {
  const { device, limit = LIMIT_DEFAULT } = input;
  checkLimit('limit', limit, LIMIT_MAX);
  return atOneMoment(db, () => {
    const { id, ips } = findDevice(db, device);
    if (ips.length === 0) return null;
    const range = { fromUs: input.fromUs, toUs: input.toUs };
    const coverage = new Coverage(db, 'device', range);
    const rows = coverage.all<Parameters<typeof qualityOfRows>[0][number]>(
      `SELECT ${sumSql(QUALITY_COLUMNS)} FROM ${coverage.rows(QUALITY_COLUMNS, 'ip IN (SELECT value FROM json_each(?))')}`,
      ...coverage.values(JSON.stringify(ips)),
    );
    const { total, codes } = dns(db, { ...range, device, stepS: 0 });
    return {
      fromUs: coverage.fromUs,
      toUs: coverage.toUs,
      reachesUs: reachesUs(db),
      ...new Completeness(db, coverage).of(coverage),
      device: deviceInfo(db, id),
      addresses: ips.map((ip) => ipTextOf(db, ip)),
      total: qualityOfRows(rows),
      applications: top(db, { ...range, subject: 'applications', device, limit }).rows,
      names: top(db, { ...range, subject: 'names', device, limit }).rows,
      dns: { total, codes },
    };
  });
}
