import { IpProtocol } from '../../wire/ip-protocol.js';
import { LookupKind, LookupSubject, PORT_END } from './lookup-kind.js';
import type { RunBuilder } from './run-builder.js';

/** Adds the keys of the flow that was added last. All arguments but `vlanId` as in `flows`; `name` is null without one. Allocates nothing. */
export function addFlowKeys(
  run: RunBuilder,
  src: number,
  dst: number,
  ports: number,
  protocol: number,
  endReason: number,
  interfaceId: number,
  vlanId: number,
  application: number | null,
  name: number | null,
): void {
  run.addKey(LookupKind.Address, src);
  run.addKey(LookupKind.Address, dst);
  if (name !== null) run.addKey(LookupKind.Name, name);
  if (application !== null) run.addKey(LookupKind.Application, application >> 1);
  if (protocol !== IpProtocol.Icmp && protocol !== IpProtocol.Icmpv6) {
    const srcPort = ports >>> 16;
    const dstPort = ports & 0xffff;
    if (srcPort < PORT_END) run.addKey(LookupKind.Port, srcPort);
    if (dstPort < PORT_END) run.addKey(LookupKind.Port, dstPort);
  }
  run.addKey(LookupKind.Protocol, protocol);
  run.addKey(LookupKind.Interface, interfaceId);
  if (vlanId !== 0) run.addKey(LookupKind.Vlan, vlanId);
  run.addKey(LookupKind.EndReason, endReason);
}

/** Adds the keys of the DNS transaction that was added last; `code` is null for a query without an answer. Allocates nothing. */
export function addDnsKeys(run: RunBuilder, client: number, server: number, query: number, code: number | null): void {
  run.addKey(LookupKind.Address, client);
  run.addKey(LookupKind.Address, server);
  run.addKey(LookupKind.Name, query);
  run.addKey(LookupKind.Code, code ?? -1);
}

type Row = readonly (number | null)[];

/** Rows of one table that can be looked up. */
export interface LookupTable {
  readonly subject: LookupSubject;
  readonly table: 'flows' | 'dns';
  /** SQL for the rows above one id and up to another, in ascending order: a third parameter says how many. */
  readonly readSql: string;
  /** Adds such a row with its keys. */
  add(run: RunBuilder, row: Row): void;
}

/** Attributes are below 2^52, and JavaScript's bits end at 2^32. */
function addStoredFlow(run: RunBuilder, row: Row): void {
  const [id, startUs, bytes, src, dst, ports, attributes, application = null, name = null] = row as number[];
  const low = ((attributes as number) % 2 ** 32) | 0;
  const high = Math.floor((attributes as number) / 2 ** 32);
  run.addRow(id as number, startUs as number, bytes as number);
  addFlowKeys(
    run,
    src as number,
    dst as number,
    ports as number,
    low & 0xff,
    (low >>> 8) & 0xf,
    high & 0xff,
    high >>> 8,
    application,
    name,
  );
}

function addStoredDns(run: RunBuilder, row: Row): void {
  const [id, seenUs, client, server, query, code = null] = row as number[];
  run.addRow(id as number, seenUs as number, 0);
  addDnsKeys(run, client as number, server as number, query as number, code);
}

export const FLOW_LOOKUP: LookupTable = {
  subject: LookupSubject.Flows,
  table: 'flows',
  readSql: `SELECT id, id - end_age_us - duration_us, src_bytes + dst_bytes, src, dst, ports, attributes, application, server_name
    FROM flows WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`,
  add: addStoredFlow,
};

export const DNS_LOOKUP: LookupTable = {
  subject: LookupSubject.Dns,
  table: 'dns',
  readSql: 'SELECT id, id - seen_age_us, client, server, query, code FROM dns WHERE id > ? AND id <= ? ORDER BY id LIMIT ?',
  add: addStoredDns,
};
