import type { Database } from 'better-sqlite3';
import { AppError } from '../../errors.js';
import { APPLICATIONS } from '../../ring/application.js';
import { END_REASONS } from '../../ring/layout.js';
import { IpProtocol } from '../../wire/ip-protocol.js';
import { Attribute, attributeSql } from '../attributes.js';
import { LookupKind, LookupSubject, PORT_END } from '../lookup/lookup-kind.js';
import { addressKey, filterAddresses, filterNetwork } from './address-filter.js';
import { PlanBuilder } from './filter-parts.js';
import { findDevice } from './find-device.js';
import type { SearchPlan } from './lookup-search.js';
import { filterName } from './name-filter.js';
import { values } from './statement.js';

/** Which flows are asked for; each that is given narrows the answer. Sides of a flow make no difference. */
export interface FlowFilter {
  /** IPv4 or IPv6. */
  readonly address?: string;
  /** Such as `10.0.0.0/8`. */
  readonly net?: string;
  /** 0 to 65,535; ICMP has none. */
  readonly port?: number;
  /** 0 to 255. */
  readonly protocol?: number;
  /** As `flow_view` names it: `tls`, `dns`, … */
  readonly application?: string;
  /** Of the server; `*.example.com` for all names below that. */
  readonly name?: string;
  /** As `findDevice` takes it. */
  readonly device?: string;
  readonly interface?: string;
  /** 1 to 4,095. */
  readonly vlan?: number;
  /** As `flow_view` names it. */
  readonly endReason?: string;
  /** Flows that ended at this time or later, µs since 1970 … */
  readonly sinceUs?: number;
  /** … and began before this. */
  readonly untilUs?: number;
  /** IP bytes, both directions together. */
  readonly bytesMin?: number;
}

const SIDES = ['src', 'dst'] as const;

const protocolSql = attributeSql(Attribute.Protocol, Attribute.EndReason);

/** Turns a filter into a plan. Throws `FILTER_INVALID` for a value that cannot be, and `DEVICE_NOT_FOUND`. */
export function planFlows(db: Database, filter: FlowFilter): SearchPlan {
  const plan = new PlanBuilder('flows', LookupSubject.Flows);
  if (filter.address !== undefined) {
    const key = addressKey(db, filter.address);
    filterAddresses(plan, key === null ? [] : [key], SIDES);
  }
  if (filter.net !== undefined) filterNetwork(db, plan, filter.net, SIDES);
  if (filter.device !== undefined) filterAddresses(plan, findDevice(db, filter.device).ips, SIDES);
  if (filter.name !== undefined) filterName(db, plan, filter.name, 'server_name');
  if (filter.port !== undefined) filterPort(plan, checked('port', filter.port, 0, 65_535));
  if (filter.application !== undefined) {
    const application = numberOf(APPLICATIONS, filter.application, 'application');
    plan.keys(LookupKind.Application, [application]);
    plan.condition('application >> 1 = ?', application);
  }
  if (filter.interface !== undefined) {
    const ids = values<number>(db, 'SELECT id FROM interfaces WHERE name = ? ORDER BY id').all(filter.interface);
    plan.keys(LookupKind.Interface, ids);
    plan.condition(
      `${attributeSql(Attribute.InterfaceId, Attribute.VlanId)} IN (SELECT value FROM json_each(?))`,
      JSON.stringify(ids),
    );
  }
  const equals = (kind: LookupKind, sql: string, number: number): void => {
    plan.keys(kind, [number]);
    plan.condition(`${sql} = ?`, number);
  };
  if (filter.protocol !== undefined) equals(LookupKind.Protocol, protocolSql, checked('protocol', filter.protocol, 0, 255));
  if (filter.vlan !== undefined)
    equals(LookupKind.Vlan, attributeSql(Attribute.VlanId, Attribute.End), checked('vlan', filter.vlan, 1, 4095));
  if (filter.endReason !== undefined)
    equals(
      LookupKind.EndReason,
      attributeSql(Attribute.EndReason, Attribute.TcpState),
      numberOf(END_REASONS, filter.endReason, 'end reason'),
    );
  if (filter.bytesMin !== undefined) {
    plan.bytes(checked('bytes', filter.bytesMin, 0, Number.MAX_SAFE_INTEGER));
    plan.condition('src_bytes + dst_bytes >= ?', filter.bytesMin);
  }
  if (filter.sinceUs !== undefined) {
    plan.since(checked('since', filter.sinceUs, 0, Number.MAX_SAFE_INTEGER));
    plan.condition('id - end_age_us >= ?', filter.sinceUs);
  }
  if (filter.untilUs !== undefined) {
    plan.until(checked('until', filter.untilUs, 0, Number.MAX_SAFE_INTEGER));
    plan.condition('id - end_age_us - duration_us < ?', filter.untilUs);
  }
  return plan.plan();
}

function filterPort(plan: PlanBuilder, port: number): void {
  if (port < PORT_END) plan.keys(LookupKind.Port, [port]);
  const isIcmp = `${protocolSql} IN (${IpProtocol.Icmp}, ${IpProtocol.Icmpv6})`;
  plan.condition(`((ports >> 16) & 65535 = ? OR ports & 65535 = ?) AND NOT ${isIcmp}`, port, port);
}

/** Place of a name in a list of names that are numbered by it. */
function numberOf(names: readonly string[], name: string, what: string): number {
  const number = names.indexOf(name);
  if (number > 0) return number;
  const known = names.filter((entry) => entry !== '').join(', ');
  throw new AppError('FILTER_INVALID', `${name} is no ${what}; known are ${known}`);
}

function checked(what: string, number: number, min: number, max: number): number {
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new AppError('FILTER_INVALID', `${what} ${number} is not from ${min} to ${max}`);
}
