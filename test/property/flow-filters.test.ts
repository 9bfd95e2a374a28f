import { BlockList, isIPv6 } from 'node:net';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DeviceSource } from '../../src/ring/name-records.js';
import type { FlowFilter } from '../../src/store/reader/flow-filter.js';
import { type FlowRow, searchFlows } from '../../src/store/reader/flow-search.js';
import {
  CLIENTS,
  doChores,
  HISTORY_US,
  historyFlow,
  historyRig,
  NAMES,
  SERVERS,
  STEP_US,
  writeAll,
  writeHistory,
} from '../helpers/flow-history.js';
import { plansThatScan } from '../helpers/query-plans.js';

/** More than a run has. */
const FLOWS = 56_000;
const LATE_FLOWS = 300;
/** Of one answer. */
const ROWS_COMPARED = 200;

const DEVICE_MAC = '02:00:00:00:00:01';

type Row = FlowRow & Readonly<Record<string, string & number>>;

const membership = new Map<string, boolean>();

function isIn(ip: string, network: string): boolean {
  const key = `${ip} ${network}`;
  const known = membership.get(key);
  if (known !== undefined) return known;
  const [address = '', bits] = network.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family);
  const answer = isIPv6(ip) === (family === 'ipv6') && list.check(ip, family);
  membership.set(key, answer);
  return answer;
}

/** What each filter means, in the words of `flow_view`. */
const MEANING: { readonly [K in keyof FlowFilter]-?: (row: Row, value: never) => boolean } = {
  address: (row, ip: string) => row['src_ip'] === ip || row['dst_ip'] === ip,
  net: (row, network: string) => isIn(row['src_ip'] as string, network) || isIn(row['dst_ip'] as string, network),
  device: (row) => [CLIENTS[0], CLIENTS[3]].some((ip) => row['src_ip'] === ip || row['dst_ip'] === ip),
  port: (row, port: number) => row['icmp_type'] === null && (row['src_port'] === port || row['dst_port'] === port),
  protocol: (row, protocol: number) => row['protocol'] === protocol,
  application: (row, name: string) => row['application'] === name,
  name: (row, name: string) =>
    row['server_name'] === name || (name.startsWith('*.') && `${row['server_name']}`.endsWith(name.slice(1))),
  interface: (row, name: string) => row['interface'] === name,
  vlan: (row, id: number) => row['vlan_id'] === id,
  endReason: (row, reason: string) => row['end_reason'] === reason,
  sinceUs: (row, us: number) => (row['end_us'] as number) >= us,
  untilUs: (row, us: number) => (row['start_us'] as number) < us,
  bytesMin: (row, bytes: number) => (row['src_bytes'] as number) + (row['dst_bytes'] as number) >= bytes,
};

const time = fc.integer({ min: 0, max: FLOWS }).map((index) => HISTORY_US + index * STEP_US - 20_000_000);
const networks = ['192.168.0.0/16', '10.0.0.0/8', '9.3.0.0/29', '99.0.0.0/8', '223.255.255.254/32', '128.0.0.0/1', '0.0.0.0/0'];
const networks6 = [
  ...['128', '127', '113', '100'].map((bits) => `2001:db8:1:2:3:4:5:6/${bits}`),

  'fd00::/8',
  'fe80::/10',
  '2001:db8::/32',
  '2001:db8:7::/48',
  '2001:db8:4:4::/64',
  '2001:db0::/29',
  '::/0',
  '2000::/3',
];

