import type { Config } from '../../config.js';

/** Days that rows of a kind are kept, by the options; Infinity is for ever. */
type DaysKept = (config: Config) => number;

const days = (value: number): number => (value === 0 ? Number.POSITIVE_INFINITY : value);
const flowsDays: DaysKept = (config) => days(config.retentionFlowsDays);
const minutesDays: DaysKept = (config) => days(config.retentionMinutesDays);
const hoursDays: DaysKept = (config) => days(config.retentionHoursDays);

/** Rows that come with flows: as many for each flow as were seen lately. Their `id` is a time. */
export const RAW_TABLES = ['flows', 'flow_trouble', 'flow_tunnels', 'flow_tls', 'flow_http', 'dns'] as const;
export const rawDaysKept = flowsDays;

/** Rows with a time of their own. */
interface TimedTable {
  readonly table: string;
  /** SQL for the time of a row, µs since 1970. */
  readonly timeSql: string;
  readonly daysKept: DaysKept;
}

/** In the order in which they are shown. */
export const TIMED_TABLES: readonly TimedTable[] = [
  { table: 'ledger', timeSql: 'minute_us', daysKept: minutesDays },
  { table: 'gaps', timeSql: 'start_us', daysKept: hoursDays },
];

/** Tables by their names: how long look-ups and rollups are kept. They are planned by how many rows they have by now. */
export const COUNTED_TABLES: readonly { readonly name: RegExp; readonly daysKept: DaysKept }[] = [
  { name: /^lookup/, daysKept: flowsDays },
  { name: /^rollup_.*_minute$/, daysKept: minutesDays },
  { name: /^rollup_.*_hour$/, daysKept: hoursDays },
  { name: /^rollup_.*_day$/, daysKept: () => Number.POSITIVE_INFINITY },
];

/** Rows that are there once for each value, and are kept as long as anything refers to them. */
export const DIMENSION_TABLES = [
  { table: 'texts', index: 'sqlite_autoindex_texts_1', idFirst: 0 },
  { table: 'addresses', index: 'sqlite_autoindex_addresses_1', idFirst: 2 ** 32 },
] as const;
