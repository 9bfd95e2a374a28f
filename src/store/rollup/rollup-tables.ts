const MEASURES = [
  'flows',
  'packets_out',
  'packets_in',
  'bytes_out',
  'bytes_in',
  'retransmits',
  'out_of_order',
  'rtt_count',
  'rtt_us',
  'rtt_client_us',
  'tcp_attempts',
  'tcp_rejected',
  'tcp_unanswered',
];
const LEVELS = ['minute', 'hour', 'day'];
const BANDS = 'to_500us to_1ms to_2ms to_5ms to_10ms to_20ms to_50ms to_100ms to_200ms to_500ms to_1s over_1s'.split(' ');

/** Name of the tables, columns that tell what a row is about, columns of sums. */
const TABLES = [
  ['direction', ['direction INTEGER'], [...MEASURES, 'wire_bytes_out', 'wire_bytes_in', ...BANDS]],
  ['device', ['ip INTEGER'], [...MEASURES, ...BANDS]],
  ['application', ['application INTEGER'], [...MEASURES, ...BANDS]],
  ['device_application', ['ip INTEGER', 'application INTEGER'], MEASURES],
  ['device_name', ['ip INTEGER', 'name INTEGER'], MEASURES],
  ['peer', ['ip INTEGER'], MEASURES],
  ['dns', ['ip INTEGER', 'code INTEGER'], ['queries', 'latency_count', 'latency_us', ...BANDS]],
] as const;

function tableSql([name, keys, sums]: (typeof TABLES)[number], level: string): string {
  const columns = ['id INTEGER PRIMARY KEY', 'age INTEGER NOT NULL', ...keys, ...sums.map((sum) => `${sum} INTEGER NOT NULL`)];
  return `CREATE TABLE rollup_${name}_${level} (\n  ${columns.join(',\n  ')}\n);`;
}

/**
 * Schema version 6: sums per minute, hour and day. Once released it is not changed: what the rollups are now stands in `kinds.ts`, and a
 * test compares both.
 */
export const ROLLUP_TABLES = `
-- How far each table is folded into the next coarser one: flows and dns into minutes, those into hours, those into days.
CREATE TABLE rollup_state (
  table_name TEXT PRIMARY KEY,
  folded_id INTEGER NOT NULL, -- rows up to this id are in the coarser table
  age_min INTEGER NOT NULL, -- of all rows that were ever written
  age_max INTEGER NOT NULL,
  flows INTEGER NOT NULL, -- sums of all rows that were ever written; transactions in the case of dns
  packets INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  flows_pruned INTEGER NOT NULL, -- and of those that have been deleted
  packets_pruned INTEGER NOT NULL,
  bytes_pruned INTEGER NOT NULL
) WITHOUT ROWID;

-- Rows are only ever added: one bucket and key may have several, which add up. rollup_…_view shows them readably.
-- id: time at which the row was written, in buckets since 1970, << 16, and a number; age: so many buckets before that is its bucket.
-- ip: as in flows, NULL for none; name: texts.id; application: number; to_…, over_…: how many latencies lie in that band.
${TABLES.flatMap((table) => LEVELS.map((level) => tableSql(table, level))).join('\n')}
INSERT INTO rollup_state VALUES ${[
  'flows',
  'dns',
  ...TABLES.flatMap(([name]) => LEVELS.map((level) => `rollup_${name}_${level}`)),
]
  .map((name) => `('${name}', -1, 0, 0, 0, 0, 0, 0, 0, 0)`)
  .join(', ')};`;