const filters: fc.Arbitrary<FlowFilter> = fc.record(
  {
    address: fc.constantFrom(...CLIENTS, ...SERVERS, '192.0.2.1', '2001:db8::dead'),
    net: fc.constantFrom(...networks, ...networks6),
    device: fc.constant(DEVICE_MAC),
    port: fc.constantFrom(53, 443, 1000, 1001, 5060, 40_001, 45_000),
    protocol: fc.constantFrom(1, 6, 17, 47, 50, 58),
    application: fc.constantFrom('tls', 'dns', 'ssh'),
    name: fc.constantFrom(...NAMES, '*.example.com', '*.d7.example.net', '*.net', '*.ample.com', 'example.com', 'nowhere.test'),
    interface: fc.constantFrom('eth0', 'wlan0', 'eth9'),
    vlan: fc.constantFrom(42, 43),
    endReason: fc.constantFrom('idle_timeout', 'active_timeout', 'evicted'),
    sinceUs: time,
    untilUs: time,
    bytesMin: fc.constantFrom(0, 1000, 500_000, 990_000, 5_000_000),
  },
  { requiredKeys: [] },
);
/** Few filters at once, so that something is left to find. */
const someFilters = fc
  .tuple(filters, fc.subarray(Object.keys(MEANING) as (keyof FlowFilter)[], { minLength: 1, maxLength: 2 }))
  .map(([filter, kept]) => Object.fromEntries(Object.entries(filter).filter(([key]) => kept.includes(key as keyof FlowFilter))));

function expected(all: readonly Row[], filter: FlowFilter): number[] {
  const wanted = Object.entries(filter) as [keyof FlowFilter, never][];
  return all.filter((row) => wanted.every(([key, value]) => MEANING[key](row, value))).map(({ id }) => id);
}

describe('filters of flows', () => {
  it('find what a look at every row finds, in either order, page by page, and read no table from end to end', () => {
    const first = historyRig();
    for (const ip of [CLIENTS[0], CLIENTS[3]])
      first.emitDevice({ mac: DEVICE_MAC, ip, source: DeviceSource.Arp, emittedUs: HISTORY_US, seenUs: HISTORY_US });
    const killed = first.open();
    writeHistory(first, killed, 0, 5000);
    killed.abandon();
    const second = historyRig(first.path);
    const writer = second.open();
    doChores(writer);
    writeHistory(second, writer, 5000, FLOWS);
    writer.abandon();
    // Rows of an old capture: the first run is no longer used, and what it held is in no run.
    const late = historyRig(first.path);
    const lateWriter = late.open();
    for (let index = 1000; index < 1000 + LATE_FLOWS; index++) {
      const spec = historyFlow(index * 3);
      const emittedUs = HISTORY_US + index * STEP_US + 10;
      // A flow ends before it is emitted, here too.
      const earlierUs = spec.emittedUs - emittedUs;
      late.emit({ ...spec, emittedUs, startUs: spec.startUs - earlierUs, endUs: spec.endUs - earlierUs });
    }
    writeAll(lateWriter);
    lateWriter.abandon();

    const db = new Database(first.path, { readonly: true });
    onTestFinished(() => void db.close());
    expect(db.prepare('SELECT is_stale FROM lookup_runs ORDER BY run').pluck().all()).toEqual([1, 0]);
    const all = db.prepare<[], Row>('SELECT * FROM flow_view ORDER BY id').all();
    expect(all).toHaveLength(FLOWS + LATE_FLOWS);

    fc.assert(
      fc.property(
        someFilters,
        fc.constantFrom('newest', 'oldest'),
        fc.constantFrom(ROWS_COMPARED, 37),
        (filter, order, limit) => {
          const ids: number[] = [];
          let cursor: string | undefined;
          // The whole answer, or as much of it as is compared.
          do {
            const page = searchFlows(db, filter, { order, limit, ...(cursor !== undefined && { cursor }) });
            ids.push(...page.rows.map(({ id }) => id));
            cursor = page.next ?? undefined;
          } while (cursor !== undefined && ids.length < ROWS_COMPARED);
          const wanted = expected(all, filter);
          if (order === 'newest') wanted.reverse();
          expect(ids).toEqual(cursor === undefined ? wanted : wanted.slice(0, ids.length));
        },
      ),
      { numRuns: 60 },
    );
    expect(plansThatScan(db)).toEqual([]);
    expect(plansThatScan(db, ['lookup_runs'])).not.toEqual([]);
  }, 60_000);
});
