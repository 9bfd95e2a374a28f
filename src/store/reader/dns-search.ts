import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.js';
import { RESPONSE_CODES } from '../dns-view.js';
import { LookupKind, LookupSubject } from '../lookup/lookup-kind.js';
import { addressKey, filterAddresses, filterNetwork } from './address-filter.js';
import { PlanBuilder } from './filter-parts.js';
import { findDevice } from './find-device.js';
import { type Page, type PageInput, pageOf } from './flow-search.js';
import type { SearchPlan } from './lookup-search.js';
import { filterName } from './name-filter.js';
import { inSnapshot, objects } from './statement.js';

/** What stands for queries that nobody answered. */
export const NO_ANSWER = 'none';
const CODE_MAX = 4095;

/** Which DNS transactions are asked for; each that is given narrows the answer. */
export interface DnsFilter {
  /** Of the client or the server. */
  readonly address?: string;
  readonly net?: string;
  /** As in a `FlowFilter`. */
  readonly device?: string;
  /** That was asked for; `*.example.com` for all names below that. */
  readonly name?: string;
  /** As `dns_view` names it: `NXDOMAIN`, `RCODE99`; `none` for queries without an answer. */
  readonly code?: string;
  /** Transactions that were seen at this time or later, µs since 1970 … */
  readonly sinceUs?: number;
  /** … and before this. */
  readonly untilUs?: number;
}

/** A row of `dns_view`, by its columns. */
export type DnsRow = Readonly<Record<string, number | string | null>> & { readonly id: number };

const SIDES = ['client', 'server'] as const;

/** One page of DNS transactions. Throws `FILTER_INVALID`. */
export function searchDns(db: Database, filter: DnsFilter, page: PageInput = {}): Page<DnsRow> {
  const find = (id: number): DnsRow | null => objects<DnsRow>(db, 'SELECT * FROM dns_view WHERE id = ?').get(id) ?? null;
  return inSnapshot(db, () => pageOf(db, planDns(db, filter), page, find));
}

function planDns(db: Database, filter: DnsFilter): SearchPlan {
  const plan = new PlanBuilder('dns', LookupSubject.Dns);
  if (filter.address !== undefined) {
    const key = addressKey(db, filter.address);
    filterAddresses(plan, key === null ? [] : [key], SIDES);
  }
  if (filter.net !== undefined) filterNetwork(db, plan, filter.net, SIDES);
  if (filter.device !== undefined) filterAddresses(plan, findDevice(db, filter.device).ips, SIDES);
  if (filter.name !== undefined) filterName(db, plan, filter.name, 'query');
  if (filter.code !== undefined) {
    const code = codeOf(filter.code);
    plan.keys(LookupKind.Code, [code ?? -1]);
    plan.condition('code IS ?', code);
  }
  if (filter.sinceUs !== undefined) {
    plan.since(filter.sinceUs);
    plan.condition('id - seen_age_us >= ?', filter.sinceUs);
  }
  if (filter.untilUs !== undefined) {
    plan.until(filter.untilUs);
    plan.condition('id - seen_age_us < ?', filter.untilUs);
  }
  return plan.plan();
}

/** Null for queries without an answer. */
function codeOf(text: string): number | null {
  const name = text.toUpperCase();
  if (name === NO_ANSWER.toUpperCase()) return null;
  const known =
    RESPONSE_CODES.find(([, entry]) => entry === name)?.[0] ?? Number(/^RCODE(\d{1,4})$/.exec(name)?.[1] ?? Number.NaN);
  if (known <= CODE_MAX) return known;
  const names = RESPONSE_CODES.map(([, entry]) => entry).join(', ');
  throw new AppError('FILTER_INVALID', `${text} is no response code; known are ${names} and ${NO_ANSWER}`);
}
