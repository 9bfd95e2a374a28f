import type { Database } from 'better-sqlite3';
import { BANDS, CODE_LOCAL, DNS_MEASURES, type KindName } from '../../rollup/kinds.js';
import { MINUTE_US } from '../../rollup/levels.js';
import { findDevice } from '../find-device.js';
import { type Answer, LIMIT_MAX, type Percentiles, type Range } from './answer.js';
import { Completeness } from './completeness.js';
import { Coverage, checkLimit, reachesUs } from './coverage.js';
import { type DeviceInfo, ipTextOf, ownerOf } from './devices.js';
import { atOneMoment } from './moment.js';
import { percentilesOf } from './percentiles.js';
import { stepMinutesOf } from './series.js';
import { addRow, type BandRow, meanOf, sumSql } from './sums.js';

const NOERROR = 0;
const NXDOMAIN = 3;

/** DNS over UDP and TCP; mDNS, LLMNR and NetBIOS are not in it. */
interface DnsSums extends Percentiles {
  readonly queries: number;
  readonly unanswered: number;
  /** Answered that there is no such name (NXDOMAIN). */
  readonly noSuchName: number;
  /** Answered with any other error. */
  readonly failed: number;
  /** Mean time from query to answer, µs; null without any. */
  readonly latencyMeanUs: number | null;
}

export interface DnsInput extends Range {
  /** One device only, as `findDevice` takes it. */
  readonly device?: string;
  /** Devices at most, 1 to `LIMIT_MAX`; 10 if not given. */
  readonly limit?: number;
  /** As in a series; the points are left out for `0`. */
  readonly stepS?: number;
}

interface DnsDevice extends DnsSums {
  readonly ip: string | null;
  readonly device: DeviceInfo;
}

interface DnsPoint extends DnsSums {
  readonly startUs: number;
  readonly complete: boolean;
  readonly lostPackets: number;
}

export interface DnsAnswer extends Answer {
  readonly total: DnsSums;
  /** By response code; null for no answer. */
  readonly codes: readonly { readonly code: number | null; readonly queries: number }[];
  /** Those that asked most, by address. */
  readonly devices: readonly DnsDevice[];
  readonly stepUs: number | null;
  readonly points: readonly DnsPoint[];
}

type Row = Readonly<Record<(typeof DNS_MEASURES)[number], number>> & { readonly code: number | null };
type Sums = Record<string, number>;

const LIMIT_DEFAULT = 10;

/** DNS latency and failures of a range: in sum, by code, by device, and over time. Throws `RANGE_INVALID` and what `findDevice` throws. */
export function dns(db: Database, input: DnsInput): DnsAnswer {
  const { limit = LIMIT_DEFAULT, stepS } = input;
  checkLimit('limit', limit, LIMIT_MAX);
  return atOneMoment(db, () => {
    const isOfDevice = input.device !== undefined;
    const condition = `coalesce(code, 0) <> ${CODE_LOCAL}${isOfDevice ? ' AND ip IN (SELECT value FROM json_each(?))' : ''}`;
    const values = isOfDevice ? [JSON.stringify(findDevice(db, input.device as string).ips)] : [];
    const coverage = new Coverage(db, 'dns', input);
    const rows = coverage.all<Row & { ip: number | null }>(
      `SELECT ip, code, ${sumSql(DNS_MEASURES)} FROM ${coverage.rows(['ip', 'code', ...DNS_MEASURES], condition)} GROUP BY ip, code`,
      ...coverage.values(...values),
    );
    const total: Sums = {};
    const codes = new Map<number | null, number>();
    const devices = new Map<number | null, Sums>();
    for (const row of rows) {
      add(total, row);
      codes.set(row.code, (codes.get(row.code) ?? 0) + row.queries);
      const device = devices.get(row.ip) ?? {};
      devices.set(row.ip, device);
      add(device, row);
    }
    const largest = [...devices].sort(([, a], [, b]) => (b['queries'] as number) - (a['queries'] as number)).slice(0, limit);
    const completeness = new Completeness(db, coverage);
    return {
      fromUs: coverage.fromUs,
      toUs: coverage.toUs,
      reachesUs: reachesUs(db, 'dns'),
      ...completeness.of(coverage),
      total: dnsSumsOf(total),
      codes: [...codes].map(([code, queries]) => ({ code, queries })).sort((a, b) => b.queries - a.queries),
      devices: largest.map(([ip, sums]) => ({
        ip: ip === null ? null : ipTextOf(db, ip),
        device: infoOf(db, ip),
        ...dnsSumsOf(sums),
      })),
      ...(stepS === 0
        ? { stepUs: null, points: [] }
        : points(db, isOfDevice ? 'dns' : 'dns_code', input, completeness, condition, values)),
    };
  });
}

function points(
  db: Database,
  kind: KindName,
  input: DnsInput,
  completeness: Completeness,
  condition: string,
  values: readonly string[],
): Pick<DnsAnswer, 'stepUs' | 'points'> {
  const coverage = new Coverage(db, kind, input, stepMinutesOf(input, input.stepS));
  const rows = coverage.all<Row & { step: number }>(
    `SELECT minute / ${coverage.stepMinutes} AS step, code, ${sumSql(DNS_MEASURES)}
     FROM ${coverage.rows(['code', ...DNS_MEASURES], condition)} GROUP BY step, code`,
    ...coverage.values(...values),
  );
  const stepUs = coverage.stepMinutes * MINUTE_US;
  const steps = new Map<number, Sums>();
  for (const row of rows) {
    const sums = steps.get(row.step) ?? {};
    steps.set(row.step, sums);
    add(sums, row);
  }
  const found: DnsPoint[] = [];
  for (let startUs = coverage.fromUs; startUs < coverage.toUs; startUs += stepUs) {
    const state = completeness.of({ fromUs: startUs, toUs: startUs + stepUs });
    found.push({ startUs, ...dnsSumsOf(steps.get(startUs / stepUs) ?? {}), ...state });
  }
  return { stepUs, points: found };
}

function add(sums: Sums, row: Row): void {
  addRow(sums, row as unknown as Record<string, number>, DNS_MEASURES);
  const outcome = row.code === null ? 'unanswered' : row.code === NXDOMAIN ? 'noSuchName' : row.code === NOERROR ? '' : 'failed';
  if (outcome !== '') sums[outcome] = (sums[outcome] ?? 0) + row.queries;
}

function dnsSumsOf(sums: Sums): DnsSums {
  const bands = Object.fromEntries(BANDS.map((band) => [band, sums[band] ?? 0])) as BandRow;
  return {
    queries: sums['queries'] ?? 0,
    unanswered: sums['unanswered'] ?? 0,
    noSuchName: sums['noSuchName'] ?? 0,
    failed: sums['failed'] ?? 0,
    latencyMeanUs: meanOf(sums['latency_us'] ?? 0, sums['latency_count'] ?? 0),
    ...percentilesOf(bands),
  };
}

function infoOf(db: Database, ip: number | null): DeviceInfo {
  const { mac = null, vendor = null, name = null } = (ip === null ? null : ownerOf(db, ip)) ?? {};
  return { mac, vendor, name };
}
