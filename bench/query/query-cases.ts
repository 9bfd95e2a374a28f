import type { Database } from 'better-sqlite3';
import { deviceDetail } from '../../src/store/reader/analytics/device.js';
import { dns } from '../../src/store/reader/analytics/dns.js';
import { quality } from '../../src/store/reader/analytics/quality.js';
import { series } from '../../src/store/reader/analytics/series.js';
import { summary } from '../../src/store/reader/analytics/summary.js';
import { top } from '../../src/store/reader/analytics/top.js';
import { listDevices } from '../../src/store/reader/devices.js';
import { searchDns } from '../../src/store/reader/dns-search.js';
import type { FlowFilter } from '../../src/store/reader/flow-filter.js';
import { searchFlows } from '../../src/store/reader/flow-search.js';
import { listNames } from '../../src/store/reader/names.js';
import type { Random } from '../generate/random.js';
import { HOUSEHOLD, Household } from '../store/household.js';
import { HISTORY_DAYS, HISTORY_START_MS } from './history.js';

const HOUR_US = 3_600_000_000;
const START_US = HISTORY_START_MS * 1000;
const HOURS = HISTORY_DAYS * 24;

/** One kind of query: asks once, with inputs drawn anew. */
export interface QueryCase {
  readonly name: string;
  ask(db: Database, random: Random): unknown;
}

/** A stretch of 1 hour to 30 days somewhere in the history. */
function range(random: Random): { fromUs: number; toUs: number } {
  const hours = [1, 6, 24, 168, HOURS][random.below(5)] as number;
  const first = random.below(HOURS - hours + 1);
  return { fromUs: START_US + first * HOUR_US, toUs: START_US + (first + hours) * HOUR_US };
}

const household = new Household();
const device = (random: Random): string => Household.deviceText(random.below(HOUSEHOLD.devices));
/** Busy servers and rare ones alike. */
const server = (random: Random): number => random.below([10, 200, 5_000, HOUSEHOLD.servers][random.below(4)] as number);
const name = (random: Random): string => household.names[server(random) % household.names.length] as string;

const flows =
  (filter: (random: Random) => FlowFilter) =>
  (db: Database, random: Random): unknown =>
    searchFlows(db, filter(random));

/** Every query of the reader, in the order of the report. */
export const QUERY_CASES: readonly QueryCase[] = [
  { name: 'summary', ask: (db, random) => summary(db, range(random)) },
  { name: 'top_devices', ask: (db, random) => top(db, { ...range(random), subject: 'devices' }) },
  { name: 'top_names', ask: (db, random) => top(db, { ...range(random), subject: 'names' }) },
  { name: 'top_applications', ask: (db, random) => top(db, { ...range(random), subject: 'applications' }) },
  { name: 'top_peers', ask: (db, random) => top(db, { ...range(random), subject: 'peers' }) },
  { name: 'top_names_of_device', ask: (db, random) => top(db, { ...range(random), subject: 'names', device: device(random) }) },
  { name: 'series', ask: (db, random) => series(db, range(random)) },
  { name: 'series_of_device', ask: (db, random) => series(db, { ...range(random), device: device(random) }) },
  { name: 'quality', ask: (db, random) => quality(db, range(random)) },
  { name: 'dns_latency', ask: (db, random) => dns(db, range(random)) },
  { name: 'device_detail', ask: (db, random) => deviceDetail(db, { ...range(random), device: device(random) }) },
  { name: 'flows_newest', ask: flows(() => ({})) },
  { name: 'flows_of_device', ask: flows((random) => ({ address: device(random) })) },
  { name: 'flows_of_server', ask: flows((random) => ({ address: Household.serverText(server(random)) })) },
  { name: 'flows_of_name', ask: flows((random) => ({ name: name(random) })) },
  {
    name: 'flows_of_application',
    ask: flows((random) => ({ application: ['tls', 'quic', 'http', 'dns'][random.below(4)] as string })),
  },
  {
    name: 'flows_of_port',
    ask: flows((random) => ({ port: [443, 80, 53, 1024 + random.below(20_000)][random.below(4)] as number })),
  },
  {
    name: 'flows_of_server_and_time',
    ask: flows((random) => {
      const { fromUs, toUs } = range(random);
      return { address: Household.serverText(server(random)), sinceUs: fromUs, untilUs: toUs };
    }),
  },
  { name: 'flows_of_network', ask: flows((random) => ({ net: `${20 + random.below(150)}.0.0.0/8` })) },
  { name: 'dns_of_name', ask: (db, random) => searchDns(db, { name: name(random) }) },
  { name: 'dns_of_device', ask: (db, random) => searchDns(db, { address: device(random) }) },
  { name: 'devices', ask: (db) => listDevices(db) },
  {
    name: 'names_of_a_day',
    ask: (db, random) => {
      const sinceUs = START_US + random.below(HISTORY_DAYS) * 24 * HOUR_US;
      return listNames(db, { address: device(random), sinceUs, untilUs: sinceUs + 24 * HOUR_US });
    },
  },
];
